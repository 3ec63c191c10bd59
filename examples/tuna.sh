#!/bin/sh
# The tuna command: deploy, status, cost, list, show-gpus, check, destroy and more. See --help.
set -eu
. "$(dirname "$0")/build.sh"
tuna_jar="$tuna_target/tuna.jar"

# Classes that are the same at every start are kept ready for the next one.
tuna_archive="$tuna_target/tuna.jsa"
tuna_shared=
if [ "$tuna_archive" -nt "$tuna_jar" ]; then
  tuna_shared="-XX:SharedArchiveFile=$tuna_archive"
elif mkdir "$tuna_target/archiving" 2>/dev/null; then
  "$TUNA_JAVA" -XX:ArchiveClassesAtExit="$tuna_archive" -Xlog:disable -XX:+UseSerialGC -jar "$tuna_jar" list \
    --state-dir "$tuna_target/archiving" >/dev/null 2>&1 || rm -f "$tuna_archive"
  rm -rf "$tuna_target/archiving"
fi

# What hosts an endpoint runs long enough for the optimising compiler; everything else is over before it would help.
tuna_compiler=-XX:TieredStopAtLevel=1
for tuna_word in "$@"; do
  case $tuna_word in deploy | host | router) tuna_compiler=-XX:+TieredCompilation ;; esac
done

# shellcheck disable=SC2086 # one option or none
exec "$TUNA_JAVA" -XX:+UseSerialGC -Xlog:disable -Xshare:auto $tuna_compiler $tuna_shared --enable-native-access=ALL-UNNAMED \
  -jar "$tuna_jar" "$@"
