"""Tests the formats that other programs read: JSON against its schema, JUnit XML and SARIF by the rules of their readers.

Usage: formats_test.py SAMPLE_REPORT SCHEMA
Without python3-jsonschema it prints so and exits with 77, which ctest shows as skipped; with TIEOUT_NO_SKIP=1 it fails.
"""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

try:
    import jsonschema
except ModuleNotFoundError:
    print("formats_test.py lacks python3-jsonschema: scripts/test.sh installs it, or\n"
          "  apt-get install --no-install-recommends python3-jsonschema")
    sys.exit(1 if os.environ.get("TIEOUT_NO_SKIP") else 77)

SAMPLES = "nights", "hostile", "equal", "model", "unverified", "broken", "diagnosed"


def sample(name, form):
    return subprocess.run([sys.argv[1], name, form], check=True, stdout=subprocess.PIPE).stdout


def json_follows_its_schema(validator):
    for name in SAMPLES:
        document = json.loads(sample(name, "json"))
        for finding in document["findings"]:
            for tensor in "expected", "actual":  # the validator would take seconds for 200,000 numbers
                if tensor in finding:
                    del finding[tensor][2000:]
        validator.validate(document)


def what_is_not_finite_or_not_described_is_shown():
    findings = json.loads(sample("broken", "json"))["findings"]
    scaled = [element["scaled"] for finding in findings for element in finding.get("elements", [])]
    assert scaled == ["inf", "-inf", "nan", -0.0, 1.401298464324817e-45], scaled
    assert str(scaled[3]) == "-0.0"
    missing = sorted(finding["undescribed"] for finding in findings if "undescribed" in finding)
    assert missing == ["scalar and libtorch differ: tie; the tensors are missing: shrinking it died: SIGKILL",
                       "scalar and libtorch differ: tie; the tensors are missing: they were not kept"], missing
    for form in "html", "markdown", "junit", "sarif", "github":
        text = sample("broken", form).decode()
        assert "conv2d x=[2] w=[2]" in text and "conv2d x=[3] w=[3]" in text, form
    for form in "markdown", "junit":
        assert "shrinking it died: SIGKILL" in sample("broken", form).decode(), form


def the_schema_refuses_what_is_wrong(validator):
    for path, value in (
        (["version"], 2),
        (["runs", 0, "seed"], 7),
        (["runs", 0, "unknown"], 1),
        (["runs", 0, "cells", 0, "differed"], -1),
        (["total", "excused", 0, "count"], -1),
        (["total", "departures", 0, "elements"], 0.5),
        (["runs", 0, "departures", 0, "unknown"], 1),
        (["findings", 0, "expected", 0], 2**31),
        (["findings", 0, "failure"], "died"),
        (["total", "causes", 0, "text"], ""),
        (["total", "causes", 0, "proof", "fresh"], -1),
        (["findings", 0, "cause"], "tie"),
        (["findings", 0, "elements", 0, "scaled"], "NaN"),
        (["findings", 0, "difference", "histogram", 0, "difference"], 0),
    ):
        document = json.loads(sample("hostile", "json"))
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(document), f"the schema lets pass {path} = {value!r}"


def departures_are_counted_in_every_format():
    document = json.loads(sample("equal", "json"))
    for summary in document["total"], document["runs"][0]:
        assert [(entry["cases"], entry["elements"]) for entry in summary["departures"]] == [(310, 4127), (1, 1)], summary
        assert [entry["count"] for entry in summary["excused"]] == [95], summary
    for form in "html", "markdown", "junit", "sarif", "github":
        text = sample("equal", form).decode()
        for words in "4,127 elements in 310 cases are equal to LibTorch", "1 element in 1 case is equal to", \
                "95 cases count as equal although":
            assert text.count(words) == 1, f"{form} lacks '{words}', or has it twice"


