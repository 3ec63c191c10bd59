#!/bin/sh
# What a router's machine does with itself. "boot.sh install" prepares it once. What runs from then on, after a reboot too,
# is started by systemd, or else by "boot.sh start": the agent, which is the host's way in; "boot.sh guard"; and "boot.sh
# run", which fetches the jar and keeps the router running. The script that wrote this file has put settings.sh, ca.pem,
# token, machine.sh and agent.py beside it.
# shellcheck source=/dev/null
. "${0%/*}/machine.sh"
name=${name:-} client_port=${client_port:-} jar_url=${jar_url:-} jar_sha256=${jar_sha256:-}

# For good: systemd does not start it again after this status.
fail() {
	trap - EXIT
	phase failed "$@"
	exit 3
}

install() {
	prepare router-vm
	if has_systemd; then
		restore="ExecStartPre=/bin/sh $TUNA_DIR/boot.sh restore"
		agent_unit "$restore"
		unit guard "/bin/sh $TUNA_DIR/boot.sh guard" Restart=always RestartSec=1 LimitNOFILE=65536
		unit router "/bin/sh $TUNA_DIR/boot.sh run" Restart=always RestartSec=1 LimitNOFILE=65536 "$restore" \
			RestartPreventExitStatus=3 TimeoutStopSec=30
		start_units tuna-agent tuna-guard tuna-router
	else
		start
	fi
	trap - EXIT
}

# What systemd does where there is one.
start() {
	restore
	for what in agent guard run; do
		sh "$TUNA_DIR/boot.sh" "$what" >>"$TUNA_DIR/$what.log" 2>&1 &
		echo $! >"$TUNA_RUN/$what.pid"
	done
}

keep_agent() {
	while :; do
		(agent) || say "the agent ended and is started again"
		sleep 1
	done
}

# A reboot empties /run. What was brought once is on the encrypted disk, so that nobody need bring it again.
restore() {
	mkdir -p "$TUNA_RUN"
	if [ -f "$TUNA_DIR/environment" ] && [ ! -f "$TUNA_RUN/engine.env" ]; then
		cp "$TUNA_DIR/environment" "$TUNA_RUN/engine.env.new"
		mv -f "$TUNA_RUN/engine.env.new" "$TUNA_RUN/engine.env"
	fi
}

keep() {
	if ! cmp -s "$TUNA_RUN/engine.env" "$TUNA_DIR/environment"; then
		cp "$TUNA_RUN/engine.env" "$TUNA_DIR/environment.new"
		mv -f "$TUNA_DIR/environment.new" "$TUNA_DIR/environment"
	fi
}

java_is_there() {
	java -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])'
}

install_java() {
	for pause in 5 15 30 60 0; do
		if java_is_there; then return; fi
		phase image installing java
		dnf install -y -q java-17-amazon-corretto-headless >/dev/null 2>&1 || sleep $pause
	done
	java_is_there || fail "java 17 is not there, and dnf does not install it"
}

# The URL may be one for which nobody else is meant, so it is on no command line.
download() {
	TUNA_URL=$jar_url python3 - "$1" 2>"$TUNA_RUN/download" <<-'END'
		import os, shutil, sys, urllib.request
		try:
		    with urllib.request.urlopen(os.environ["TUNA_URL"], timeout=30) as source, open(sys.argv[1], "wb") as file:
		        shutil.copyfileobj(source, file)
		except (OSError, ValueError) as e:
		    sys.exit("%s" % e)
	END
}

fetch() {
	[ ! -f "$TUNA_DIR/tuna.jar" ] || return 0 # after an upgrade it is another one
	phase image fetching the jar
	for pause in 1 3 10 20 40 0; do
		if download "$TUNA_DIR/fetched.jar"; then
			sum=$(sha256sum "$TUNA_DIR/fetched.jar")
			if [ "${sum%% *}" = "$jar_sha256" ]; then
				mv -f "$TUNA_DIR/fetched.jar" "$TUNA_DIR/tuna.jar"
				return
			fi
			# Once may be a connection that was cut.
			[ $pause = 1 ] || fail "the jar at ${jar_url%%\?*} has the checksum ${sum%% *} and not $jar_sha256"
		fi
		sleep $pause
	done
	fail "the jar at ${jar_url%%\?*} cannot be fetched: $(cat "$TUNA_RUN/download")"
}

# The address by which clients know this machine.
address() {
	python3 - "${TUNA_METADATA:-http://169.254.169.254}" <<-'END'
		import sys, urllib.error, urllib.request
		opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		def ask(method, where, **headers):
		    request = urllib.request.Request(sys.argv[1] + "/latest/" + where, method=method,
		        headers={"X-aws-ec2-metadata-token" + name: value for name, value in headers.items()})
		    return opener.open(request, timeout=5).read().decode()
		token = ask("PUT", "api/token", **{"-ttl-seconds": "60"})
		try:
		    print(ask("GET", "meta-data/public-ipv4", **{"": token}))
		except urllib.error.HTTPError:
		    print(ask("GET", "meta-data/local-ipv4", **{"": token}))
	END
}

