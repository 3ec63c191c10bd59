#!/bin/sh
# The local cloud takes a replica back, as clouds do with spot machines. How many seconds before it says so: preempt.sh [SECONDS]
set -eu
cloud=${TUNA_LOCAL_CLOUD:-http://127.0.0.1:7077}
notice=${1:-20}
replica=$(curl -sSf "$cloud/v1/replicas" | tr ',{' '\n\n' | awk -F'"' '/"id":/ { id = $4 } /"endedAt":null/ { print id; exit }')
[ -n "$replica" ] || { echo "no replica runs at $cloud" >&2; exit 1; }
curl -sSf -o /dev/null -H 'Content-Type: application/json' \
  -d "{\"action\":\"INTERRUPT\",\"target\":\"$replica\",\"value\":\"PT${notice}S\"}" "$cloud/v1/script"
echo "$replica will be taken in $notice s"
