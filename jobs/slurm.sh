#!/usr/bin/env bash
# A campaign on Slurm: an array job with a task a shard, then a job that merges their records and reports.
#
#   scripts/setup.sh tieout                    # once, on a disk that all nodes share
#   jobs/slurm.sh [--partition=night ...]      # sbatch's options, for both jobs
#
# A task whose node fails, or that is preempted, is queued again and goes on where its record ends. So does a second call
# with the same folder, for what ran into its time limit. Exit statuses are tieout's: 1 means differences.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

# What to set, here or in the environment.
shards=${TIEOUT_SHARDS:-8}
cores=${TIEOUT_CORES:-8}                              # of each shard
length=${TIEOUT_LENGTH:-"--for 8h"}                   # of each shard; or --cases N, of all together
folder=${TIEOUT_FOLDER:-$PWD/campaign-$(date +%F)}    # on a disk that all nodes share
baseline=${TIEOUT_BASELINE:-}                         # file of the findings that are known, if there is one
options=${TIEOUT_OPTIONS:-}                           # more of tieout campaign's: --corpus DIR
tieout=${TIEOUT_PROGRAM:-$root/build/release/bin/tieout}

mkdir -p -- "$folder"
folder=$(cd -- "$folder" && pwd)
# All shards take their cases from one sequence, and a second call goes on with it.
if [[ ! -s $folder/seed ]]; then echo "${TIEOUT_SEED:-$(od -An -N8 -tu8 /dev/urandom | tr -d ' ')}" >"$folder/seed"; fi
seed=$(<"$folder/seed")
known=
if [[ -n $baseline ]]; then
  baseline=$(realpath -e -- "$baseline")
  known="--baseline ${baseline@Q}"
fi

# exec: Slurm's signals reach tieout and no shell around it. @Q: quoted, so that a path may hold blanks.
array=$(sbatch --parsable --job-name=tieout --array="1-$shards" --requeue --open-mode=append \
  --cpus-per-task="$cores" --output="$folder/shard-%a.log" "$@" --wrap \
  "exec ${tieout@Q} campaign --resume --dir ${folder@Q} --seed $seed $length --workers $cores $known $options")
# afterany: a shard that found differences has failed in Slurm's eyes.
merge=$(sbatch --parsable --job-name=tieout-merge --dependency="afterany:${array%%;*}" --requeue --open-mode=append \
  --output="$folder/merge.log" "$@" --wrap \
  "cd ${folder@Q} && rm -f merged.tieout && ${tieout@Q} merge merged.tieout shard-*.tieout &&
   exec ${tieout@Q} report merged.tieout $known --html report.html --markdown report.md --junit report.xml")
echo "jobs ${array%%;*} and ${merge%%;*}; $folder will hold merged.tieout and report.html, .md and .xml (JUnit)"
