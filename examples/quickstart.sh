#!/bin/sh
# The whole story on this machine: deploy, chat, lose spot replicas under load, see the bill, destroy.
set -eu
. "$(dirname "$0")/build.sh"
exec "$TUNA_JAVA" --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$TUNA_CLASSPATH" dev.tuna.examples.QuickStart "$@"
