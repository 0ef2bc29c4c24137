"""The functions of the module, by the program and LibTorch."""

import os
import pathlib
import subprocess
import sys
import textwrap
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import ROOT, contract_kernel, truncating_kernel

import tieout
from tieout import _program

Output = npt.NDArray[np.uint8]


def test_a_kernel_that_follows_the_contract_is_verified() -> None:
    report = tieout.verify(contract_kernel, cases=150, seed=2)
    assert report.passed and report.status == 0, report
    assert (report.totals.passed, report.totals.differed, report.findings, report.seed) == (150, 0, (), 2)
    assert report.elements > 0 and report.reference.startswith("LibTorch ")
    assert "150 cases verified" in report.verdict


def test_a_wrong_kernel_is_found_with_its_smallest_case() -> None:
    report = tieout.verify(truncating_kernel, cases=60, seed=1, diagnose=0)
    assert report.status == 1 and report.totals.differed > 10
    finding = report.findings[0]
    assert finding.expected is not None and finding.actual is not None
    assert finding.actual.shape == finding.expected.shape and (finding.actual != finding.expected).any()
    assert finding.elements[0].actual == 0 != finding.elements[0].expected
    assert finding.replay == f"tieout.check({str(finding.case)!r}, truncating_kernel)"
    assert finding.replay in str(report) and finding.replay in report.text
    assert "_relay" not in report.text
    again = tieout.check(finding.case, truncating_kernel)
    assert again.status == 1 and again.findings[0].case == finding.case


def test_a_proven_cause_is_reported() -> None:
    report = tieout.verify("hypothesis:round_half_away", cases=500, seed=1)
    assert report.status == 1, report
    assert [cause.text.split(":")[0] for cause in report.causes] == ["rounding"], report
    cause = report.causes[0]
    assert cause.proof is not None and 0 < cause.proof.explained <= cause.proof.differing <= cause.proof.fresh
    assert cause.diff[0].startswith("- ") and cause.diff[-1].startswith("+ ")
    assert (cause.cases or 0) > 0 and cause.expected != cause.actual
    assert cause.text in str(report) and cause.text in report._repr_html_()


def test_an_exception_has_the_smallest_case_and_its_cause() -> None:
    def fails(p: tieout.Problem) -> Output:
        if p.relu:
            raise ZeroDivisionError("no relu\nhere")
        return contract_kernel(p)

    with pytest.raises(
        tieout.KernelError, match=r"fails raised ZeroDivisionError: no relu here for the case '"
    ) as caught:
        tieout.verify(fails, cases=20, seed=1)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__traceback__ is not None
    report = caught.value.report
    assert report is not None and report.totals.crashed > 0 and report.totals.passed > 0
    assert all(finding.case.relu for finding in report.findings if finding.failure)
    assert "replay: tieout.check('conv" in str(caught.value)
    with pytest.raises(tieout.KernelError, match="ZeroDivisionError"):
        tieout.check("conv2d relu x=[1] w=[1]", fails)
    assert tieout.check("conv2d x=[1] w=[1]", contract_kernel).passed


def test_an_unfit_output_is_an_error() -> None:
    with pytest.raises(tieout.KernelError, match="returned float64, and must return uint8"):
        tieout.check("conv2d x=[1] w=[1]", lambda p: np.zeros(p.output_shape))


def test_the_kernel_runs_in_the_calling_thread_and_sees_its_variables() -> None:
    threads: set[threading.Thread] = set()
    calls = 0

    def counting(p: tieout.Problem) -> Output:
        nonlocal calls
        calls += 1
        threads.add(threading.current_thread())
        return contract_kernel(p)

    assert tieout.verify(counting, cases=10, seed=1).passed
    assert calls >= 10 and threads == {threading.current_thread()}


def test_an_interruption_ends_the_program_and_is_passed_on() -> None:
    def interrupted(p: tieout.Problem) -> Output:
        raise KeyboardInterrupt

    before = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        tieout.verify(interrupted, cases=1000, seed=1)
    assert time.monotonic() - before < 60
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True).stdout
    assert "tieout" not in children.split()


def test_an_output_that_does_not_come_in_time_is_a_finding() -> None:
    def hangs(p: tieout.Problem) -> Output:
        if p.relu:
            time.sleep(2.5)
        return contract_kernel(p)

    report = tieout.check("conv2d relu x=[1] w=[1]", hangs, patience=2)
    assert report.status == 1 and report.totals.crashed == 1
    assert report.findings[0].failure


def test_declined_cases_are_counted_by_reason() -> None:
    def declines(p: tieout.Problem) -> Output:
        raise tieout.Declined("not yet")

    report = tieout.verify(declines, cases=20, seed=1, where="all")
    assert report.status == 3 and not report.passed
    assert report.reasons == {"declined by the subject: not yet": 20}
    assert "20 cases not verified: declined by the subject: not yet" in str(report)


def test_without_a_kernel_libtorch_itself_is_checked() -> None:
    assert tieout.check(tieout.Case(x=(1,), w=(1,), xs=0.1, ws=(0.5,), os=0.1)).passed


