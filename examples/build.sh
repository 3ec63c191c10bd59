# Builds the example programs when a source is newer than the last build. Sourced by the scripts beside it, which run
# them with: java -cp "$TUNA_CLASSPATH" …
# Needs a JDK 17 or later and Maven 3.8 or later.

tuna_root=$(cd "$(dirname "$0")/.." && pwd)
tuna_stamp="$tuna_root/examples/target/built"

command -v java >/dev/null || { echo "java is missing: install a JDK, version 17 or later" >&2; exit 1; }

if [ ! -f "$tuna_stamp" ] || [ -n "$(find "$tuna_root" -path '*/target' -prune -o \
    \( -name pom.xml -o -path '*/src/main/*' \) -type f -newer "$tuna_stamp" -print | head -n 1)" ]; then
  command -v mvn >/dev/null || { echo "mvn is missing: install Maven, version 3.8 or later" >&2; exit 1; }
  echo "Building Tuna (once; takes a minute or two on a fresh machine) ..." >&2
  mkdir -p "$tuna_root/examples/target"
  if ! (cd "$tuna_root" && mvn -B -q -pl examples -am package -DskipTests -Dmaven.javadoc.skip -Dmaven.source.skip \
      -Dspotless.check.skip) >"$tuna_root/examples/target/build.log" 2>&1; then
    cat "$tuna_root/examples/target/build.log" >&2
    exit 1
  fi
  touch "$tuna_stamp"
fi

TUNA_CLASSPATH="$tuna_root/examples/target/classes:$tuna_root/examples/target/lib/*"
