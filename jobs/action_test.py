#!/usr/bin/env -S python3 -B
"""Tests the GitHub Action: its inputs are declared and used, and its script verifies, reports and passes the status on.

Usage: action_test.py PROGRAM
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import yaml

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
with open(".github/actions/tieout/action.yml", encoding="utf-8") as file:
    text = file.read()
action = yaml.safe_load(text)
steps = action["runs"]["steps"]
used = set(re.findall(r"inputs\.(\w+)", text))
assert used == set(action["inputs"]), used ^ set(action["inputs"])
for step in steps:
    if "run" in step:
        assert "${{" not in step["run"], f"{step['name']}: an input in the text of a script could contain commands"
        subprocess.run(["bash", "-n", "-c", step["run"]], check=True)
assert [step.get("name") for step in steps][-1] == "Verdict"


def verify(folder, subject, arguments):
    """Runs the step as GitHub does; returns its outputs, the SARIF report and the summary."""
    step = next(step for step in steps if step.get("id") == "fuzz")
    bin_folder = os.path.join(folder, "bin")
    os.makedirs(bin_folder, exist_ok=True)
    tieout = os.path.join(bin_folder, "tieout")
    if not os.path.exists(tieout):
        os.symlink(os.path.abspath(sys.argv[1]), tieout)
    paths = {name: os.path.join(folder, name) for name in ("output", "summary", "tieout.sarif")}
    for path in paths.values():
        open(path, "w", encoding="utf-8").close()
    values = {"SUBJECT": subject, "CASES": "300", "SEED": "1", "ARGUMENTS": arguments, "SARIF": paths["tieout.sarif"],
              "RUNNER_TEMP": folder, "GITHUB_OUTPUT": paths["output"], "GITHUB_STEP_SUMMARY": paths["summary"],
              "PATH": bin_folder + ":" + os.environ["PATH"]}
    assert set(step["env"]) <= set(values)
    done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], check=True,
                          env={**os.environ, **values}, stdout=subprocess.PIPE, text=True)
    contents = []
    for path in paths.values():
        with open(path, encoding="utf-8") as file:
            contents.append(file.read())
    return done.stdout, *contents


with tempfile.TemporaryDirectory(prefix="tieout action ") as folder:
    printed, output, summary, sarif = verify(folder, "hypothesis:integer_float32", "")
    assert output == "status=0\n", output + printed
    assert "300 cases verified" in summary, summary
    assert json.loads(sarif)["runs"][0]["results"] == []

    printed, output, summary, sarif = verify(folder, "hypothesis:round_half_away", "--where 'dims=2 groups=1' --diagnose 0")
    assert output == "status=1\n", output + printed
    run, = json.loads(sarif)["runs"]
    assert run["results"] and "--where 'dims=2 groups=1'" in run["invocations"][0]["commandLine"], run["invocations"]
    assert "::error" in printed and "differ" in summary
