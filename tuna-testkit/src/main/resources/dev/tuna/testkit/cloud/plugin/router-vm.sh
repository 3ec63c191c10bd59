#!/bin/sh
# The machine of a router, as the local cloud has it: a directory and this process. Runs the program, starts it again when it
# fails, lets another version follow it, and ends everything when it is not needed and nobody has looked for too long.
# router-vm.sh DIRECTORY JAVA ORPHAN_MINUTES
set -u
machine=$1 java=$2 orphan_minutes=$3
export TUNA_DIR="$machine/dir" TUNA_RUN="$machine/run"
mkdir -p "$TUNA_DIR" "$TUNA_RUN"
set -a
# shellcheck source=/dev/null
. "$machine/environment"
set +a

program=''

start() {
	"$java" -XX:TieredStopAtLevel=1 -Xmx256m -cp "$TUNA_DIR/tuna.jar" dev.tuna.core.vm.RouterVmMain >>"$machine/log" 2>&1 &
	program=$!
	echo $program >"$machine/program.pid"
}

end() {
	[ -n "$program" ] && kill "$program"
	exit 0
}

trap end TERM INT
start
while sleep 0.2; do
	if [ -f "$TUNA_RUN/next" ]; then
		mv -f "$TUNA_DIR/next.jar" "$TUNA_DIR/tuna.jar"
		rm -f "$TUNA_RUN/next"
		start
	elif ! kill -0 "$program" 2>/dev/null; then
		sleep 0.5
		start
	elif [ ! -f "$TUNA_DIR/needed" ] && [ -n "$(find "$machine/contact" -mmin "+$orphan_minutes")" ]; then
		end
	fi
done
