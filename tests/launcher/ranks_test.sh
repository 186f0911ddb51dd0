#!/usr/bin/env bash
# ranks_test.sh CONVOY: the program as the ranks of somebody's own mpirun: one result, one voice,
# one end, whatever happens to one of them. Real processes and real signals.
set -euo pipefail
# shellcheck source=tests/launcher/expect.sh
. "${0%/*}/expect.sh"
convoy=$(readlink -f "$1")
with_mpi=$(dirname "$(dirname "$(readlink -f "$0")")")/support/with-mpi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export OMP_NUM_THREADS=1 CONVOY_DATA_DIR=$dir/nowhere

train=("$convoy" train --dataset synthetic --model lenet5 --plots none --quiet)

# Two ranks and one voice; as good as one rank.
"$with_mpi" 2 "${train[@]}" --max-steps 20 --reproducible --run-dir two --json > two.json 2> two.err
[ "$(wc -l < two.json)" = 1 ] || fail "--json of two ranks: $(cat two.json)"
grep -q '"world_size":2' two.json || fail "world size: $(cat two.json)"
"${train[@]}" --max-steps 20 --reproducible --run-dir one 2> one.err
cmp one/final/model.safetensors two/final/model.safetensors || fail "two ranks give another model"
"$with_mpi" 3 "$convoy" evaluate two --json > three.json 2> /dev/null
"$convoy" evaluate two --json > alone.json 2> /dev/null
cmp alone.json three.json || fail "three ranks find $(cat three.json), one $(cat alone.json)"

# Another number of ranks goes on where two stopped.
"$with_mpi" 3 "${train[@]}" --max-steps 30 --resume two --json > on.json 2> on.err
grep -q '"steps":30' on.json || fail "resumed with three ranks: $(cat on.json on.err)"
"${train[@]}" --max-steps 30 --reproducible --run-dir straight 2> straight.err
cmp straight/final/model.safetensors two/final/model.safetensors ||
  fail "stopped and resumed, three ranks give another model"

# Only rank 0 needs to see the run; and a divided optimizer goes on from a whole one.
more=(--max-steps 40 --shard-optimizer)
"$with_mpi" 1 "${train[@]}" --resume two "${more[@]}" : \
  -n 1 --wdir / "${train[@]}" --resume two "${more[@]}" 2> on.err || fail "$(cat on.err)"
"${train[@]}" --resume straight --max-steps 40 2> straight.err
cmp straight/final/model.safetensors two/final/model.safetensors ||
  fail "resumed with a divided optimizer, two ranks give another model"

# A rank that fails names itself and ends the others; one that differs stops all.
expect 1 "rank 1" nowhere.safetensors -- \
  "$with_mpi" 1 "${train[@]}" --run-dir bad : -n 1 "${train[@]}" --init-from nowhere.safetensors
expect 3 "rank 1" seed -- \
  "$with_mpi" 1 "${train[@]}" --run-dir bad : -n 1 "${train[@]}" --seed 5
[ ! -e bad ] || fail "a job that never trained has made a run directory"

# What all ranks refuse before they have met is said once, and what one of them refuses is said too.
expect 2 "unknown option '--epoch'" -- "$with_mpi" 3 "$convoy" train --epoch 3
[ "$(grep -c 'unknown option' out)" = 1 ] || fail "usage is told by every rank: $(cat out)"
expect 2 "unknown option '--epoch'" -- \
  "$with_mpi" 1 "${train[@]}" --run-dir bad : -n 1 "${train[@]}" --epoch 3
[ "$("$with_mpi" 3 "$convoy" --version | wc -l)" = 1 ] || fail "every rank tells its version"

# Tasks that do not know of each other must not train one by one.
expect 1 "srun --mpi=pmix" -- env SLURM_STEP_NUM_TASKS=3 SLURM_PROCID=1 "${train[@]}"

# Starts a long run; $job is mpirun's pid, $ranks those of its ranks.
start() { # RUN_DIR
  "$with_mpi" 2 "${train[@]}" --epochs 10000 --run-dir "$1" > long.out 2>&1 &
  job=$!
  for _ in $(seq 600); do
    [ ! -s "$1/metrics.jsonl" ] || break
    sleep 0.1
  done
  [ -s "$1/metrics.jsonl" ] || fail "no first epoch: $(cat long.out)"
  mapfile -t ranks < <(pgrep -P "$job" -x convoy)
  [ ${#ranks[@]} = 2 ] || fail "ranks of $job: ${ranks[*]}"
}

ended() { # PID: waits for the end of a process that is no child of this shell
  for _ in $(seq 300); do
    kill -0 "$1" 2> /dev/null || return 0
    sleep 0.1
  done
  fail "process $1 goes on"
}

# A signal to any one rank stops all at the same step, with a checkpoint.
start stopped
kill -TERM "${ranks[1]}"
status=0
wait "$job" || status=$?
[ $status = 75 ] || fail "exit code $status after SIGTERM to rank 1: $(cat long.out)"
grep -q "go on with: convoy train -n 2 --resume stopped" long.out || fail "$(cat long.out)"

# A killed rank ends the job; whatever is killed, no shared memory stays behind.
start killed
mapfile -t files < <(grep -o '/dev/shm/vader_segment[^ ]*' "/proc/${ranks[0]}/maps" | sort -u)
kill -KILL "${ranks[1]}"
status=0
wait "$job" || status=$?
[ $status != 0 ] || fail "exit code 0 after SIGKILL to rank 1"
for file in "${files[@]}"; do
  [ ! -e "$file" ] || fail "$file is left behind"
done
start orphaned
mapfile -t files < <(grep -o '/dev/shm/vader_segment[^ ]*' "/proc/${ranks[0]}/maps" | sort -u)
[ ${#files[@]} = 2 ] || fail "Open MPI's shared memory is not where it was: ${files[*]}"
kill -KILL "$job"
wait "$job" 2> /dev/null || true
ended "${ranks[0]}"
ended "${ranks[1]}"
for file in "${files[@]}"; do
  [ ! -e "$file" ] || fail "$file is left behind"
done
