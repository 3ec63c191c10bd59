#!/bin/sh
# The router alone, in front of given URLs:
#   sh examples/router.sh --listen 127.0.0.1:8080 --serverless URL [--serverless URL]... [--spot URL]...
#                         [--io-threads 1] [--api-key-env NAME]
set -eu
. "$(dirname "$0")/build.sh"
# shellcheck disable=SC2086 # options are words
exec "$TUNA_JAVA" "@$tuna_root/examples/router.jvm" --enable-native-access=ALL-UNNAMED ${TUNA_JAVA_OPTIONS:-} -cp "$TUNA_CLASSPATH" \
  dev.tuna.examples.RouterMain "$@"
