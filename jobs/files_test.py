#!/usr/bin/env -S python3 -B
"""Tests that the files for job systems can be parsed, state the same number of shards everywhere, and report alike."""

import glob
import json
import os
import subprocess

import yaml

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

subprocess.run(["bash", "-n", "jobs/slurm.sh"], check=True)

with open("jobs/kubernetes.yaml", encoding="utf-8") as file:
    settings, _, shards, merge = yaml.safe_load_all(file)
count = int(settings["data"]["TIEOUT_SHARDS"])
assert count == shards["spec"]["completions"] == shards["spec"]["parallelism"], "kubernetes.yaml: the number of shards"
assert shards["spec"]["completionMode"] == "Indexed" and merge["spec"]["suspend"] is True
# Kubernetes leaves $(NAME) unchanged if the variable is unknown.
container = shards["spec"]["template"]["spec"]["containers"][0]
known = set(settings["data"]) | {variable["name"] for variable in container["env"]}
used = {word[word.index("$(") + 2:-1] for word in container["args"] if "$(" in word}
assert used and used <= known, f"kubernetes.yaml: {used - known}"

workflows = {}
for name in glob.glob(".github/workflows/*.yml"):
    with open(name, encoding="utf-8") as file:
        workflows[os.path.basename(name)] = yaml.safe_load(file)
nightly = workflows["nightly.yml"]
matrix = nightly["jobs"]["shard"]["strategy"]["matrix"]["shard"]
assert matrix == list(range(1, nightly["env"]["SHARDS"] + 1)), "nightly.yml: the matrix and SHARDS"
for workflow in workflows.values():
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            subprocess.run(["bash", "-n", "-c", step.get("run", "")], check=True)
with open(".github/baseline.json", encoding="utf-8") as file:
    assert isinstance(json.load(file), list)

# The last step of each must write three formats and use a baseline.
with open("jobs/slurm.sh", encoding="utf-8") as file:
    slurm = file.read()
steps = nightly["jobs"]["report"]["steps"]
reports = {"slurm.sh": slurm[slurm.index("merge=$("):],
           "kubernetes.yaml": merge["spec"]["template"]["spec"]["containers"][0]["args"][0],
           "nightly.yml": next(step["run"] for step in steps if step.get("name") == "Merge and report")}
for name, text in reports.items():
    for option in ("--html report.html", "--markdown report.md", "--junit report.xml"):
        assert option in text, f"{name}: the report has no {option}"
assert "$known" in reports["slurm.sh"] and "--baseline" in reports["nightly.yml"], "the report knows no baseline"
assert "TIEOUT_BASELINE" in settings["data"], "kubernetes.yaml: no baseline"  # both Jobs take all settings
for job in (shards, merge):
    sources = job["spec"]["template"]["spec"]["containers"][0]["envFrom"]
    assert {"configMapRef": {"name": "tieout"}} in sources, "kubernetes.yaml: a Job without the settings"
