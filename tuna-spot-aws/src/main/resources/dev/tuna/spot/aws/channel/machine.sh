# shellcheck shell=sh
# What every machine does that an agent looks after, whatever else it is for. Its boot.sh begins with this.
set -eu
umask 077

TUNA_ROOT=${TUNA_ROOT:-}
TUNA_DIR=$TUNA_ROOT/var/lib/tuna
TUNA_RUN=$TUNA_ROOT/run/tuna
TUNA_SHUTDOWN=${TUNA_SHUTDOWN:-shutdown -h now}
TUNA_POWEROFF=${TUNA_POWEROFF:-poweroff -ff}
TUNA_ENGINE_PORT=${TUNA_ENGINE_PORT:-8000}
PATH=$PATH:/usr/local/bin
port='' orphan_timeout=''
# shellcheck source=/dev/null
. "$TUNA_DIR/settings.sh"

say() {
	echo "tuna: $*" >&2
}

# Tells the agent, and with it whoever controls the machine, how far things have come: one word, then more for people.
phase() {
	say "$@"
	printf '%s\n' "$*" >"$TUNA_RUN/phase.new"
	mv -f "$TUNA_RUN/phase.new" "$TUNA_RUN/phase"
}

# Ends the machine. If that fails, or has not done it in two minutes, without ado.
power_off() {
	say "ending this machine: $*"
	$TUNA_SHUTDOWN && sleep "${TUNA_OFF:-120}"
	$TUNA_POWEROFF || :
}

# Without an agent nobody can be told, and nobody would end the machine.
give_up() {
	trap - EXIT
	power_off "$@"
	exit 1
}

# "prepare KIND": what an installation begins with. Whoever calls it takes the trap away when the agent runs.
prepare() {
	trap 'give_up "its installation fails"' EXIT
	mkdir -p "$TUNA_RUN"
	for tool in python3 openssl; do
		command -v "$tool" >/dev/null || give_up "$tool is missing"
	done
	if [ ! -f "$TUNA_DIR/key.pem" ]; then
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=tuna-$1" \
			-keyout "$TUNA_DIR/key.pem" -out "$TUNA_DIR/self.pem" 2>/dev/null || give_up "openssl makes no key"
	fi
	cat >"$TUNA_DIR/agent.env" <<-END
		TUNA_DIR=$TUNA_DIR
		TUNA_RUN=$TUNA_RUN
		TUNA_PORT=${TUNA_PORT:-$port}
		TUNA_ENGINE_PORT=$TUNA_ENGINE_PORT
		TUNA_ORPHAN_TIMEOUT=$orphan_timeout
	END
	: >"$TUNA_RUN/alive"
}

has_systemd() {
	[ -d "$TUNA_ROOT/run/systemd/system" ]
}

# "unit NAME COMMAND OPTION..."
unit() {
	what=$1 start=$2
	shift 2
	cat >"$TUNA_ROOT/etc/systemd/system/tuna-$what.service" <<-END
		[Unit]
		Description=Tuna $what
		Wants=network-online.target
		After=network-online.target
		StartLimitIntervalSec=0
		[Service]
		EnvironmentFile=$TUNA_DIR/agent.env
		RuntimeDirectory=tuna
		RuntimeDirectoryMode=0700
		RuntimeDirectoryPreserve=yes
		ExecStart=$start
		$(printf '%s\n' "$@")
		[Install]
		WantedBy=multi-user.target
	END
}

# "agent_unit OPTION..."
agent_unit() {
	unit agent "/usr/bin/env python3 $TUNA_DIR/agent.py" Restart=always RestartSec=1 LimitNOFILE=65536 \
		OOMScoreAdjust=-900 Nice=-5 "$@"
}

# "start_units NAME...": now, and at every boot.
start_units() {
	systemctl daemon-reload
	systemctl enable -q "$@"
	systemctl start --no-block "$@"
}

# What runs where there is no systemd.
agent() {
	set -a
	# shellcheck source=/dev/null
	. "$TUNA_DIR/agent.env"
	set +a
	exec python3 "$TUNA_DIR/agent.py"
}

# Should the agent be gone for good, the machine ends all the same, unless it is a router's that looks after something.
guard() {
	: >"$TUNA_RUN/alive"
	minutes=$((orphan_timeout / 60 + 2)) bad=0
	while sleep "${TUNA_GUARD:-30}" && [ -d "$TUNA_RUN" ]; do
		if [ -e "$TUNA_DIR/needed" ] || [ -n "$(find "$TUNA_RUN/alive" -mmin "-$minutes")" ]; then
			bad=0
		elif [ $bad = 0 ]; then
			bad=1 # once may be the clock, set right after the boot
		else
			power_off "the agent does not run"
		fi
	done
}
