#!/usr/bin/env bash
# launch_test.sh CONVOY: `convoy train -n N`, which starts mpirun: what it starts, what becomes of
# signals, and what stands on the screen last. Real processes and real signals.
set -euo pipefail
convoy=$(readlink -f "$1")
support=$(dirname "$(dirname "$(readlink -f "$0")")")/support
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export OMP_NUM_THREADS=1 CONVOY_DATA_DIR=$dir/nowhere
# shellcheck source=tests/support/sanitizers.sh
. "$support/sanitizers.sh"

fail() {
  echo "FAILED: $*"
  exit 1
}

train=("$convoy" train --dataset synthetic --model lenet5 --plots none)

# The command, and nothing else, on stdout; inside of a job -n must fit.
"${train[@]}" -n 2 --seed 5 --dry-run > dry 2> /dev/null
grep -qE "^/[^ ]*/mpirun .*-n 2 .*$convoy train .*--seed 5\$" dry || fail "--dry-run: $(cat dry)"
OMPI_COMM_WORLD_SIZE=3 "${train[@]}" -n 2 > out 2>&1 && fail "2 ranks inside of 3"
grep -q "already one of 3 ranks" out || fail "$(cat out)"

# Four ranks, one result on stdout, and as good as one process without mpirun.
"${train[@]}" -n 4 --reproducible --max-steps 10 --run-dir four --json > four.json 2> four.err ||
  fail "-n 4: $(cat four.err)"
[ "$(wc -l < four.json)" = 1 ] || fail "--json of four ranks: $(cat four.json)"
grep -q '"world_size":4' four.json || fail "world size: $(cat four.json)"
CONVOY_MPIRUN=/nonexistent "${train[@]}" -n 4 --reproducible --max-steps 10 --run-dir one > out 2>&1
grep -q "/nonexistent.*trains in this one process" out || fail "missing mpirun: $(cat out)"
cmp four/final/model.safetensors one/final/model.safetensors || fail "one process is another model"

# Starts a long run: $job is convoy's pid, $mpirun mpirun's, $ranks those of its ranks.
start() { # RUN_DIR
  "${train[@]}" -n 2 --quiet --epochs 10000 --run-dir "$1" > out 2>&1 &
  job=$!
  for _ in $(seq 600); do
    [ ! -s "$1/metrics.jsonl" ] || break
    sleep 0.1
  done
  [ -s "$1/metrics.jsonl" ] || fail "no first epoch: $(cat out)"
  mpirun=$(pgrep -P "$job")
  mapfile -t ranks < <(pgrep -P "$mpirun")
  [ ${#ranks[@]} = 2 ] || fail "ranks of $mpirun: ${ranks[*]}"
}

ends_with() { # CODE WORDS: of the last run
  local status=0
  wait "$job" || status=$?
  [ "$status" = "$1" ] || fail "exit code $status instead of $1: $(cat out)"
  tail -n 4 out | grep -qF -- "$2" || fail "'$2' does not stand last: $(cat out)"
  if grep -qE '^-{60}' out; then fail "mpirun's remarks are shown: $(cat out)"; fi
}

# Each rank has cores of its own, where there are enough.
start cores
own() { grep Cpus_allowed: "/proc/$1/status"; }
if [ "$(nproc)" -gt 1 ] && [ "$(own "${ranks[0]}")" = "$(own "${ranks[1]}")" ]; then
  fail "both ranks use $(own "${ranks[0]}")"
fi

# Asked to stop, all stop with a checkpoint, whoever was asked.
kill -INT "$job"
ends_with 75 "--resume cores"
start term
kill -TERM "$job"
ends_with 75 "--resume term"
start mpirun
kill -USR1 "$mpirun"
ends_with 75 "--resume mpirun"
start rank
kill -TERM "${ranks[1]}"
ends_with 75 "--resume rank"

# A killed rank is named last, with what to do.
start killed
kill -KILL "${ranks[1]}"
ends_with 1 "go on with: convoy train -n 2 --resume killed"
grep -q "rank 1 (.*) was killed (signal 9)" out || fail "the first cause is not told: $(cat out)"

# Nothing lives on without the convoy that started it.
start orphaned
kill -KILL "$job"
wait "$job" 2> /dev/null || true
for pid in "$mpirun" "${ranks[@]}"; do
  for _ in $(seq 300); do
    kill -0 "$pid" 2> /dev/null || break
    sleep 0.1
  done
  if kill -0 "$pid" 2> /dev/null; then fail "$pid lives on"; fi
done
[ -z "$(find /tmp -maxdepth 2 -path "/tmp/ompi.*/pid.$mpirun" 2> /dev/null)" ] ||
  fail "mpirun's directory is left behind"
echo "all as expected"
