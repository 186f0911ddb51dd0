#!/usr/bin/env bash
# many_hosts_test.sh CONVOY: trains across three hosts, over a network that is there, away for two
# seconds, and gone for good. To be run by with-hosts --hosts 3.
set -euo pipefail
convoy=$(readlink -f "$1")
tests=$(dirname "$(dirname "$(readlink -f "$0")")")
: "${CONVOY_HOSTFILE:?run this by tests/hosts/with-hosts --hosts 3}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
patient=(timeout --kill-after 5 120)
training=("$convoy" train --dataset synthetic --model lenet5 --threads 1 --plots none)
epoch=(--epochs 1 --reproducible)

fail() {
  echo "FAILED: $*"
  tail -n 30 out
  exit 1
}
link() { "$tests/hosts/on" hub ip link set "$1" "$2"; } # HOST up|down
# Bytes to HOST so far.
carried() { "$tests/hosts/on" hub cat /proc/net/dev | awk -v host="$1:" '$1 == host {print $10}'; }
expect_same() { cmp one/final/model.safetensors "$1/final/model.safetensors" || fail "$1: other weights"; }
loss() { grep -oE '"train_loss":[0-9.e+-]+' "$1/metrics.jsonl" | cut -d: -f2; }
# Until gradients are on their way to HOST: start-up takes far less than 3 MB, training 70.
await_training() { # HOST
  local before
  before=$(carried "$1")
  for _ in {1..1200}; do
    [ $(($(carried "$1") - before)) -lt 3000000 ] || return 0
    sleep 0.05
  done
  fail "no training seen on the link to $1"
}
# Until nothing of the job is left on any host, as their processes are those of this run alone.
await_nobody() {
  for _ in {1..200}; do
    grep -qsxE 'convoy|orted|mpirun' /proc/[0-9]*/comm || return 0
    sleep 0.1
  done
  fail "processes stay behind: $(grep -sxE 'convoy|orted|mpirun' /proc/[0-9]*/comm)"
}

echo "- one process, to compare with"
"${training[@]}" "${epoch[@]}" --run-dir one > out 2>&1 || fail "exit code $?"

echo "- two hosts, mpirun by hand: the gradients pass over the link, the weights are the same bytes"
before=$(carried host2)
"${patient[@]}" mpirun -n 2 "${training[@]}" "${epoch[@]}" --run-dir two > out 2>&1 || fail "exit code $?"
expect_same two
[ $(($(carried host2) - before)) -gt 30000000 ] || fail "host2 got only $(carried host2) bytes"

echo "- three hosts, started by convoy: the same"
before=$(carried host3)
"${patient[@]}" "${training[@]}" "${epoch[@]}" -n 3 --hostfile "$CONVOY_HOSTFILE" --run-dir three \
  > out 2>&1 || fail "exit code $?"
expect_same three
[ $(($(carried host3) - before)) -gt 15000000 ] || fail "host3 got only $(carried host3) bytes"

echo "- three hosts, not reproducible: close"
"${patient[@]}" mpirun -n 3 "${training[@]}" --epochs 1 --run-dir close > out 2>&1 || fail "exit code $?"
"${training[@]}" --epochs 1 --run-dir alone > out 2>&1 || fail "exit code $?"
awk -v a="$(loss alone)" -v b="$(loss close)" 'BEGIN {exit !(a > 0 && (a - b) ^ 2 < (1e-3 * a) ^ 2)}' ||
  fail "training loss $(loss close), one process had $(loss alone)"

echo "- ranks that disagree are named with their hosts"
status=0
"${patient[@]}" mpirun -n 1 "${training[@]}" --seed 1 : -n 2 "${training[@]}" --seed 2 > out 2>&1 ||
  status=$?
[ $status = 3 ] || fail "exit code $status"
for rank in "rank 0 (host1)" "rank 1 (host2)" "rank 2 (host3)"; do
  grep -qF "$rank" out || fail "no $rank"
done

echo "- a link that is cut for two seconds costs no more than time"
await_nobody
before=$(carried host2)
"${patient[@]}" "${training[@]}" "${epoch[@]}" -n 2 --hostfile "$CONVOY_HOSTFILE" --run-dir cut > out 2>&1 & job=$!
await_training host2
link host2 down
sleep 2
kill -0 $job || fail "it ended while the link was cut"
link host2 up
wait $job || fail "exit code $?"
expect_same cut

echo "- a link that is cut for good ends the job, on both sides"
await_nobody
"${patient[@]}" "${training[@]}" --epochs 1000 -n 3 --hostfile "$CONVOY_HOSTFILE" --run-dir lost \
  > out 2>&1 & job=$!
await_training host3
start=$SECONDS
link host3 down
status=0
wait $job || status=$?
case $status in 0 | 124 | 137) fail "exit code $status" ;; esac
grep -q "the connection to host3 is gone" out || fail "it does not say why"
echo "  ended with exit code $status after $((SECONDS - start)) s"
await_nobody
