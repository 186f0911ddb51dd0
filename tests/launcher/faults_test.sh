#!/usr/bin/env bash
# faults_test.sh CONVOY LEAVES_EARLY: one rank of a job fails, in every way there is; the job ends by
# itself, says which rank it was and why, and leaves a checkpoint to go on from.
set -euo pipefail
convoy=$(readlink -f "$1") leaves_early=$(readlink -f "$2")
support=$(readlink -f "${0%/*}/../support")
# shellcheck source=tests/launcher/job.sh
. "${0%/*}/job.sh"

make_data data 3200 320
endless=(--data data --model lenet5 --epochs 100000 --plots none --checkpoint-every 20)
by_mpirun=("${mpi[@]}" -n 2 "$convoy" train "${endless[@]}")
by_convoy=("$convoy" train -n 2 "${endless[@]}")

# The job has failed with the exit code, its last screen names the rank and has the words, nothing
# of it is left in memory, and its newest checkpoint is good to go on from.
check_end() { # NAME RUN CODE RANK WORDS...
  local name=$1 run=$2 code=$3 culprit=$4 word
  shift 4
  finish
  [[ $status =~ ^($code)$ ]] || fail "$name: exit code $status instead of $code"
  tail -n 24 out > screen
  grep -qE "rank $culprit( |:)" screen || fail "$name: rank $culprit is not named"
  for word in "$@"; do
    grep -qF -- "$word" screen || fail "$name: '$word' is missing"
  done
  ! compgen -G "$memory" || fail "$name: this is left in /dev/shm"
  resume "$name" "$run"
  echo "$name: ended after $took s with exit code $status"
}

resume() { # NAME RUN: a few steps
  local step
  step=$(find "$2/checkpoints" -maxdepth 1 -name 'step-*' -printf '%f\n' | sort | tail -n 1)
  step=$((10#${step#step-} + 3))
  "$convoy" train --resume "$2" --max-steps $step > out 2>&1 || fail "$1: it cannot be resumed"
  [ -s "$2/final/model.safetensors" ] || fail "$1: resumed without a result"
}

# A signal to a rank in the middle of training.
hit() { # NAME SIGNAL RANK CODE WORDS... -- COMMAND...
  local name=$1 signal=$2 target=$3 code=$4 words=()
  shift 4
  while [ "$1" != -- ]; do
    words+=("$1")
    shift
  done
  shift
  rm -rf run
  start "$@" --run-dir run
  await 'run/checkpoints/step-*/manifest.json'
  memory=$(shared_memory)
  kill "-$signal" "$(rank "$target")"
  check_end "$name" run "$code" "$target" "${words[@]}"
}

hit 'kill -9 of rank 1 (mpirun)' KILL 1 137 'signal 9' -- "${by_mpirun[@]}"
hit 'kill -9 of rank 0 (mpirun)' KILL 0 137 'signal 9' -- "${by_mpirun[@]}"
hit 'stopped rank 1 (mpirun)' STOP 1 1 'has waited 2 s' -- "${by_mpirun[@]}" --timeout 2
# convoy itself knows the last checkpoint, and how to go on.
left=('last checkpoint: ' '--resume')
hit 'kill -9 of rank 1' KILL 1 1 'was killed (signal 9)' "${left[@]}" -- "${by_convoy[@]}"
hit 'segmentation fault' SEGV 1 1 'signal 11' "${left[@]}" -- "${by_convoy[@]}"
hit 'abort' ABRT 0 1 'signal 6' "${left[@]}" -- "${by_convoy[@]}"
hit 'stopped rank 0' STOP 0 1 'has waited 2 s' "${left[@]}" -- "${by_convoy[@]}" --timeout 2

# A rank that leaves before the first step.
for method in exit finalize; do
  start "${mpi[@]}" -n 1 "$convoy" train "${endless[@]}" --timeout 2 --run-dir early : \
    -n 1 "$leaves_early" $method
  finish
  [ $status != 0 ] || fail "a rank that leaves by $method is nothing to worry about"
  said 'rank 1'
  echo "left by $method: ended after $took s with exit code $status"
done

# One rank cannot read the data.
start "${mpi[@]}" -n 1 "$convoy" train "${endless[@]}" --run-dir blind : \
  -n 1 "$convoy" train "${endless[@]}" --data nowhere --run-dir blind
finish
[ $status = 1 ] || fail "exit code $status where one rank has no data"
said 'rank 1 (' nowhere
echo "no data on one rank: ended after $took s with exit code $status"

# Weights grow a millionfold in each step.
start "${by_mpirun[@]}" --run-dir nan --optimizer sgd --lr 1000 --weight-decay 1000
finish
[ $status = 1 ] || fail "exit code $status where the loss is not a number"
said 'is not a number at epoch 1, step' '--lr'
echo "not a number: ended after $took s with exit code $status"

# The disk fills up while training.
if mkdir full && mount -t tmpfs -o size=16m none full 2> /dev/null; then
  start "${by_convoy[@]}" --run-dir full/run
  await 'full/run/checkpoints/step-*/manifest.json'
  memory=$(shared_memory)
  head -c 16m /dev/zero > full/filler 2> /dev/null || true
  finish
  [ $status = 1 ] || fail "exit code $status on a full disk"
  said 'No space left on device'
  rm full/filler
  resume 'full disk' full/run
  echo "full disk: ended after $took s with exit code $status"
  umount full
else
  echo "(a small file system cannot be mounted here: the full disk is not tried)"
fi
echo "all as expected"
