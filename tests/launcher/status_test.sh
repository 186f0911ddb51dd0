#!/usr/bin/env bash
# status_test.sh CONVOY: what people type around the coordinator: a real one is started, asked and
# ended, and runs with a coordinator of their own are looked at while they train, after they were
# stopped, killed and trained to the end.
set -euo pipefail
# shellcheck source=tests/launcher/expect.sh
. "${0%/*}/expect.sh"
convoy=$(readlink -f "$1")
dir=$(mktemp -d)
pids=()
trap 'kill -KILL "${pids[@]}" 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
export OMP_NUM_THREADS=1 CONVOY_DATA_DIR=$dir/nowhere XDG_STATE_HOME=$dir/state-home LC_ALL=C.UTF-8
unset CONVOY_COORDINATOR_TOKEN

await() { # COMMAND...: until it succeeds
  local i
  for ((i = 0; i < 600; ++i)); do
    ! "$@" > /dev/null 2>&1 || return 0
    sleep 0.1
  done
  fail "after a minute still not: $*"
}

# --- A coordinator for many.
"$convoy" coordinator --listen 127.0.0.1:0 --http none --state-dir deep/state --json \
  > where.json 2> coordinator.log &
coordinator=$!
pids+=("$coordinator")
await test -s where.json
[ "$(wc -l < where.json)" = 1 ] || fail "--json printed more than a line"
address=$(sed -nE 's/.*"address":"([^"]+)".*/\1/p' where.json)
[ "$(stat -c %a deep/state)" = 700 ] || fail "the state directory is open to others"
here=(--coordinator "$address")
expect 0 'no runs' -- "$convoy" status "${here[@]}"
expect 0 '{"runs":[]}' -- "$convoy" status "${here[@]}" --json
expect 1 'no-such-run' -- "$convoy" status no-such-run "${here[@]}"
expect 1 'name the run' -- "$convoy" stop "${here[@]}"
expect 0 -- "$convoy" coordinator log-level debug "${here[@]}"
expect 1 'deep/state' -- "$convoy" coordinator --listen 127.0.0.1:0 --http none --state-dir deep/state
expect 1 "$address" -- "$convoy" coordinator --listen "$address" --http none --state-dir other
chmod 755 other
expect 1 "$address" -- "$convoy" coordinator --listen "$address" --http none --state-dir other
[ "$(stat -c %a other)" = 700 ] || fail "the state directory stays open to others"
kill "$coordinator"
status=0
wait "$coordinator" || status=$?
[ "$status" = 0 ] || fail "the coordinator ends with $status on SIGTERM: $(cat coordinator.log)"
grep -q 'ending: TERM' coordinator.log || fail "its log does not tell: $(cat coordinator.log)"
expect 1 "$address" -- "$convoy" status "${here[@]}"

