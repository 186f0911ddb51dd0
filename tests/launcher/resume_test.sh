#!/usr/bin/env bash
# resume_test.sh CONVOY: runs that are stopped, killed, damaged or out of disk, and then resumed,
# come to the same final/model.safetensors, byte for byte, as one that was left alone. The model has
# batch norm, dropout, augmentation and a learning rate that follows the whole run.
set -euo pipefail
# shellcheck source=tests/launcher/expect.sh
. "${0%/*}/expect.sh"
convoy=$(readlink -f "$1")
dir=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount "$dir/full"; rm -rf "$dir"' EXIT
cd "$dir"
export OMP_NUM_THREADS=1

cat > net.textproto << 'MODEL'
name: "net"
recipe {
  epochs: 3 batch_size: 64 lr: 0.01 optimizer: ADAMW schedule: ONE_CYCLE label_smoothing: 0.1
  augment { shift: 2 rotation: 10 scale: 0.1 }
}
layer { name: "c" conv2d { out_channels: 8 kernel_size: 3 } }
layer { name: "n" batch_norm2d {} }
layer { name: "r" relu {} }
layer { name: "p" max_pool2d { kernel_size: 2 } }
layer { name: "d" dropout { p: 0.3 } }
layer { name: "f" flatten {} }
layer { name: "fc" linear { out_features: 10 } }
MODEL
common=(--plots none --quiet)
run=(train --dataset synthetic --model net.textproto "${common[@]}")

# Epochs as they are learned, without what depends on the clock.
epochs() { sed 's/,"images_per_second.*//' "$1/metrics.jsonl"; }

same() { # RUN: ended as the straight one did
  cmp "straight/final/model.safetensors" "$1/final/model.safetensors" || fail "$1: another result"
  diff <(epochs straight) <(epochs "$1") || fail "$1: other metrics"
}

newest() { # RUN: name of its newest checkpoint, damaged or not; "" if there is none
  { find "$1/checkpoints" -maxdepth 1 -name 'step-*' -printf '%f\n' 2> /dev/null || true; } |
    sort | tail -n 1
}

wait_for() { # PID WHAT COMMAND...: until it is true, while the process lives
  local pid=$1 what=$2
  shift 2
  until "$@"; do
    kill -0 "$pid" 2> /dev/null || fail "ended before $what: $(tail -n 5 log)"
    sleep 0.01
  done
}

later_than() { [[ "$(newest "$1")" > "$2" ]]; } # RUN CHECKPOINT

# 3 epochs of 157 steps, the last of 16 images. From any of its steps it comes to the same end.
"$convoy" "${run[@]}" --run-dir straight --checkpoint-every 7 --keep-last 99
for step in 7 154 157 161 308 469 471; do
  cp -r straight again
  rm -r again/final
  expect 0 "going on from" -- "$convoy" train "${common[@]}" \
    --resume "again/checkpoints/$(printf 'step-%08d' $step)"
  same again
  [ "$step" = 471 ] || [ -d again/checkpoints/superseded-step-00000471 ] || fail "not superseded"
  rm -r again
done
same straight

# Other threads and an option said again change nothing; what would change the result is refused.
cp -r straight again
expect 2 "lr: the run says '0.01', now it is '0.5'" -- "$convoy" train --resume again --lr 0.5
expect 2 "schedule" -- "$convoy" train --resume again --epochs 4
expect 1 "no such directory" -- "$convoy" train --resume nowhere
expect 1 "runs/latest" -- "$convoy" train --resume
expect 0 "going on from" -- "$convoy" train "${common[@]}" --threads 2 --lr 0.01 \
  --resume again/checkpoints/step-00000315
same again
expect 0 "accuracy" -- "$convoy" evaluate again/checkpoints/step-00000469
rm -r again

# Other data of the same size are refused; it is the content that counts, not the place. Two images,
# whose labels differ between one/ and other/.
idx() { printf '%b' "$2" > "$1"; }
for place in one other copy; do
  mkdir $place
  for part in train t10k; do
    idx $place/$part-images-idx3-ubyte '\0\0\x08\x03\0\0\0\x02\0\0\0\x08\0\0\0\x08'
    head -c 128 "$convoy" >> $place/$part-images-idx3-ubyte
    idx $place/$part-labels-idx1-ubyte '\0\0\x08\x01\0\0\0\x02\x01\x02'
  done
done
idx other/train-labels-idx1-ubyte '\0\0\x08\x01\0\0\0\x02\x02\x01'
"$convoy" train --data one --model net.textproto --batch-size 2 "${common[@]}" --schedule constant \
  --epochs 2 --max-steps 1 --run-dir tiny
expect 1 "other images or labels than those that the run in tiny was trained on" "--init-from" -- \
  "$convoy" train --resume tiny --max-steps 2 --data other
