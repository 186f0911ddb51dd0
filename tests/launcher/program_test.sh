#!/usr/bin/env bash
# program_test.sh CONVOY MNIST_DIR [SANITIZERS]: the program as a person uses it, on digits that it
# draws itself: train, evaluate, predict, stop, and what it says of bad input. Where MNIST is, also
# how much memory training on it takes (not with sanitizers, which take most of it).
set -euo pipefail
# shellcheck source=tests/launcher/expect.sh
. "${0%/*}/expect.sh"
convoy=$(readlink -f "$1") mnist=$(readlink -m "$2") sanitizers=${3-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export OMP_NUM_THREADS=1 CONVOY_DATA_DIR=$dir/nowhere

number() { # KEY FILE: the last number of that key
  grep -oE "\"$1\":[0-9.e+-]+" "$2" | tail -n 1 | cut -d: -f2
}

small=(--dataset synthetic --model lenet5)

# Training leaves a run directory, and its JSON on stdout alone.
"$convoy" train "${small[@]}" --epochs 1 --run-dir a --json > a.json 2> a.err
[ "$(wc -l < a.json)" = 1 ] || fail "--json printed more than a line"
for file in config.json model.textproto metrics.jsonl final/model.safetensors plots/curves.png \
  plots/confusion.png plots/predictions.png checkpoints/step-00000313/manifest.json; do
  [ -s "a/$file" ] || fail "a/$file is missing"
done
[ "$(number steps a.json)" = 313 ] || fail "steps: $(cat a.json)"
awk -v a="$(number test_accuracy a.json)" 'BEGIN {exit !(a > 0.8)}' || fail "test accuracy"

# Evaluating finds the same accuracy in the run, in its checkpoint and in the file alone.
for checkpoint in a a/checkpoints/step-00000313 a/final/model.safetensors; do
  "$convoy" evaluate "$checkpoint" --json 2> /dev/null > evaluated.json
  [ "$(number test_accuracy evaluated.json)" = "$(number test_accuracy a.json)" ] ||
    fail "evaluate $checkpoint: $(cat evaluated.json)"
done
"$convoy" evaluate a --dataset synthetic --raw-pixels --json 2> /dev/null > raw.json
[ "$(number test_loss raw.json)" != "$(number test_loss evaluated.json)" ] || fail "--raw-pixels"

# Pictures.
expect 0 -- "$convoy" predict a --count 12 --output grid.svg
grep -q '<svg' grid.svg || fail "grid.svg is no SVG"

# The same seed gives the same bytes, with other threads too; another seed does not.
train() { "$convoy" train "${small[@]}" --max-steps 20 --plots none --quiet "$@"; }
train --run-dir b1
train --run-dir b2 --threads 2
train --run-dir b3 --seed 1
cmp b1/final/model.safetensors b2/final/model.safetensors || fail "threads change the result"
! cmp -s b1/final/model.safetensors b3/final/model.safetensors || fail "the seed changes nothing"

# AVX2 and AVX-512 give the same bytes too.
if grep -qw avx512vl /proc/cpuinfo; then
  CONVOY_ISA=avx2 train --run-dir b4
  CONVOY_ISA=avx512 train --run-dir b5
  cmp b4/final/model.safetensors b5/final/model.safetensors || fail "AVX2 and AVX-512 differ"
else
  echo "(this CPU has no AVX-512 to compare AVX2 with)"
fi

# Weights to start from: those of this model, and only those.
train --run-dir c --init-from b1/final/model.safetensors
expect 1 "'c5.weight'" "missing" -- \
  "$convoy" train --dataset synthetic --init-from b1/final/model.safetensors --run-dir d
head -c 1000 b1/final/model.safetensors > torn.safetensors
expect 1 "torn.safetensors" -- "$convoy" evaluate torn.safetensors --dataset synthetic

# Ctrl-C leaves a checkpoint that can be used.
"$convoy" train "${small[@]}" --epochs 1000 --run-dir e > out 2>&1 &
pid=$!
until [ -s e/metrics.jsonl ] || ! kill -0 $pid; do sleep 0.1; done
kill -INT $pid
status=0
wait $pid || status=$?
[ $status = 75 ] || fail "exit code $status after Ctrl-C: $(tail -n 3 out)"
expect 0 "accuracy" -- "$convoy" evaluate e --dataset synthetic

# Bad usage and bad input.
expect 2 "--epochs" -- "$convoy" train --epoch 3
expect 2 "train" -- "$convoy" trian
expect 2 "--epochs" -- "$convoy" train --epochs 0
expect 1 "tutorial" -- "$convoy" train --model tutrial
expect 1 "deploy/fetch-mnist" -- "$convoy" train --run-dir f
expect 1 "a" "run" -- "$convoy" train "${small[@]}" --run-dir a
expect 1 "nothing-here" -- "$convoy" evaluate nothing-here
printf 'name: "x" layer { name: "f" flaten {} }' > bad.textproto
expect 1 "bad.textproto:1" "flatten" -- "$convoy" train --dataset synthetic --model bad.textproto

# Training the tutorial's model on MNIST stays below 96 MiB, its coordinator included.
if [ -z "$sanitizers" ] && [ -f "$mnist/train-images-idx3-ubyte" ]; then
  "$convoy" train --data "$mnist" --max-steps 50 --run-dir m --json 2> /dev/null > m.json
  [ "$(number peak_memory_bytes m.json)" -lt $((96 << 20)) ] || fail "memory: $(cat m.json)"
else
  echo "(no MNIST in $mnist, or sanitizers: memory is not measured)"
fi

# A full disk is told before training, and nothing is lost.
if mkdir full && mount -t tmpfs -o size=64k none full 2> /dev/null; then
  expect 1 "full" -- "$convoy" train "${small[@]}" --run-dir full/run
  umount full
else
  echo "(a small file system cannot be mounted here: the full disk is not tried)"
fi

# A model out, changed, and in again.
"$convoy" export --model lenet5 | sed 's/out_channels: 6 /out_channels: 7 /' > mine.textproto
expect 0 "[7, " -- "$convoy" train --dataset synthetic --model mine.textproto --max-steps 5 --run-dir g
echo "all as expected"