def test_other_subjects_and_references() -> None:
    report = tieout.verify(
        "hypothesis:round_down", cases=50, seed=1, diagnose=0, reference="hypothesis:integer_float32"
    )
    assert report.status == 1
    assert report.findings[0].replay.startswith("tieout check --subject hypothesis:round_down")
    assert tieout.verify("hypothesis:integer_exact", cases=1, seed=1, reference="hypothesis:integer_exact").passed


def test_explain_shows_the_value_of_the_kernel() -> None:
    explanation = tieout.explain(
        "conv2d bias=[0.5] x=[0] w=[0]", lambda p: np.ones(p.output_shape, np.uint8), at=(0, 0, 0, 0)
    )
    assert explanation.case == tieout.Case.parse("conv2d bias=[0.5] x=[0] w=[0]")
    assert "kernel answers: 1" in explanation.text and "accumulator" in str(explanation)
    assert "<pre>" in explanation._repr_html_()

    def fails(p: tieout.Problem) -> Output:
        raise OSError("no board")

    with pytest.raises(tieout.KernelError, match="fails raised OSError: no board"):
        tieout.explain("conv2d x=[0] w=[0]", fails)


def test_diagnose_names_the_lines() -> None:
    diagnosis = tieout.diagnose("hypothesis:round_half_away", seconds=20, proof=300)
    assert diagnosis.status == 1 and len(diagnosis.causes) == 1
    assert diagnosis.causes[0].text.startswith("rounding: ties away from zero")
    assert diagnosis.causes[0].condition == "" and diagnosis.causes[0].case.dims in (1, 2, 3)
    assert diagnosis.causes[0].diff[0].startswith("- ") and "rounding" in diagnosis._repr_html_()


def test_the_experiment_is_that_of_the_program() -> None:
    printed = subprocess.run(
        [tieout.program(), "experiment", "--seed", "3"], capture_output=True, text=True, check=True
    ).stdout
    experiment = tieout.experiment(3)
    assert experiment.text == printed
    assert experiment.report.totals.passed == 1 and str(experiment).startswith("manual_output_1:")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tieout.verify("hypothesis:none", cases=1), "none"),
        (lambda: tieout.verify("./absent.so", cases=1), "absent.so"),
        (lambda: tieout.verify(contract_kernel, cases=0), "cases"),
        (lambda: tieout.verify(contract_kernel, cases=1, where="dims=9=9"), "dims"),
        (lambda: tieout.check("conv2d qq=1"), "qq: is not a word"),
        (lambda: tieout.explain("conv2d qq=1"), "qq: is not a word"),
        (lambda: tieout.diagnose("hypothesis:none"), "none"),
    ],
)
def test_what_the_program_refuses_is_an_error_with_its_words(call: Any, message: str) -> None:
    with pytest.raises(tieout.ProgramError, match=message) as caught:
        call()
    assert caught.value.status in (2, 3)


def test_a_missing_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_PROGRAM", "/absent/tieout")
    with pytest.raises(tieout.ProgramError, match="/absent/tieout cannot be started: No such file"):
        tieout.check("conv2d x=[1] w=[1]")


def test_libtorch_is_that_of_the_torch_of_this_python(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.delenv("TIEOUT_TORCH", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('torch must not be imported')")
    assert "TIEOUT_TORCH" not in _program._environment()  # a package without LibTorch's library is something else
    (package / "lib").mkdir()
    (package / "lib/libtorch_cpu.so").touch()
    assert _program._environment()["TIEOUT_TORCH"] == str(package)
    monkeypatch.setenv("TIEOUT_TORCH", "/mine")
    assert _program._environment()["TIEOUT_TORCH"] == "/mine"


def test_a_report_as_a_page_is_written(tmp_path: pathlib.Path) -> None:
    page = tmp_path / "report.html"
    tieout.verify("hypothesis:round_down", cases=5, seed=1, diagnose=0, reference="hypothesis:round_half_up", html=page)
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_html_for_notebooks_escapes_texts() -> None:
    def fails(p: tieout.Problem) -> Output:
        raise ValueError("<script>")

    with pytest.raises(tieout.KernelError) as caught:
        tieout.check("conv2d x=[1] w=[1]", fails)
    assert caught.value.report is not None
    html = caught.value.report._repr_html_()
    assert "&lt;script&gt;" in html and "<script>" not in html


def test_a_long_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / ("long" * 20)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert tieout.check("conv2d x=[1] w=[1]", contract_kernel).passed


def test_results_are_immutable() -> None:
    report = tieout.check("conv2d x=[1] w=[1]", contract_kernel)
    with pytest.raises(AttributeError):
        report.verdict = ""  # type: ignore[misc]


def test_serve_makes_a_program_of_a_kernel(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "kernel.py"
    script.write_text(textwrap.dedent(f"""
            import sys
            sys.path[:0] = [{str(ROOT / "python")!r}, {str(ROOT / "python/tests")!r}]
            import tieout
            from conftest import contract_kernel

            def mine(p: tieout.Problem):
                print("a line that must not get between the answers")
                return contract_kernel(p)

            tieout.serve(mine)
            """))
    report = tieout.verify(f"command:{sys.executable} {script}", cases=20, seed=1)
    assert report.passed, report
    assert report.raw["runs"][0]["subject"]
