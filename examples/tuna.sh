#!/bin/sh
# The tuna command: deploy, status, cost, list, show-gpus, check, destroy and more. See --help.
set -eu
. "$(dirname "$0")/build.sh"
tuna_jar="$tuna_target/tuna.jar"

# Classes that are the same at every start are kept ready for the next one.
tuna_archive="$tuna_target/tuna.jsa"
tuna_shared=

# One process archives, and none waits for it: the lock is a link to its number, as in build.sh. That of one which was killed
# is taken over, with what it left.
tuna_archives_alone() {
  ln -s "$$" "$tuna_target/archiver" 2>/dev/null && return
  tuna_archiver=$(readlink "$tuna_target/archiver") || return
  if kill -0 "$tuna_archiver" 2>/dev/null; then return 1; fi
  rm -rf "$tuna_target/archiver" "$tuna_target/archiving.$tuna_archiver"
  ln -s "$$" "$tuna_target/archiver" 2>/dev/null
}

tuna_end_archiving() {
  rm -rf "$tuna_target/archiving.$$" "$tuna_target/archiver"
}

# It appears whole, or not at all: what is broken off is done again by the next start.
tuna_make_archive() {
  trap tuna_end_archiving EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$tuna_target/archiving.$$"
  if "$TUNA_JAVA" -XX:ArchiveClassesAtExit="$tuna_target/archiving.$$/tuna.jsa" -Xlog:disable -XX:+UseSerialGC \
    -jar "$tuna_jar" list --state-dir "$tuna_target/archiving.$$" >/dev/null 2>&1; then
    mv "$tuna_target/archiving.$$/tuna.jsa" "$tuna_archive" 2>/dev/null || true # not every JDK makes one
  fi
  tuna_end_archiving
  trap - EXIT INT TERM
}

if [ "$tuna_archive" -nt "$tuna_jar" ]; then
  tuna_shared="-XX:SharedArchiveFile=$tuna_archive"
elif tuna_archives_alone; then
  tuna_make_archive
fi

# What hosts an endpoint runs long enough for the optimising compiler; everything else is over before it would help.
tuna_compiler=-XX:TieredStopAtLevel=1
for tuna_word in "$@"; do
  case $tuna_word in deploy | host | router) tuna_compiler=-XX:+TieredCompilation ;; esac
done

# shellcheck disable=SC2086 # one option or none
exec "$TUNA_JAVA" -XX:+UseSerialGC -Xlog:disable -Xshare:auto $tuna_compiler $tuna_shared --enable-native-access=ALL-UNNAMED \
  -jar "$tuna_jar" "$@"
