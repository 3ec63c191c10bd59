#!/bin/sh
# What a replica does with itself. "boot.sh install" prepares and starts the agent and, beside it, "boot.sh run", which
# fetches image and weights and keeps the engine running. The script that wrote this file has put settings.sh, arguments.sh,
# ca.pem, token, machine.sh and agent.py beside it.
# shellcheck source=/dev/null
. "${0%/*}/machine.sh"
image=${image:-} model_cache=${model_cache:-}

# Seconds: for an image, for weights, for any other call of docker; between tries.
TUNA_PULL_LIMIT=${TUNA_PULL_LIMIT:-900} TUNA_SYNC_LIMIT=${TUNA_SYNC_LIMIT:-1800} TUNA_DOCKER_LIMIT=${TUNA_DOCKER_LIMIT:-120}
TUNA_PAUSES=${TUNA_PAUSES:-5 15 30 0}

fail() {
	trap - EXIT
	phase failed "$@"
	exit 1
}

# It may hang; nothing here waits for it for ever.
docker() {
	timeout -k 10 "$TUNA_DOCKER_LIMIT" docker "$@"
}

# Of what a command said, as much as a person would read.
last_words() {
	printf '%s' "$1" | tail -n 1 | cut -c 1-300
}

install() {
	prepare replica
	if has_systemd; then
		agent_unit
		unit replica "/bin/sh $TUNA_DIR/boot.sh run" Restart=no KillMode=process
		start_units tuna-agent tuna-replica
	else
		agent >"$TUNA_DIR/agent.log" 2>&1 &
		echo $! >"$TUNA_RUN/agent.pid"
		sh "$TUNA_DIR/boot.sh" run >"$TUNA_DIR/boot.log" 2>&1 &
		echo $! >"$TUNA_RUN/boot.pid"
	fi
	trap - EXIT
}

# Docker keeps its images on the instance's own disk, which is large and quick, unless the image is there already.
use_store() {
	file=$TUNA_ROOT/etc/docker/daemon.json
	mkdir -p "${file%/*}" "$store/docker"
	python3 - "$file" "$store/docker" <<-'END' || return 1
		import json, os, sys
		file, root = sys.argv[1:]
		settings = json.load(open(file)) if os.path.exists(file) and os.path.getsize(file) else {}
		settings["data-root"] = root
		settings.setdefault("features", {})["containerd-snapshotter"] = False
		with open(file, "w") as out:
		    json.dump(settings, out)
	END
	timeout -k 10 "$TUNA_DOCKER_LIMIT" systemctl restart docker
}

# Weights that are there already need not come from the hub; what is missing does. Leaves a word about what went wrong.
fetch_weights() {
	[ -n "$model_cache" ] || return 0
	code=0
	why=$(timeout -k 10 "$TUNA_SYNC_LIMIT" aws s3 sync --only-show-errors "$model_cache" "$cache/hub" 2>&1) || code=$?
	case $code in
	0) return 0 ;;
	124 | 137) why="it takes longer than $TUNA_SYNC_LIMIT s" ;;
	esac
	say "the model cache $model_cache cannot be read: $why"
	printf '; not from %s: %s' "$model_cache" "$(last_words "$why")" >"$TUNA_RUN/cache"
}

# Right after the boot it may not be there yet.
docker_is_up() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
		why=$(timeout -k 5 10 docker info 2>&1) && return 0
		sleep "${TUNA_WAIT:-5}"
	done
	return 1
}

pull() {
	for pause in $TUNA_PAUSES; do
		code=0
		why=$(timeout -k 10 "$TUNA_PULL_LIMIT" docker pull -q "$image" 2>&1 >/dev/null) || code=$?
		case $code in
		0) return 0 ;;
		124 | 137) why="it takes longer than $TUNA_PULL_LIMIT s" ;;
		esac
		phase image "fetching $image again: $(last_words "$why")"
		sleep "$pause"
	done
	return 1
}

# Whether the engine has said so since it was started last.
started() {
	docker logs --since "$since" --tail 400 tuna-engine 2>&1 | grep -q "$1"
}

ended() {
	trap - EXIT
	say "the engine ended for good; see: docker logs tuna-engine"
	printf 'failed the engine ended: %s\n' "$last" >"$TUNA_RUN/phase"
	exit 1
}

# Follows the engine for as long as it runs.
follow() {
	word=weights served='' restarts=0
	while sleep "${TUNA_POLL:-2}"; do
		state=$(docker inspect -f '{{.State.Status}} {{.State.StartedAt}}' tuna-engine 2>/dev/null) || {
			docker info >/dev/null 2>&1 || continue # it may come back
			state=gone
		}
		since=${state#* }
		case ${state%% *} in
		running)
			if [ $word = weights ] && started 'Loading weights took\|Model loading took'; then
				word=engine
				phase engine starting
			fi
			if [ -z "$served" ] && started 'Application startup complete'; then
				served=yes
			fi
			;;
		created | restarting) ;;
		*)
			# Whole lines, and for the agent alone, which takes keys out of them.
			last=$(docker logs --since "$since" --tail 8 tuna-engine 2>&1 | tr '\n' ' ') || :
			restarts=$((restarts + 1))
			if [ -z "$served" ] || [ $restarts -gt 3 ]; then ended; fi
			say "the engine ended and is started again"
			word=weights served=''
			phase weights the engine ended and is started again
			docker start tuna-engine >/dev/null || ended
			;;
		esac
	done
}

run() {
	mkdir -p "$TUNA_RUN"
	trap 'fail "the boot script ended"' EXIT
	phase booted
	guard &
	echo $! >"$TUNA_RUN/guard.pid"
	docker_is_up || fail "docker does not run: $(last_words "$why")"
	store=${TUNA_STORE:-/opt/dlami/nvme}
	if ! mountpoint -q "$store" 2>/dev/null; then
		store= # a mere directory is on the root volume, like everything else
	elif ! docker image inspect "$image" >/dev/null 2>&1; then
		phase image moving docker to the instance store
		use_store || fail "docker does not start with its images on $store"
	fi
	cache=${store:-$TUNA_DIR}/cache
	mkdir -p "$cache/hub" "$cache/vllm"
	phase image fetching "$image"
	rm -f "$TUNA_RUN/cache"
	fetch_weights &
	weights=$!
	docker image inspect "$image" >/dev/null 2>&1 || pull || fail "cannot pull $image: $(last_words "$why")"
	phase image waiting for the controller to bring the keys
	while [ ! -f "$TUNA_RUN/engine.env" ]; do
		sleep 1
	done
	phase weights fetching and loading
	wait "$weights" || :
	if [ -f "$TUNA_RUN/cache" ]; then
		phase weights "fetching and loading$(cat "$TUNA_RUN/cache")"
	fi
	# shellcheck source=/dev/null
	. "$TUNA_DIR/arguments.sh"
	docker rm -f tuna-engine >/dev/null 2>&1 || :
	code=0
	why=$(docker run -d --name tuna-engine --gpus all --ipc=host -p "127.0.0.1:$TUNA_ENGINE_PORT:8000" \
		--env-file "$TUNA_RUN/engine.env" -v "$cache:/root/.cache/huggingface" -v "$cache/vllm:/root/.cache/vllm" \
		--log-opt max-size=20m --entrypoint vllm "$image" serve "$@" 2>&1) || code=$?
	[ $code = 0 ] || fail "docker does not start the engine: $(last_words "$why")"
	follow
}

case ${1:-} in
install | run) "$1" ;;
*) say "boot.sh install | run" && exit 2 ;;
esac
