#!/usr/bin/env bash
# stop_test.sh CONVOY: a job is asked to stop, by every signal and at every one of its processes. All
# ranks stop at the same step with a checkpoint; resumed with another number of ranks, the run gives
# the same bytes as one that nobody stopped.
set -euo pipefail
convoy=$(readlink -f "$1")
support=$(readlink -f "${0%/*}/../support")
# shellcheck source=tests/launcher/job.sh
. "${0%/*}/job.sh"

make_data data 1610 64
options=(--data data --model lenet5 --epochs 30 --plots none --reproducible --checkpoint-every 30)
"$convoy" train "${options[@]}" --run-dir straight > out 2>&1 || fail "a plain run fails"

stop() { # SIGNAL TARGET CODE COMMAND...
  local signal=$1 target=$2 code=$3 pid run=run-$1-${2// /-}
  shift 3
  start "$@" "${options[@]}" --run-dir "$run"
  await "$run/checkpoints/step-*/manifest.json"
  case $target in
    'rank 0' | 'rank 1') pid=$(rank "${target#rank }") ;;
    mpirun) pid=$(mpirun_of "$job") ;;
    convoy) pid=$job ;;
  esac
  kill "-$signal" "$pid"
  finish
  [[ $status =~ ^($code)$ ]] || fail "SIG$signal to $target: exit code $status instead of $code"
  [ "$(grep -c '^stopped at step' out)" = 1 ] || fail "SIG$signal to $target: nothing said"
  echo "SIG$signal to $target: $(grep -oE '^stopped at step [0-9]+' out) after $took s"
  "$convoy" train --resume "$run" > out 2>&1 || fail "it cannot be resumed"
  cmp "$run/final/model.safetensors" straight/final/model.safetensors ||
    fail "SIG$signal to $target: resumed, the run gives other bytes"
  rm -rf "$run"
}

for signal in TERM INT USR1; do
  for target in 'rank 0' 'rank 1' mpirun convoy; do
    stop $signal "$target" 75 "$convoy" train -n 2
  done
  stop $signal 'rank 1' 75 "${mpi[@]}" -n 3 "$convoy" train
done
# Open MPI's mpirun has an exit code of its own after SIGTERM and SIGINT.
stop TERM mpirun '1|75' "${mpi[@]}" -n 2 "$convoy" train
stop INT mpirun '1|75' "${mpi[@]}" -n 2 "$convoy" train
stop USR1 mpirun 75 "${mpi[@]}" -n 2 "$convoy" train
echo "all as expected"
