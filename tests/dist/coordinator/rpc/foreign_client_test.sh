#!/usr/bin/env bash
# foreign_client_test.sh SERVE PROTO_FOLDER: a client in another language, from the .proto files alone.
# Exit code 77 (skipped) without Debian's python3-grpcio and grpc-proto.
set -euo pipefail
serve=$1 protos=$2
here=$(dirname "$(readlink -f "$0")")
standard=/usr/share/grpc-proto
python=/usr/bin/python3 # Debian's, which has Debian's packages
if ! $python -c 'import grpc' 2> /dev/null || [ ! -d $standard ]; then
  echo "skipped: no python3-grpcio or no grpc-proto"
  exit 77
fi
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT

mkdir "$work/messages"
protoc --python_out="$work/messages" -I "$protos" -I $standard convoy/v1/run.proto \
  convoy/v1/coordinator.proto grpc/health/v1/health.proto grpc/reflection/v1alpha/reflection.proto
CONVOY_COORDINATOR_TOKEN=$(openssl rand -hex 32)
export CONVOY_COORDINATOR_TOKEN
mkfifo "$work/address" "$work/life"
"$serve" "$work/coordinator.db" > "$work/address" < "$work/life" & server=$!
exec 3<> "$work/life" # read too, or it would wait for the server, which waits for us
read -r address < "$work/address"
PYTHONPATH=$work/messages timeout 120 $python "$here/foreign_client.py" "$address"
exec 3>&-
wait "$server"
server=
