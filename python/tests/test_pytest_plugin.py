"""The plug-in as a project uses it: pytest runs in a folder of its own, with the plug-in loaded by name."""

import textwrap

import pytest
from conftest import ROOT

TESTS = f"""
import sys
sys.path[:0] = [{str(ROOT / "python")!r}, {str(ROOT / "python/tests")!r}]
import tieout
from conftest import contract_kernel, truncating_kernel

def test_right(tieout_kernel):
    report = tieout_kernel(contract_kernel, cases=20)
    print("cases:", report.totals.passed, "seed:", report.seed)

def test_wrong(tieout_kernel):
    tieout_kernel(truncating_kernel, cases=20, diagnose=0)

def test_raising(tieout_kernel):
    def raising(p: tieout.Problem):
        raise RuntimeError("out of paper")
    tieout_kernel(raising, cases=5)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(test_kernels=textwrap.dedent(TESTS))
    return pytester


def test_failures_print_the_replay_line(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("-p", "tieout.pytest_plugin", "-rA")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["cases: 20 seed: 1"])
    result.stdout.fnmatch_lines(["*expected *, came 0 at *", "*replay: tieout.check('conv*', truncating_kernel)"])
    result.stdout.fnmatch_lines(["raising raised RuntimeError: out of paper for the case 'conv*"])
    result.stdout.fnmatch_lines(["replay: tieout.check('conv*', raising)"])


def test_options_replace_cases_and_seed(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(
        "-p", "tieout.pytest_plugin", "-rA", "-k", "right", "--tieout-cases=7", "--tieout-seed=9"
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["cases: 7 seed: 9"])
