#!/usr/bin/env bash
# Runs deploy/certificates for real, and asks openssl what came of it.
set -euo pipefail
certificates=$(dirname "$(readlink -f "$0")")/../../deploy/certificates
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; [ ! -f "$work/log" ] || cat "$work/log" >&2; exit 1; }
refused() { # CODE TEXT ARGUMENT...
  local code=$1 text=$2 status=0
  shift 2
  "$certificates" "$@" > "$work/log" 2>&1 || status=$?
  [ $status = "$code" ] || fail "$*: exit code $status"
  grep -qF -- "$text" "$work/log" || fail "$*: expected it to say: $text"
}
dir=$work/certs

echo "- authority, server and clients"
(umask 000; "$certificates" "$dir" --server localhost 127.0.0.1 ::1 --client one two.b) > "$work/log" 2>&1 ||
  fail "exit code $?"
[ "$(wc -l < "$work/log")" = 4 ] || fail "more or less said than four names"
[ "$(cd "$dir" && echo *)" = "ca.key ca.pem client-one.key client-one.pem client-two.b.key client-two.b.pem \
server.key server.pem" ] || fail "other files: $(ls "$dir")"
for key in "$dir"/*.key; do
  [ "$(stat -c %a "$key")" = 600 ] || fail "$key may be read by others"
done
openssl verify -CAfile "$dir/ca.pem" -purpose sslserver "$dir/server.pem" > /dev/null || fail "server"
openssl verify -CAfile "$dir/ca.pem" -verify_hostname localhost "$dir/server.pem" > /dev/null || fail "name"
for address in 127.0.0.1 ::1; do
  openssl verify -CAfile "$dir/ca.pem" -verify_ip "$address" "$dir/server.pem" > /dev/null || fail "$address"
done
openssl verify -CAfile "$dir/ca.pem" -purpose sslclient "$dir/client-one.pem" > /dev/null || fail "client"
if openssl verify -CAfile "$dir/ca.pem" -purpose sslclient "$dir/server.pem" > /dev/null 2>&1; then
  fail "a server's certificate serves as a client's"
fi

echo "- nothing is overwritten, and then nothing is made"
before=$(sha256sum "$dir"/*)
refused 1 "server.pem exists" "$dir" --server localhost
refused 1 "client-one.pem exists" "$dir" --client three one
[ "$(sha256sum "$dir"/*)" = "$before" ] || fail "something was made or changed"

echo "- a client is added later, of the same authority"
"$certificates" "$dir" --days 1 --client later > "$work/log" 2>&1 || fail "exit code $?"
openssl verify -CAfile "$dir/ca.pem" "$dir/client-later.pem" > /dev/null || fail "another authority"
openssl x509 -in "$dir/client-later.pem" -noout -checkend 80000 > /dev/null || fail "shorter than a day"
if openssl x509 -in "$dir/client-later.pem" -noout -checkend 90000 > /dev/null; then fail "longer than a day"; fi

echo "- half an authority is not completed"
mkdir "$work/half"
cp "$dir/ca.pem" "$work/half"
refused 1 "only one of ca.pem and ca.key" "$work/half" --server localhost

echo "- bad usage"
refused 2 "DIR is missing"
refused 2 "names anybody" "$work/new"
refused 2 "no host name" "$work/new" --server 'a,DNS:evil'
refused 2 "does not" "$work/new" --client '../x'
refused 2 "named twice" "$work/new" --client a a
refused 2 "--days takes" "$work/new" --days 0 --client a
refused 2 "no option --nothing" "$work/new" --nothing
[ ! -e "$work/new" ] || fail "bad usage made something"
"$certificates" --help | grep -q 'convoy coordinator --listen' || fail "no help"
