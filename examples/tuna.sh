#!/bin/sh
# The tuna command: deploy, status, cost, list, show-gpus, check, destroy. See --help.
set -eu
. "$(dirname "$0")/build.sh"
exec "$TUNA_JAVA" --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$TUNA_CLASSPATH" dev.tuna.examples.TunaCommand "$@"
