#!/bin/sh
# A cloud on this machine, for the providers local and local-spot; prints its URL and runs until Ctrl-C. See --help.
set -eu
. "$(dirname "$0")/build.sh"
exec "$TUNA_JAVA" --enable-native-access=ALL-UNNAMED -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$TUNA_CLASSPATH" \
  dev.tuna.testkit.cloud.LocalCloudMain "$@"
