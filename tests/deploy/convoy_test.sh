#!/usr/bin/env bash
# Runs deploy/convoy for real, two at once, and then shows that nothing is left to be done.
set -euo pipefail
root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; tail "$work"/* >&2; exit 1; }

unset CONVOY_DATA_DIR
cd "$work" # it has to work from anywhere
echo "- two at once set everything up and run"
"$root/deploy/convoy" --help > "$work/first" 2>&1 & first=$!
"$root/deploy/convoy" --help > "$work/second" 2>&1 || fail "exit code $?"
wait $first || fail "exit code $?"
grep -q train "$work/first" || fail "no help of convoy"

echo "- afterwards it is only convoy: nothing said, nothing built, exit code passed on"
binary=$root/build/program/launcher/convoy
before=$(stat -c %y "$binary")
"$root/deploy/convoy" --help > "$work/third" 2> "$work/said" || fail "exit code $?"
[ ! -s "$work/said" ] || fail "it said something"
[ "$(stat -c %y "$binary")" = "$before" ] || fail "it was built again"
cmp <(CONVOY_DATA_DIR=$root/data "$binary" --help) "$work/third" || fail "other help than that of convoy"
status=0
"$root/deploy/convoy" --no-such-option > /dev/null 2>&1 || status=$?
[ $status = 2 ] || fail "bad usage gave exit code $status"

echo "- the set-up is fast when there is nothing to do"
time "$root/deploy/convoy" --help > /dev/null
