#!/usr/bin/env bash
# coordinator_test.sh CONVOY PROTOS CERTIFICATES: a job of two true ranks and a true coordinator, to
# which everything happens that can: killed, stopped and restarted in mid-epoch, started late, never
# started, wrong token, another start of the same run, TLS, an order to stop. Each time the trained
# weights are those of a run without a coordinator, byte for byte, and what the coordinator has in
# the end is complete and equal to what the trainer wrote. A client of another language asks it.
set -euo pipefail
convoy=$(readlink -f "$1")
protos=$(readlink -f "$2")
certificates=$(readlink -f "$3")
support=$(readlink -f "${0%/*}/../support")
client_program=$(readlink -f "${0%/*}/coordinator_client.py")
/usr/bin/python3 -c 'import grpc, google.protobuf' 2> /dev/null ||
  { echo "there is no python3-grpcio"; exit 77; }
# shellcheck source=tests/launcher/job.sh
. "${0%/*}/job.sh"
coordinator=
trap 'kill -KILL $job $coordinator 2> /dev/null || true; rm -rf "$dir"' EXIT
export XDG_STATE_HOME=$dir/state-home

(umask 077 && openssl rand -hex 32 > token && openssl rand -hex 32 > wrong-token)
make_data data 1610 64
options=(--data data --model lenet5 --plots none --reproducible --checkpoint-every 500)
alone() { # EPOCHS: the run that all others are compared with
  start "$convoy" train "${options[@]}" --epochs "$1" --coordinator none --run-dir "alone-$1"
  finish
  [ "$status" = 0 ] || fail "a plain run fails"
}
# One just long enough; and one of which two ranks, at twice the speed, still have half to do when all
# that is done to its coordinator is done: some 20 s on this machine, whatever its speed.
short=40
alone $short
long=$((short * 20000 / $(milliseconds "$took")))
alone $long
steps=$((long * 26))

port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
address=127.0.0.1:$port
secure=()  # further options of whoever talks to the coordinator
coordinate() { # OPTIONS...: starts one
  "$convoy" coordinator --listen "$address" --http none --state-dir state --token-file token "$@" \
    > coordinator.log 2>&1 &
  coordinator=$!
}

client() { # COMMAND...
  PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python timeout 120 /usr/bin/python3 "$client_program" \
    --protos "$protos" --address "$address" --token-file token "${client_secure[@]}" "$@"
}
client_secure=()

train() { # RUN_DIR EPOCHS OPTIONS...: in the background; $run is then the run's name
  local run_dir=$1
  epochs=$2
  shift 2
  start "$convoy" train -n 2 "${options[@]}" --epochs "$epochs" --run-dir "$run_dir" \
    --coordinator "$address" --coordinator-token-file token "${secure[@]}" "$@"
  await "$run_dir/run.json"
  run=$(sed -nE 's/.*"run": *"([^"]+)".*/\1/p' "$run_dir/run.json")
}

trained() { # RUN_DIR: the job has ended well, with the same bytes
  finish
  [ "$status" = 0 ] || fail "$1: exit code $status"
  cmp "$1/final/model.safetensors" "alone-$epochs/final/model.safetensors" || fail "$1: other bytes"
  echo "ok: $1"
}

complete() { # RUN_DIR
  client wait-state "$run" SUCCEEDED || fail "$1: the coordinator does not know that it ended"
  client check "$run" "$1/metrics.jsonl" 2 || fail "$1: the coordinator has other metrics"
}

end_coordinator() {
  kill "$coordinator"
  wait "$coordinator" || fail "the coordinator ends with code $?: $(tail -n 5 coordinator.log)"
  coordinator=
}

kill_coordinator() {
  kill -KILL "$coordinator"
  wait "$coordinator" 2> /dev/null || true
}

coordinate
train undisturbed $short
trained undisturbed
complete undisturbed

train killed $long
for step in 100 $((steps / 8)) $((steps / 3)); do
  client wait-step "$run" $step
  kill_coordinator
  sleep 0.3
  coordinate
done
trained killed
complete killed

train stopped $long
client wait-step "$run" 200
kill -STOP "$coordinator"
sleep 3
kill -CONT "$coordinator"
trained stopped
complete stopped
end_coordinator

train late $long
await "late/checkpoints/step-*500/manifest.json"
coordinate
trained late
complete late
end_coordinator

# Nobody is there until a resumed run finds somebody: what the first one journalled is told then.
train away $short --max-steps 700
finish
[ "$status" = 0 ] || fail "without a coordinator: exit code $status"
[ -s away/reports.journal ] || fail "there is no journal of what nobody was told"
coordinate
start "$convoy" train -n 2 --resume away --max-steps 1000000
trained away
complete away

secure=(--coordinator-token-file wrong-token)
train refused $short
trained refused
grep -qi 'token' out || fail "refused: nothing is said about the token"
! grep -qF "$(cat wrong-token)" out coordinator.log || fail "a token is shown"
secure=()

train superseded $long
client wait-step "$run" 100
client supersede "$run"
trained superseded
grep -qiE 'stale|generation' out || fail "superseded: nothing is said"

train asked $long
client wait-step "$run" 100
"$convoy" stop "$run" --coordinator "$address" --coordinator-token-file token > stop.out 2>&1 ||
  fail "convoy stop fails: $(cat stop.out)"
finish
[ "$status" = 75 ] || fail "asked to stop: exit code $status"
client wait-state "$run" STOPPED
start "$convoy" train -n 2 --resume asked
trained asked
complete asked
end_coordinator

"$certificates" certificates --server 127.0.0.1 --client worker > out 2>&1 || fail "no certificates"
coordinate --tls-cert certificates/server.pem --tls-key certificates/server.key \
  --tls-client-ca certificates/ca.pem
secure=(--coordinator-ca certificates/ca.pem --coordinator-cert certificates/client-worker.pem
  --coordinator-key certificates/client-worker.key)
client_secure=(--ca certificates/ca.pem --cert certificates/client-worker.pem
  --key certificates/client-worker.key)
train encrypted $short
trained encrypted
complete encrypted
end_coordinator
echo "all as expected"