expect 0 "going on from" -- "$convoy" train --resume tiny --max-steps 2 --data copy "${common[@]}"

# The newest checkpoints are damaged: they are named, and an older one does it.
cp -r straight again
truncate -s 1000 again/checkpoints/step-00000471/model.safetensors
printf 'X' | dd of=again/checkpoints/step-00000469/optimizer.safetensors bs=1 seek=900 \
  conv=notrunc status=none
rm again/checkpoints/step-00000462/manifest.json
expect 0 "step-00000471 is damaged: 'model.safetensors': 1000 bytes" "SHA-256" \
  "step-00000462 is damaged: manifest.json" "going on from again/checkpoints/step-00000455" -- \
  "$convoy" train "${common[@]}" --resume again
same again
rm -r again
mkdir -p empty/checkpoints
cp straight/config.json empty
expect 1 "no good checkpoint" -- "$convoy" train --resume empty

# A longer run, where the learning rate does not depend on the length: as if planned so.
constant=(--schedule constant)
"$convoy" "${run[@]}" "${constant[@]}" --epochs 2 --run-dir long
"$convoy" "${run[@]}" "${constant[@]}" --max-steps 30 --run-dir short
expect 0 "going on from" -- "$convoy" train "${common[@]}" --resume short --max-steps 200
expect 0 "going on from" -- "$convoy" train "${common[@]}" --resume short --max-steps 314 --epochs 2
cmp long/final/model.safetensors short/final/model.safetensors || fail "longer: another result"
diff <(epochs long) <(epochs short) || fail "longer: other metrics"

# Stopped on request, again and again.
start=("${run[@]}" --run-dir stopped)
for after in "" step-00000100 step-00000200; do
  "$convoy" "${start[@]}" --checkpoint-every 10 > log 2>&1 &
  pid=$!
  wait_for $pid "checkpoints after '$after'" later_than stopped "$after"
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  [ $status = 75 ] || fail "exit code $status after SIGTERM: $(tail -n 5 log)"
  grep -q "convoy train --resume stopped" log || fail "no advice: $(cat log)"
  start=(train "${common[@]}" --resume stopped)
done
"$convoy" "${start[@]}" 2> log
same stopped
[ "$(find stopped/checkpoints -maxdepth 1 -name 'step-*' | wc -l)" -le 3 ] ||
  fail "too many are kept: $(ls stopped/checkpoints)"

# While a run is being written, nobody else can go on with it.
"$convoy" "${run[@]}" "${constant[@]}" --epochs 1000 --run-dir busy > log 2>&1 &
pid=$!
wait_for $pid "a checkpoint" later_than busy ""
expect 1 "another process is writing the run in busy" -- "$convoy" train --resume busy
kill -TERM $pid
wait $pid && fail "it was done with 1000 epochs"

# Killed at random moments, with a checkpoint at every step.
start=("${run[@]}" --run-dir killed)
kills=0
while [ $kills -lt 20 ]; do
  before=$(newest killed)
  "$convoy" "${start[@]}" --checkpoint-every 1 > log 2>&1 &
  pid=$!
  wait_for $pid "the next checkpoint" later_than killed "$before"
  sleep "0.0$((RANDOM % 100))"
  kill -KILL $pid 2> /dev/null || true
  wait $pid 2> /dev/null && break
  kills=$((kills + 1))
  start=(train "${common[@]}" --resume killed)
done
echo "killed $kills times, the last time at $(newest killed)"
[ $kills -ge 5 ] || fail "killed only $kills times: this has shown little"
expect 0 "going on from" -- "$convoy" train "${common[@]}" --resume killed
! grep -q damaged out || fail "a kill left a damaged checkpoint: $(cat out)"
same killed

# A disk that fills up ends the run with the cause; the older checkpoint is good, and does it.
if mkdir full && mount -t tmpfs -o size=16m none full 2> /dev/null; then
  mounted=1
  "$convoy" "${run[@]}" --run-dir full/run --checkpoint-every 2 > log 2>&1 &
  pid=$!
  wait_for $pid "a checkpoint" later_than full/run step-00000010
  dd if=/dev/zero of=full/filler bs=4k status=none 2> /dev/null || true
  status=0
  wait $pid || status=$?
  [ $status = 1 ] || fail "exit code $status on a full disk: $(tail -n 5 log)"
  tail -n 3 log | grep -q "No space left on device" || fail "no cause: $(tail -n 5 log)"
  rm full/filler
  expect 0 "going on from full/run" -- "$convoy" train "${common[@]}" --resume full/run
  ! grep -q damaged out || fail "a full disk left a damaged checkpoint: $(cat out)"
  same full/run
else
  echo "(a small file system cannot be mounted here: the full disk is not tried)"
fi
echo "all as expected"
