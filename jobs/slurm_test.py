#!/usr/bin/env -S python3 -B
"""Tests jobs/slurm.sh on a real Slurm in which a node fails: the merged record must equal that of one undisturbed run.

    jobs/slurm_test.py TIEOUT
"""

import glob
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

import slurm_cluster

SKIPPED = 77  # ctest counts a test with this exit status as skipped
SHARDS = 3    # more than nodes, so that one shard has to wait
CASES = 7500  # five blocks per shard, so that a node can fail between the first and the last
SEED = 31

# These queries return all contents of a record except times and workers.
QUESTIONS = (
    "SELECT command, subject, reference, cpu, isa, libtorch, cores, seed, shard, shards, finished, hunting FROM run",
    "SELECT * FROM status", "SELECT * FROM reason", "SELECT * FROM difference", "SELECT name, cases FROM strategy",
    "SELECT * FROM class", "SELECT * FROM cell", "SELECT * FROM cell_class", "SELECT * FROM block",
    "SELECT case_index, kind, engine, isa, path, case_line, json FROM finding ORDER BY case_index, kind")


def answers(record):
    connection = sqlite3.connect(record)
    try:
        return {question: connection.execute(question).fetchall() for question in QUESTIONS}
    finally:
        connection.close()


def blocks(record):
    """Returns the number of blocks in the record without that of the corpus; 0 if it cannot be read now."""
    try:
        connection = sqlite3.connect(f"file:{record}?mode=ro", uri=True, timeout=0)
        try:
            return connection.execute("SELECT count(*) FROM block WHERE number >= 0").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def text(file):
    with open(file, encoding="utf-8") as opened:
        return opened.read()


def campaign_with_a_failing_node(cluster, tieout, folder, meanwhile):
    """Submits a campaign and kills the node of the first task that has recorded a block.

    Waits until all jobs have ended and returns the shard of that task, from 1. meanwhile() is called while Slurm
    detects the failure, which takes a quarter of a minute.
    """
    settings = {"TIEOUT_SHARDS": str(SHARDS), "TIEOUT_CORES": "1", "TIEOUT_LENGTH": f"--cases {CASES}",
                "TIEOUT_SEED": str(SEED), "TIEOUT_FOLDER": folder, "TIEOUT_PROGRAM": tieout, "TIEOUT_BASELINE": f"{folder} known.json"}
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slurm.sh")
    said = subprocess.run([script], env=cluster.environment | settings, capture_output=True, text=True, check=False)
    jobs = re.match(r"jobs (\d+) and (\d+);", said.stdout)
    if not jobs:
        raise RuntimeError(f"jobs/slurm.sh: {said.stdout}{said.stderr}")
    array, merge = jobs.groups()

    nodes = {}

    def tasks_run():
        running = cluster.ask(f"squeue -h -t RUNNING -j {array} -o %K/%N")
        nodes.update(line.split("/") for line in running.splitlines())
        return len(nodes) == len(slurm_cluster.NODES)

    cluster.wait_until(tasks_run, "a task runs on each node")

    def with_a_block():
        return [shard for shard in nodes if blocks(f"{folder}/shard-{int(shard):04}-of-{SHARDS:04}.tieout") > 0]

    cluster.wait_until(with_a_block, "a task has a block in its record")
    victim = with_a_block()[0]
    cluster.fail_node(nodes[victim])
    meanwhile()
    cluster.wait_until(lambda: not cluster.ask("squeue -h"), "all jobs have ended")

    for shard in range(1, SHARDS + 1):
        job = cluster.job(f"{array}_{shard}")
        assert job.get("JobState") == "COMPLETED", job
        assert str(shard) != victim or int(job["Restarts"]) > 0, job
    assert cluster.job(merge).get("JobState") == "COMPLETED", text(f"{folder}/merge.log")
    return victim


def main():
    tieout = os.path.abspath(sys.argv[1])
    os.environ.pop("SLURM_ARRAY_TASK_ID", None)  # set if this test itself runs in Slurm
    if slurm_cluster.missing():
        print(f"skipped: {' '.join(slurm_cluster.missing())} not found; apt-get install --no-install-recommends "
              f"{' '.join(slurm_cluster.PACKAGES)}")
        return SKIPPED
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, lambda number, _: sys.exit(f"ended by {signal.Signals(number).name}"))
    signal.alarm(240)  # earlier than ctest's timeout, so that the test can clean up
    folder = tempfile.mkdtemp(prefix="tieout slurm ")
    state = tempfile.mkdtemp(prefix="tieout-slurm-")  # Slurm accepts no spaces here

    def undisturbed():
        subprocess.run([tieout, "campaign", "--dir", f"{folder}/whole", "--cases", str(CASES), "--seed", str(SEED),
                        "--baseline", f"{folder}/shards known.json"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    with open(f"{folder}/shards known.json", "w", encoding="utf-8") as file:
        json.dump([{"kind": "a kind that is gone", "reason": "to be named in the report"}], file)
    try:
        with slurm_cluster.Cluster(state) as cluster:
            try:
                shard = campaign_with_a_failing_node(cluster, tieout, f"{folder}/shards", undisturbed)
            except BaseException:
                print(cluster.logs(), *(text(log) for log in glob.glob(f"{folder}/shards/*.log")), sep="\n")
                raise
        done = [int(count) for count in re.findall(r", (\d+) cases done", text(f"{folder}/shards/shard-{shard}.log"))]
        assert len(done) > 1 and done[0] == 0 and 0 < done[1] < CASES / SHARDS, f"begun with {done} cases done"
        expected, actual = answers(f"{folder}/whole/run.tieout"), answers(f"{folder}/shards/merged.tieout")
        for question in QUESTIONS:
            assert expected[question] == actual[question], f"{question}:\n{expected[question]}\n{actual[question]}"
        assert "a kind that is gone" in text(f"{folder}/shards/report.md"), "the report knows no baseline"
        assert os.path.getsize(f"{folder}/shards/report.html") and os.path.getsize(f"{folder}/shards/report.xml")
        titles = [text(f"{folder}/{report}").splitlines()[0] for report in ("whole/run.md", "shards/report.md")]
        assert titles[0] == titles[1], titles
        print(f"shard {shard} lost its node after {done[1]} cases; the merged record is that of one run: {titles[0]}")
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(state, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
