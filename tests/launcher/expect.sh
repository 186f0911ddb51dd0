# shellcheck shell=bash
# Sourced by tests of the program: `fail`, and `expect` for what one command says and how it ends.

# Where runs are found by their names: not among the user's own.
export XDG_STATE_HOME=${TMPDIR:-/tmp}/convoy-test-state

fail() {
  echo "FAILED: $*"
  exit 1
}

# Expects the exit code and each of the words in what the command prints.
expect() { # CODE WORDS... -- COMMAND...
  local code=$1 words=() status=0 word
  shift
  while [ "$1" != -- ]; do
    words+=("$1")
    shift
  done
  shift
  timeout 300 "$@" > out 2>&1 || status=$?
  [ "$status" = "$code" ] || fail "exit code $status instead of $code: $* : $(tail -n 25 out)"
  for word in "${words[@]}"; do
    grep -qF -- "$word" out || fail "'$word' is missing: $* : $(tail -n 25 out)"
  done
}
