#!/usr/bin/env bash
# Submits a campaign to Slurm: an array job with one task per shard, then a job that merges their records and reports.
#
#   scripts/setup.sh tieout                    # once, on a disk that all nodes share
#   jobs/slurm.sh [--partition=night ...]      # options of sbatch, for both jobs
#
# A task whose node fails, or that is preempted, is queued again and resumes from its record. A second call with the
# same folder resumes the tasks that reached their time limit. The jobs' exit statuses are those of tieout: 1 means
# differences.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

# The settings, which can be changed here or in the environment.
shards=${TIEOUT_SHARDS:-8}
cores=${TIEOUT_CORES:-8}                              # cores of each shard
length=${TIEOUT_LENGTH:-"--for 8h"}                   # duration of each shard; or --cases N for all shards together
folder=${TIEOUT_FOLDER:-$PWD/campaign-$(date +%F)}    # on a disk that all nodes share
baseline=${TIEOUT_BASELINE:-}                         # file of known findings; empty: none
options=${TIEOUT_OPTIONS:-}                           # further options of tieout campaign, such as --corpus DIR
tieout=${TIEOUT_PROGRAM:-$root/build/release/bin/tieout}

mkdir -p -- "$folder"
folder=$(cd -- "$folder" && pwd)
# All shards take their cases from the sequence of one seed, which a second call must use again.
if [[ ! -s $folder/seed ]]; then echo "${TIEOUT_SEED:-$(od -An -N8 -tu8 /dev/urandom | tr -d ' ')}" >"$folder/seed"; fi
seed=$(<"$folder/seed")
known=
if [[ -n $baseline ]]; then
  baseline=$(realpath -e -- "$baseline")
  known="--baseline ${baseline@Q}"
fi

# exec makes Slurm's signals reach tieout instead of a shell. @Q quotes, so that paths can contain spaces.
array=$(sbatch --parsable --job-name=tieout --array="1-$shards" --requeue --open-mode=append \
  --cpus-per-task="$cores" --output="$folder/shard-%a.log" "$@" --wrap \
  "exec ${tieout@Q} campaign --resume --dir ${folder@Q} --seed $seed $length --workers $cores $known $options")
# afterany is needed because Slurm counts a shard that found differences as failed.
merge=$(sbatch --parsable --job-name=tieout-merge --dependency="afterany:${array%%;*}" --requeue --open-mode=append \
  --output="$folder/merge.log" "$@" --wrap \
  "cd ${folder@Q} && rm -f merged.tieout && ${tieout@Q} merge merged.tieout shard-*.tieout &&
   exec ${tieout@Q} report merged.tieout $known --html report.html --markdown report.md --junit report.xml")
echo "jobs ${array%%;*} and ${merge%%;*}; $folder will hold merged.tieout and report.html, .md and .xml (JUnit)"
