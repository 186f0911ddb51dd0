#!/usr/bin/env bash
# ranks_disagree_test.sh CONVOY: jobs whose ranks were started with different options, data or
# programs end before the first step, each rank saying who differs in what.
set -euo pipefail
convoy=$(readlink -f "$1")
support=$(readlink -f "${0%/*}/../support")
# shellcheck source=tests/launcher/job.sh
. "${0%/*}/job.sh"

make_data a 64 10
small=(train --data a --model lenet5 --epochs 1 --plots none --run-dir run)

# disagree NAME VALUE_0 VALUE_12 COMMAND_0... : COMMAND_12...
# Three ranks, the first of which is started in another way than the other two.
disagree() {
  local name=$1 mine=$2 others=$3 first=()
  shift 3
  while [ "$1" != : ]; do
    first+=("$1")
    shift
  done
  shift
  start "${mpi[@]}" -n 1 "${first[@]}" : -n 2 "$@"
  finish
  [ $status = 3 ] || fail "$name: exit code $status instead of 3"
  [ "$(grep -c 'the ranks disagree in' out)" = 3 ] || fail "$name: not every rank has a table"
  [ "$(grep -oE 'the ranks disagree in.*' out | sort -u | wc -l)" = 1 ] || fail "different tables"
  [ "$(grep -cE "^  $name +2 of 3 ranks: $others\$" out)" = 3 ] || fail "$name: not $others"
  [ "$(grep -cE "^ +rank 0 \([^)]+\): $mine\$" out)" = 3 ] || fail "$name: rank 0 is not named"
  [ ! -e run ] || fail "$name: there is a run directory"
  echo "$name: $took s"
}

disagree seed 1 2 "$convoy" "${small[@]}" --seed 1 : "$convoy" "${small[@]}" --seed 2
disagree recipe.batch_size 64 32 \
  "$convoy" "${small[@]}" --batch-size 64 : "$convoy" "${small[@]}" --batch-size 32
disagree model lenet5 tutorial "$convoy" "${small[@]}" : "$convoy" "${small[@]}" --model tutorial
disagree reproducible true false "$convoy" "${small[@]}" --reproducible : "$convoy" "${small[@]}"
disagree check_every 7 100 "$convoy" "${small[@]}" --check-every 7 : "$convoy" "${small[@]}"

disagree resume true false "$convoy" "${small[@]}" --resume : "$convoy" "${small[@]}"

# One pixel.
cp -r a b
printf '\377' | dd of=b/train-images-idx3-ubyte bs=1 seek=5000 conv=notrunc status=none
disagree 'train pixels' '[0-9a-f]{16}' '[0-9a-f]{16}' \
  "$convoy" "${small[@]}" --data b : "$convoy" "${small[@]}"

# Another build, and another arithmetic.
cp "$convoy" other
echo >> other
disagree program '[0-9a-f]{16}' '[0-9a-f]{16}' ./other "${small[@]}" : "$convoy" "${small[@]}"
if grep -qw fma /proc/cpuinfo; then
  disagree arithmetic 'generic.*' 'fused multiply-add' \
    env CONVOY_ISA=generic "$convoy" "${small[@]}" : "$convoy" "${small[@]}"
fi

# Paths and threads may differ.
cp -r a elsewhere
start "${mpi[@]}" -n 1 "$convoy" "${small[@]}" --threads 2 : \
  -n 2 "$convoy" "${small[@]}" --data elsewhere --threads 1
finish
[ $status = 0 ] || fail "exit code $status of ranks that may differ in this"
echo "all as expected"