def causes_lead_and_guesses_do_not_appear():
    document = json.loads(sample("diagnosed", "json"))
    assert "cases differ, 2 causes, 1 case unexplained, 61 with" in document["verdict"], \
        document["verdict"]
    assert [finding.get("cause") for finding in document["findings"]].count(0) == 3
    assert [finding["kind"] for finding in document["findings"] if "cause" not in finding] == ["unexplained"]
    for form in "html", "markdown", "junit", "sarif", "github", "text":
        text = sample("diagnosed", form).decode()
        assert "ties are rounded up" not in text, f"{form} shows a guess"
        assert "floorf(scaled + 0.5F)" in text and "kh 0       =  +" in text, form
        at = text.index("floorf(scaled + 0.5F)")
        assert "seed=4" not in text[:at], f"{form}: a finding comes before the causes"


def junit_adds_up():
    for name in SAMPLES:
        root = ElementTree.fromstring(sample(name, "junit"))
        assert root.tag == "testsuites", root.tag
        sums = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
        for suite in root:
            assert suite.tag == "testsuite" and suite.get("name") and float(suite.get("time")) >= 0
            counted = {
                "tests": len(suite.findall("testcase")),
                "failures": len(suite.findall("testcase/failure")),
                "errors": len(suite.findall("testcase/error")),
                "skipped": len(suite.findall("testcase/skipped")),
            }
            for key, count in counted.items():
                assert int(suite.get(key)) == count, f"{name}: {key} says {suite.get(key)}, holds {count}"
                sums[key] += count
            names = [(case.get("classname"), case.get("name")) for case in suite.findall("testcase")]
            assert all(all(pair) for pair in names), f"{name}: a test case without a name: {names}"
            assert len(set(names)) == len(names), f"{name}: two test cases of one name: {names}"
            for case in suite.findall("testcase"):
                outcomes = [child.tag for child in case if child.tag != "system-out"]
                assert len(outcomes) <= 1, f"{name}: Jenkins reads the first outcome only: {outcomes}"
        for key, count in sums.items():
            assert int(root.get(key)) == count, f"{name}: {key} of all says {root.get(key)}, holds {count}"


def junit_fails_where_the_report_does():
    for name, fails in ("nights", True), ("hostile", True), ("equal", False), ("unverified", True):
        root = ElementTree.fromstring(sample(name, "junit"))
        assert (int(root.get("failures")) > 0) == fails, name


def sarif_has_what_its_readers_require():
    """The fields that the standard and GitHub's code scanning require, and that references between them agree."""
    for name in SAMPLES:
        report = json.loads(sample(name, "json"))
        document = json.loads(sample(name, "sarif"))
        assert document["version"] == "2.1.0" and "sarif-2.1.0" in document["$schema"]
        run, = document["runs"]
        driver = run["tool"]["driver"]
        assert driver["name"] == "Tieout"
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids) and all(ids) and all(rule["shortDescription"]["text"] for rule in driver["rules"])
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert result["message"]["text"] and result["level"] in ("error", "note")
            place = result["locations"][0]["physicalLocation"]
            assert re.fullmatch(r"[A-Za-z0-9\-._~/%]+", place["artifactLocation"]["uri"]), place
            assert place["region"]["startLine"] == 1
            assert re.fullmatch("[0-9a-f]{16}", result["partialFingerprints"]["tieoutCase/v1"])
            assert (result["level"] == "note") == ("suppressions" in result)
        fingerprints = [result["partialFingerprints"]["tieoutCase/v1"] for result in run["results"]]
        assert len(set(fingerprints)) == len(fingerprints), name
        assert [one["commandLine"] for one in run["invocations"]] == [one["command"] for one in report["runs"]]
        last = run["invocations"][-1]
        assert last["exitCode"] == report["exit_status"] and last["executionSuccessful"] == (report["exit_status"] != 3)
        assert last["toolExecutionNotifications"][0]["message"]["text"].startswith(report["verdict"])
        causes = len(report["total"]["causes"])
        explained = sum("cause" in finding for finding in report["findings"])
        assert len(run["results"]) == causes + len(report["findings"]) - explained, name


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    json_follows_its_schema(validator)
    what_is_not_finite_or_not_described_is_shown()
    the_schema_refuses_what_is_wrong(validator)
    departures_are_counted_in_every_format()
    causes_lead_and_guesses_do_not_appear()
    junit_adds_up()
    junit_fails_where_the_report_does()
    sarif_has_what_its_readers_require()


if __name__ == "__main__":
    main()