given() {
	sed -n "s/^$1=//p" "$TUNA_RUN/engine.env"
}

# What clients are shown: what was brought, or else a certificate of its own, which stays the same.
listener() {
	cert=$TUNA_DIR/listener.pem key=$TUNA_DIR/listener.key
	if [ -n "$(given TUNA_LISTENER_CERT_BASE64)" ]; then
		given TUNA_LISTENER_CERT_BASE64 | base64 -d >"$cert.new" || fail "the listener's certificate is not Base64"
		given TUNA_LISTENER_KEY_BASE64 | base64 -d >"$key.new" || fail "the listener's key is not Base64"
	elif [ ! -f "$cert" ]; then
		ip=$(address) || fail "the metadata service does not tell this machine's address"
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$name.router.tuna" \
			-addext "subjectAltName=DNS:$name.router.tuna,IP:$ip" \
			-keyout "$key.new" -out "$cert.new" 2>/dev/null || fail "openssl makes no certificate for the listener"
	else
		return 0
	fi
	mv -f "$key.new" "$key"
	mv -f "$cert.new" "$cert"
}

# Becomes the router. What was brought is in its environment and on no command line.
program() {
	while IFS= read -r line; do
		# shellcheck disable=SC2163
		export "$line"
	done <"$TUNA_RUN/engine.env"
	unset TUNA_LISTENER_CERT_BASE64 TUNA_LISTENER_KEY_BASE64
	export TUNA_DIR TUNA_RUN TUNA_ENGINE_PORT TUNA_LISTENER_CERT="$cert" TUNA_LISTENER_KEY="$key"
	export TUNA_LISTENER_PORT="$client_port"
	if ip=$(address 2>/dev/null); then
		export TUNA_PUBLIC_HOST="$ip" # anew at every start: it is another one after a stop
	fi
	# shellcheck disable=SC2086
	exec java ${JAVA_OPTS:--XX:MaxRAMPercentage=40 -XX:+ExitOnOutOfMemoryError} \
		-cp "$TUNA_DIR/tuna.jar" dev.tuna.core.vm.RouterVmMain
}

begin() {
	keep
	listener
	rm -f "$TUNA_RUN/failure"
	program &
	pid=$! since=$(date +%s)
	echo $pid >"$TUNA_RUN/program.pid"
}

# One that is asked for by the running router is started beside it, which then finishes what it has and ends by itself.
upgrade() {
	if [ -f "$TUNA_DIR/next.jar" ]; then
		ln -f "$TUNA_DIR/tuna.jar" "$TUNA_DIR/before.jar"
		mv -f "$TUNA_DIR/next.jar" "$TUNA_DIR/tuna.jar"
	fi
	rm -f "$TUNA_RUN/next"
	say "another router is started; the one before ends when it has finished"
	quick=0
	begin
	phase engine starting
}

ended() {
	status=0
	wait "$pid" || status=$?
	why="the router ended with status $status"
	[ ! -s "$TUNA_RUN/failure" ] || why="$why: $(head -c 400 "$TUNA_RUN/failure" | tr '\n' ' ')"
	quick=$((quick + 1))
	if [ $quick -ge 3 ] && [ -f "$TUNA_DIR/before.jar" ]; then
		mv -f "$TUNA_DIR/before.jar" "$TUNA_DIR/tuna.jar"
		phase engine "$why, and the upgrade is taken back"
		quick=0
	elif [ $quick -ge 5 ]; then
		phase failed "$why, again and again"
		sleep 9
	else
		phase engine "$why and is started again"
	fi
	sleep 1
	begin
}

# Once it serves, what happens later is no fault of the upgrade; until then it may be waiting for the one before.
settled() {
	if [ ! -e "$TUNA_RUN/serving" ] && [ -f "$TUNA_DIR/before.jar" ]; then return; fi
	if [ $(($(date +%s) - since)) -gt 10 ]; then
		quick=0
		rm -f "$TUNA_DIR/before.jar"
		phase engine starting
	fi
}

run() {
	trap 'phase failed "the boot script ended"' EXIT
	phase booted
	rm -f "$TUNA_RUN/next"
	install_java
	fetch
	phase image waiting for the host to bring the environment
	while [ ! -f "$TUNA_RUN/engine.env" ]; do
		sleep "${TUNA_POLL:-1}"
	done
	quick=0
	begin
	phase engine starting
	while sleep "${TUNA_POLL:-1}"; do
		if [ -e "$TUNA_RUN/next" ]; then
			upgrade
		elif ! kill -0 "$pid" 2>/dev/null; then
			ended
		elif [ $quick -gt 0 ] || [ -f "$TUNA_DIR/before.jar" ]; then
			settled
		fi
	done
}

case ${1:-} in
agent) keep_agent ;;
install | start | guard | restore | run) "$1" ;;
*) say "boot.sh install | start | agent | guard | restore | run" && exit 2 ;;
esac