# What would be open to everybody is refused before anything listens.
expect 1 '--token-file' -- "$convoy" coordinator --listen 0.0.0.0:0 --http none --state-dir open
expect 1 '--token-file' -- "$convoy" coordinator --listen 127.0.0.1:0 --http 0.0.0.0:0 --state-dir open
[ ! -e open ] || fail "a refused coordinator leaves its state directory"
expect 1 'belong together' -- "$convoy" coordinator --state-dir open --tls-cert x
echo secret > token
chmod 644 token
expect 1 'chmod 600' -- "$convoy" coordinator --state-dir open --token-file token
export CONVOY_COORDINATOR_TOKEN=short
expect 1 'CONVOY_COORDINATOR_TOKEN' -- "$convoy" coordinator --state-dir open
export CONVOY_COORDINATOR_TOKEN=0123456789abcdef0123456789abcdef
"$convoy" coordinator --listen 0.0.0.0:0 --http none --state-dir open --json > open.json 2> open.log &
coordinator=$!
pids+=("$coordinator")
await test -s open.json
grep -q 'without TLS' open.log || fail "nobody warns of a token without TLS: $(cat open.log)"
! grep -q "$CONVOY_COORDINATOR_TOKEN" open.log open.json || fail "the token is written down"
here=(--coordinator "127.0.0.1:$(sed -nE 's/.*"address":"[^"]*:([0-9]+)".*/\1/p' open.json)")
expect 0 'no runs' -- "$convoy" status "${here[@]}"
CONVOY_COORDINATOR_TOKEN=fedcba9876543210fedcba9876543210 expect 1 -- "$convoy" status "${here[@]}"
unset CONVOY_COORDINATOR_TOKEN
expect 1 -- "$convoy" status "${here[@]}"
kill -INT "$coordinator"
wait "$coordinator" || fail "the coordinator fails on SIGINT"

# --- Runs with a coordinator of their own.
expect 1 'no run on this machine' -- "$convoy" status
small=(--dataset synthetic --model lenet5 --plots none --quiet)
"$convoy" train "${small[@]}" --epochs 1000 --run-dir first > train.log 2>&1 &
train=$!
pids+=("$train")
await grep -q '"address"' first/coordinator.json
stepped() { "$convoy" status --json | grep -qE '"step":"[1-9]'; }
await stepped
expect 0 'running' 'lenet5 on synthetic' 'of 1,000' 'images/s' '1 of 1 alive' -- "$convoy" status
expect 0 'alive' "$train" -- "$convoy" status first --ranks
expect 0 'running' '/1000' -- "$convoy" status --all
finished() { "$convoy" status --json | grep -qE '"last_epoch":\{"epoch":"[2-9]'; }
await finished
expect 0 'train accuracy' 'test loss' ' to ' -- "$convoy" status --history
! grep -q $'\e' out || fail "escape sequences go into a file"
timeout 3 "$convoy" status --watch --json --interval 0.2 > watched || true
[ "$(wc -l < watched)" -ge 2 ] || fail "--watch --json says little: $(cat watched)"
[ "$(grep -vc '^{"source":"coordinator"' watched)" = 0 ] || fail "a line is no object"

# Ctrl-C ends a watch, with the terminal as it was, and nothing else.
if command -v script > /dev/null; then
  (sleep 2; printf '\003') | TERM=xterm script -qec "$convoy status --watch" typescript > /dev/null || true
  grep -qF $'\e[?1049h' typescript || fail "a terminal is not redrawn in place: $(cat -v typescript)"
  sed '0,/\x1b\[?1049l/d' typescript | grep -q 'images/s' || fail "the last words are not left"
fi
kill -0 "$train" || fail "the end of watching ends the run"

# Stopped, it is told by its database, and how to go on.
"$convoy" status --watch --interval 0.2 > watched &
watch=$!
pids+=("$watch")
expect 0 'stops soon' 'has stopped after step' 'convoy train --resume' -- \
  "$convoy" stop --reason 'enough of it' --wait
status=0
wait "$watch" || status=$?
[ "$status" = 75 ] || fail "watching a run that is stopped ends with $status: $(tail -n 20 watched)"
status=0
wait "$train" || status=$?
[ "$status" = 75 ] || fail "a stopped run ends with $status: $(cat train.log)"
expect 0 'stopped' 'enough of it' 'convoy train --resume' -- "$convoy" status
expect 0 'has stopped' -- "$convoy" stop
expect 75 'stopped' -- "$convoy" status --watch
expect 0 '"source":"database"' -- "$convoy" status first --json

# Killed, it is said to be gone, and lost in the end.
"$convoy" train "${small[@]}" --epochs 1000 --run-dir second > train.log 2>&1 &
train=$!
pids+=("$train")
await grep -q '"address"' second/coordinator.json
await stepped
kill -KILL "$train"
wait "$train" 2> /dev/null || true
expect 0 "process $train is gone" -- "$convoy" status
expect 1 'lost' -- "$convoy" status --watch
expect 1 -- "$convoy" stop

# Trained to the end.
expect 0 -- "$convoy" train "${small[@]}" --epochs 1 --run-dir third
expect 0 'succeeded' '100 %' -- "$convoy" status third
expect 0 'succeeded' 'stopped' 'lost' -- "$convoy" status --all
expect 0 'succeeded' -- "$convoy" status --watch third
expect 0 'trained to its end' -- "$convoy" stop third
echo "all as expected"
