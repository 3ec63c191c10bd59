#!/bin/sh
# The whole story on this machine: deploy, chat, lose a spot replica under load, see the bill, destroy.
set -eu
. "$(dirname "$0")/build.sh"
exec java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$TUNA_CLASSPATH" dev.tuna.examples.QuickStart "$@"
