# shellcheck shell=bash
# Sourced by tests that start jobs of true ranks and do things to them: `convoy` is the program,
# the current folder becomes a new one that is removed at the end.
command -v mpirun > /dev/null || { echo "there is no mpirun"; exit 77; }
dir=$(mktemp -d)
job=
trap 'kill -KILL $job 2> /dev/null || true; umount full 2> /dev/null || true; rm -rf "$dir"' EXIT
cd "$dir" || exit
export XDG_STATE_HOME=$dir/state-home
export OMP_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
# A rank that is sent SIGSEGV is to die of it, not to print a report.
export ASAN_OPTIONS=handle_segv=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
# shellcheck source=tests/support/sanitizers.sh
. "$support/sanitizers.sh"
mpi=(mpirun --oversubscribe --bind-to none)

fail() {
  echo "FAILED: $*"
  [ ! -s out ] || tail -n 25 out
  exit 1
}

said() { # WORDS...: each is in what the last job printed
  local word
  for word in "$@"; do
    grep -qF -- "$word" out || fail "'$word' is missing"
  done
}

# Four IDX files in a new folder. Pixels are noise (the program's own bytes), labels 0 to 9 in turn.
make_data() { # FOLDER TRAIN_IMAGES TEST_IMAGES
  local split count
  mkdir "$1"
  for split in "train $2" "t10k $3"; do
    count=${split#* } split=${split% *}
    { word 2051; word "$count"; word 28; word 28; head -c $((count * 784)) "$convoy"; } \
      > "$1/$split-images-idx3-ubyte"
    { word 2049; word "$count"; for ((i = 0; i < count; i += 10)); do
      printf '\0\1\2\3\4\5\6\7\10\11'
    done | head -c "$count"; } > "$1/$split-labels-idx1-ubyte"
  done
}

word() { # NUMBER: as four bytes, big-endian
  # shellcheck disable=SC2059
  printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24)) $(($1 >> 16 & 255)) \
    $(($1 >> 8 & 255)) $(($1 & 255)))"
}

start() { # COMMAND...: in the background; its output goes to ./out
  "$@" > out 2>&1 &
  job=$!
}

# Waits for a file that the job is to make; ranks are training then.
await() { # PATTERN
  local i
  for ((i = 0; i < 1200; ++i)); do
    ! compgen -G "$1" > /dev/null || return 0
    kill -0 "$job" 2> /dev/null || fail "the job ended before there was a $1"
    sleep 0.05
  done
  fail "after a minute there is no $1"
}

finish() { # waits for the job's end: $status, and $took in seconds
  local began
  began=$(date +%s%N)
  status=0
  wait "$job" || status=$?
  took=$(($(date +%s%N) - began))
  took=$((took / 1000000000)).$(printf %03d $((took / 1000000 % 1000)))
  job=
}

milliseconds() { # SECONDS with three decimals
  echo $((10#${1/./}))
}

mpirun_of() { # PID of a job: itself, or the mpirun that convoy has started
  if [ "$(cat "/proc/$1/comm")" = mpirun ]; then
    echo "$1"
  else
    pgrep -P "$1" -x mpirun
  fi
}

rank() { # NUMBER: its process
  local pid
  for pid in $(pgrep -P "$(mpirun_of "$job")"); do
    ! tr '\0' '\n' < "/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || echo "$pid"
  done
}

# The files in /dev/shm of the running job: their names hold its number in hexadecimal.
shared_memory() {
  tr '\0' '\n' < "/proc/$(rank 0)/environ" | sed -n 's/^PMIX_NAMESPACE=//p' |
    xargs printf '/dev/shm/*%x*'
}
