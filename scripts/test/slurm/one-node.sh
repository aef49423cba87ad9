#!/usr/bin/env bash
# one-node.sh up|down FOLDER: a Slurm of one node on 127.0.0.1, from Debian's packages munge, slurmctld, slurmd and
# slurm-client, with all its state in FOLDER. Needs root; no systemd, no database, no cgroups.
set -eu
folder=$(mkdir -p "$2" && cd "$2" && pwd)
export SLURM_CONF=$folder/slurm.conf
system_conf=/etc/slurm/slurm.conf # the only place where the inner srun of Snakemake's jobs looks

up() {
  if [ -e "$system_conf" ] || [ -L "$system_conf" ]; then
    echo "$system_conf exists: there is a Slurm on this machine already" >&2
    exit 1
  fi
  mkdir -p "$folder"/{state,spool,log} "$(dirname "$system_conf")"
  (umask 077 && head -c 1024 /dev/urandom > "$folder/munge.key")
  touch "$folder/cgroup.conf"
  # NoInAddrAny: nothing listens beyond this machine. MinJobAge: squeue remembers jobs between two questions of Snakemake.
  cat > "$SLURM_CONF" << CONF
ClusterName=one
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SrunPortRange=16900-16999
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.sock
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
EnforcePartLimits=ALL
MinJobAge=600
KillWait=2
NodeName=localhost NodeHostname=localhost NodeAddr=127.0.0.1 Port=16818 CPUs=$(nproc) RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
CONF
  ln -s "$SLURM_CONF" "$system_conf"
  /usr/sbin/munged --key-file="$folder/munge.key" --socket="$folder/munge.sock" --pid-file="$folder/munged.pid" \
    --log-file="$folder/log/munged.log" --seed-file="$folder/munge.seed"
  /usr/sbin/slurmctld -i
  /usr/sbin/slurmd -N localhost
  for _ in $(seq 100); do
    if sinfo -h -o %t 2> /dev/null | grep -qx idle; then exit 0; fi
    sleep 0.1
  done
  echo 'Slurm did not come up:' >&2
  tail -n 20 "$folder"/log/*.log >&2
  exit 1
}

down() {
  scancel --user="$(id -un)" || true
  sleep 1
  for daemon in slurmd slurmctld munged; do
    pid=$(cat "$folder/$daemon.pid" 2> /dev/null) || continue
    kill "$pid" 2> /dev/null || continue
    for _ in $(seq 100); do
      kill -0 "$pid" 2> /dev/null || break
      sleep 0.1
    done
    kill -9 "$pid" 2> /dev/null || true
  done
  if [ "$(readlink "$system_conf")" = "$SLURM_CONF" ]; then rm "$system_conf"; fi
}

"$1"
