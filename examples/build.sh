# Builds the example programs when a source is newer than the last build. Sourced by the scripts beside it, which run
# them with: exec "$TUNA_JAVA" --enable-native-access=ALL-UNNAMED -cp "$TUNA_CLASSPATH" …
# Needs a JDK 17 or later (that of JAVA_HOME, if it is set) and Maven 3.8 or later.

tuna_root=$(cd "$(dirname "$0")/.." && pwd)
tuna_target="$tuna_root/examples/target"
TUNA_JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
TUNA_CLASSPATH="$tuna_target/classes:$tuna_target/lib/*"

command -v "$TUNA_JAVA" >/dev/null || { echo "$TUNA_JAVA is missing: install a JDK, version 17 or later" >&2; exit 1; }

# Directories count too: their time changes when a source is deleted.
tuna_is_built() {
  [ -f "$tuna_target/built" ] && [ -z "$(cd "$tuna_root" && find . -name target -prune -o \
    \( -name pom.xml -o -path '*/src/main/*' \) -newer examples/target/built -print | head -n 1)" ]
}

# One build at a time: the lock is a link to the number of the process that builds, for links are made atomically.
tuna_lock() {
  until ln -s "$$" "$tuna_target/building" 2>/dev/null; do
    tuna_builder=$(readlink "$tuna_target/building") || continue
    kill -0 "$tuna_builder" 2>/dev/null || { rm -f "$tuna_target/building"; continue; }
    sleep 1
  done
  trap 'rm -f "$tuna_target/building"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

tuna_unlock() {
  rm -f "$tuna_target/building"
  trap - EXIT INT TERM
}

tuna_build() {
  command -v mvn >/dev/null || { echo "mvn is missing: install Maven, version 3.8 or later" >&2; exit 1; }
  echo "Building Tuna (once; takes a minute or two on a fresh machine) ..." >&2
  : >"$tuna_target/building.since"
  if ! (cd "$tuna_root" && mvn -B -q -Pfast -pl examples -am package -Dmaven.test.skip -Dmaven.javadoc.skip \
      -Dmaven.source.skip -Dspotless.check.skip) >"$tuna_target/build.log" 2>&1; then
    cat "$tuna_target/build.log" >&2
    exit 1
  fi
  # What was edited while Maven ran is newer than this.
  mv "$tuna_target/building.since" "$tuna_target/built"
}

if ! tuna_is_built; then
  mkdir -p "$tuna_target"
  tuna_lock
  tuna_is_built || tuna_build
  tuna_unlock
fi
