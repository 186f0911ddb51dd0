#!/usr/bin/env bash
# tools_test.sh CONVOY: convoy doctor and convoy bench scaling, really run on this machine. No time
# is asserted.
set -euo pipefail
convoy=$(readlink -f "$1")
support=$(dirname "$(dirname "$(readlink -f "$0")")")/support
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export TMPDIR=$dir OMP_NUM_THREADS=1
# shellcheck source=tests/support/sanitizers.sh
. "$support/sanitizers.sh"

fail() {
  echo "FAILED: $*"
  exit 1
}

# Doctor: exits 0 or 1, as it finds problems or not, and explains every one.
status=0
"$convoy" doctor > doctor.txt 2> doctor.err || status=$?
cat doctor.txt
[ $status -le 1 ] || fail "doctor: exit code $status: $(cat doctor.err)"
for topic in convoy BLIS gRPC CPU cores MPI /dev/shm ptrace network ports disk memory data; do
  grep -qE "^(ok|note|problem) +$topic" doctor.txt || fail "doctor says nothing of $topic"
done
problems=$(grep -c '^problem' doctor.txt || true)
[ "$status" = "$((problems > 0))" ] || fail "$problems problems, but exit code $status"
[ "$(grep -cE '^(note|problem)' doctor.txt)" = "$(grep -c '^ *fix: ' doctor.txt)" ] || fail "a fix is missing"

# More ranks than any machine has cores are a problem; the JSON is one line.
status=0
"$convoy" doctor -n 60000 --json > doctor.json 2> doctor.err || status=$?
[ $status = 1 ] || fail "60000 ranks are no problem: exit code $status: $(cat doctor.err)"
[ "$(wc -l < doctor.json)" = 1 ] || fail "--json printed more than a line"
grep -qF '"topic":"cores"' doctor.json || fail "no word about cores: $(cat doctor.json)"

# A wish for kernels, a range of ports and a binding are seen.
CONVOY_ISA=generic OMPI_MCA_btl_tcp_port_min_v4=45000 OMPI_MCA_btl_tcp_port_range_v4=100 \
  "$convoy" doctor > doctor.txt || true
grep -qF 'CONVOY_ISA holds them to generic' doctor.txt || fail "CONVOY_ISA is not noted"
grep -qF 'ports 45000 to 45099' doctor.txt || fail "the range of ports is not told"
taskset -c 0 "$convoy" doctor > doctor.txt || true
[ "$(nproc --all)" = 1 ] || grep -qF 'held to 1 of' doctor.txt || fail "the binding is not noted"

# Bench: real runs of one rank, and of two where there is MPI.
ranks=1
if grep -q '^ok *MPI  ' doctor.txt; then
  ranks=2
fi
"$convoy" bench scaling -n $ranks --model lenet5 --steps 30 --rounds 2 --json -- --bucket-kib 16 \
  > bench.json 2> bench.err ||
  fail "bench scaling: $(tail -n 20 bench.err)"
cat bench.json
grep -qF "\"ranks\":$ranks," bench.json || fail "no row for $ranks ranks"
if [ $ranks = 2 ]; then
  grep -qF '"hosts":1024' bench.json || fail "no prediction"
  # 61,706 weights of 4 bytes are 241 KiB.
  grep -qF '"buckets":16' bench.json || fail "not the buckets that were asked for"
fi
[ "$(grep -c '^round' bench.err)" = $((2 * ranks)) ] || fail "rounds: $(cat bench.err)"
"$convoy" bench scaling -n 1 --model lenet5 --steps 12 --rounds 1 --quiet > bench.txt 2>&1 ||
  fail "bench scaling: $(cat bench.txt)"
cat bench.txt
grep -qF 'No prediction' bench.txt || fail "a prediction from one rank"
if compgen -G "$dir/convoy-bench-*" > /dev/null; then
  fail "bench scaling leaves files"
fi
status=0
"$convoy" bench scaling -n 1 --model nonsense --quiet > bench.txt 2>&1 || status=$?
[ $status = 1 ] || fail "exit code $status for a model that is none"
grep -qF "nonsense" bench.txt || fail "the reason is not told: $(cat bench.txt)"
echo "all as expected"
