#!/usr/bin/env bash
# slurm_test.sh CONVOY: a real Slurm of two nodes, started here and gone when this ends: training by
# srun, and deploy/slurm/train.sbatch preempted, put back into the queue and going on. To be run by
# with-hosts, whose hosts are the nodes. Exit code 77, saying so, without Slurm or munge.
set -euo pipefail
convoy=$(readlink -f "$1")
root=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
: "${CONVOY_HOSTFILE:?run this by tests/hosts/with-hosts}"
PATH=$PATH:/usr/sbin
for tool in slurmctld slurmd srun munged; do
  command -v $tool > /dev/null || { echo "skipped: no $tool on this machine"; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
training=(--dataset synthetic --model lenet5 --threads 1 --plots none --reproducible)

fail() {
  echo "FAILED: $*"
  tail -n 20 out ./*.log
  exit 1
}
await() { # WHAT COMMAND...
  local what=$1
  shift
  for _ in {1..900}; do
    ! "$@" || return 0
    sleep 0.1
  done
  fail "waited in vain for $what"
}
job_says() { scontrol --oneliner show job "$job" | grep -qE "$1"; } # PATTERN
has_checkpoint() { [ -n "$(ls "$1/checkpoints" 2> /dev/null)" ]; }  # RUN-DIR
all_idle() { [ "$(sinfo --noheader --format=%T:%D)" = idle:2 ]; }

start_slurm() {
  mkdir munge ctld
  chmod 755 . munge
  # No authentication of the machine's own is asked or disturbed: its own key, its own socket.
  head -c 128 /dev/urandom > munge/key
  chmod 600 munge/key
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
    --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
  # cred_expire is also how long a job that is put back has to wait, by default two minutes, at least five seconds.
  cat > slurm.conf << END
ClusterName=convoy
SlurmctldHost=host1
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
StateSaveLocation=$dir/ctld
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmdLogFile=$dir/slurmd.%n.log
SlurmdSpoolDir=$dir/spool/%n
TmpFS=$dir/tmp/%n
SchedulerParameters=sched_interval=1
NodeName=host[1-2] CPUs=2 RealMemory=1000
PartitionName=main Nodes=host[1-2] Default=YES State=UP
END
  export SLURM_CONF=$dir/slurm.conf
  mkdir -p spool/host1 spool/host2 tmp/host1 tmp/host2
  slurmctld -f slurm.conf
  slurmd -N host1 -f slurm.conf
  "$root/tests/hosts/on" host2 slurmd -N host2 -f "$dir/slurm.conf"
  await "the nodes" all_idle
}

echo "- a Slurm of two nodes starts"
start_slurm > out 2>&1 || fail "exit code $?"

echo "- srun joins the ranks of two nodes, with the result of one process"
"$convoy" train "${training[@]}" --epochs 1 --run-dir one > out 2>&1 || fail "exit code $?"
srun --mpi=pmix -N 2 --wait=10 "$convoy" train "${training[@]}" --epochs 1 --run-dir two \
  > out 2>&1 || fail "exit code $?"
cmp one/final/model.safetensors two/final/model.safetensors || fail "other weights"

echo "- train.sbatch, preempted: a checkpoint, exit code 75, back into the queue, on to the end"
export CONVOY=$convoy RUN_DIR=$dir/preempted
job=$(sbatch --parsable --output="$dir/job.log" "$root/deploy/slurm/train.sbatch" "${training[@]}" \
  --epochs 6 --checkpoint-every 50)
await "a checkpoint" has_checkpoint preempted
scancel --signal=USR1 "$job" # what Slurm sends by --signal=USR1@120
await "the second start" job_says ' Restarts=1 '
await "the end" job_says ' JobState=COMPLETED '
grep -q "stopped at step" job.log || fail "it did not stop"
grep -q "stopped with a checkpoint; back into the queue" job.log || fail "no exit code 75"
grep -q "start 2, 2 ranks on host\[1-2\]: train --resume" job.log || fail "it did not go on"
"$convoy" train "${training[@]}" --epochs 6 --run-dir whole > out 2>&1 || fail "exit code $?"
cmp whole/final/model.safetensors preempted/final/model.safetensors || fail "other weights"

echo "- a rank that is killed ends the job, and Slurm calls it failed"
export RUN_DIR=$dir/killed SLURM_WAIT=2
job=$(sbatch --parsable --output="$dir/killed.log" "$root/deploy/slurm/train.sbatch" \
  "${training[@]}" --epochs 1000 --checkpoint-every 50)
await "a checkpoint" has_checkpoint killed
rank=$(grep -lsx convoy /proc/[0-9]*/comm | tail -n 1 | cut -d / -f 3) # only this run's are seen here
kill -KILL "$rank"
await "the end" job_says ' JobState=(FAILED|NODE_FAIL) '
