#!/bin/sh
# The router alone, in front of given URLs:
#   sh examples/router.sh --listen 127.0.0.1:8080 --serverless URL [--serverless URL]... [--spot URL]...
#                         [--io-threads 1] [--api-key-env NAME]
set -eu
. "$(dirname "$0")/build.sh"
# A few event loops that make little garbage: the serial collector costs them the least CPU time.
# shellcheck disable=SC2086 # options are words
exec "$TUNA_JAVA" -XX:+UseSerialGC -Xms128m -Xmx512m --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn ${TUNA_JAVA_OPTIONS:-} -cp "$TUNA_CLASSPATH" \
  dev.tuna.examples.RouterMain "$@"
