"""The functions of the module. Each starts one command of the program."""

from __future__ import annotations

import os
from typing import Optional, Union

from ._case import Case
from ._kernel import Arrays, kernel_name
from ._program import KernelError, Outcome, ProgramError, Subject, describe, run
from ._report import Diagnosis, Experiment, Explanation, Report, read_diagnosis, read_report

# Calls of a Python kernel may compile, or wait in a debugger; a hang is reported after this time.
_PATIENCE_WITH_PYTHON = 60.0

_File = Optional[Union[str, "os.PathLike[str]"]]


def check(
    case: Case | str,
    kernel: Subject | None = None,
    *,
    arrays: Arrays | None = None,
    patience: float | None = None,
    reference: str | None = None,
    strict: bool = False,
) -> Report:
    """Verifies one case: the kernel's output, or without a kernel LibTorch's, against the expected one.

    The parameters are those of `verify`.
    """
    options = _options(kernel, patience, reference=reference, strict=strict)
    return _report(run(["check", str(case), *options], kernel, arrays), kernel)


def verify(
    kernel: Subject,
    cases: int = 1000,
    seed: int | None = None,
    where: str | None = None,
    *,
    arrays: Arrays | None = None,
    patience: float | None = None,
    reference: str | None = None,
    strict: bool = False,
    diagnose: float | None = None,
    allow_skipped: bool = False,
    html: _File = None,
) -> Report:
    """Verifies a kernel on random cases that hunt for differences, and returns the report.

    kernel: a callable that takes a `Problem`, or a `TorchProblem`, and returns the output, uint8 of the shape
        `problem.output_shape`; `kernel_types` declares other types. It raises `Declined` for problems that it does not
        support. It is called in this thread.
        A text or path names any other subject, as `tieout fuzz --subject` takes it: a shared library, `command:LINE`,
        `hypothesis:NAME` or `engine:NAME`.
    cases: number of cases.
    seed: of the sequence of cases, 0..2^64-1; None: drawn, and stated in the report.
    where: conditions on the cases, such as "dims=2 kernel=3x3|5x5" (docs/bring_your_own.md); None: learnt from what the
        kernel declines.
    arrays: "torch" if the callable takes a `TorchProblem`; None: by the annotation of its first parameter.
    patience: seconds until an output that has not come is a hang; None: 60 for a callable, 5 for other subjects.
    reference: another implementation whose output is expected, named as a subject is; None: LibTorch.
    strict: accept only LibTorch's values, even where its code departs from its contract.
    diagnose: time limit of the diagnosis after differences, in seconds; None: 20; 0: no diagnosis.
    allow_skipped: do not give the status 3 if less than a tenth of the cases was verified.
    html: a file for the report as a page.

    Raises KernelError if the callable raised an exception, and ProgramError if the program refuses the arguments or
    LibTorch cannot be used.
    """
    options = _options(kernel, patience, reference=reference, strict=strict, seed=seed, where=where, html=html)
    options += [] if diagnose is None else ["--diagnose", str(diagnose)]
    options += ["--allow-skipped"] if allow_skipped else []
    options += ["--workers", "1"] if callable(kernel) else []  # the callable is called in one thread
    return _report(run(["fuzz", "--cases", str(cases), *options], kernel, arrays), kernel)


def explain(
    case: Case | str,
    kernel: Subject | None = None,
    *,
    at: tuple[int, ...] | None = None,
    arrays: Arrays | None = None,
    patience: float | None = None,
) -> Explanation:
    """Returns the arithmetic of one output element, step by step, under each hypothesis, with the kernel's value.

    at: index of the element; None: where the hypotheses differ most. The other parameters are those of `verify`.
    """
    options = _options(kernel, patience, at=None if at is None else ",".join(map(str, at)))
    outcome = run(["explain", str(case), *options], kernel, arrays)
    _raise_from_kernel(outcome, kernel, None)
    if outcome.status == 3:
        raise ProgramError(outcome.messages.strip(), outcome.status)
    return Explanation(case if isinstance(case, Case) else Case.parse(case), outcome.output)


def diagnose(
    kernel: Subject,
    *,
    seconds: float | None = None,
    proof: int | None = None,
    seed: int | None = None,
    where: str | None = None,
    arrays: Arrays | None = None,
    patience: float | None = None,
) -> Diagnosis:
    """Finds out which lines of the contract a kernel computes in another way, and proves it on fresh cases.

    seconds: time limit of the search; None: 45. proof: number of fresh cases; None: 10,000. The other parameters and
    the exceptions are those of `verify`.
    """
    options = _options(kernel, patience, seconds=seconds, proof=proof, seed=seed, where=where)
    outcome = run(["diagnose", *options], kernel, arrays)
    _raise_from_kernel(outcome, kernel, None)
    if outcome.report is None:
        raise ProgramError(outcome.messages.strip() or outcome.output.strip(), outcome.status)
    return read_diagnosis(outcome.report, outcome.status, outcome.output)


def experiment(seed: int | None = None) -> Experiment:
    """Runs the experiment of README.md: a quantized convolution of LibTorch, recomputed from dequantized values.

    seed: that of torch.manual_seed(); None: drawn.
    """
    outcome = run(["experiment", *_options(None, None, seed=seed)])
    if outcome.report is None:
        raise ProgramError(outcome.messages.strip(), outcome.status)
    return Experiment(outcome.output, read_report(outcome.report, outcome.status, outcome.messages, None))


def _options(kernel: Subject | None, patience: float | None, *, strict: bool = False, **named: object) -> list[str]:
    if patience is None and callable(kernel):
        patience = _PATIENCE_WITH_PYTHON
    options = ["--strict"] if strict else []
    named["patience"] = patience
    for name, value in named.items():
        if value is not None:
            options += [f"--{name}", os.fspath(value) if isinstance(value, os.PathLike) else str(value)]
    return options


def _report(outcome: Outcome, kernel: Subject | None) -> Report:
    if outcome.report is None:
        raise ProgramError(outcome.messages.strip() or outcome.output.strip(), outcome.status)
    name = kernel_name(kernel) if callable(kernel) else None
    report = read_report(outcome.report, outcome.status, outcome.output, name)
    _raise_from_kernel(outcome, kernel, report)
    if report.status == 3 and not report.totals.passed and "LibTorch" in outcome.messages:
        raise ProgramError(outcome.messages.strip(), outcome.status)
    return report


def _raise_from_kernel(outcome: Outcome, kernel: Subject | None, report: Report | None) -> None:
    """Raises KernelError if the kernel raised an exception on a case of the run.

    Exceptions on other problems, by which the program looks for a cause, do not count if there is a report.
    """
    if outcome.raised is None or not callable(kernel):
        return
    failed = [] if report is None else [finding for finding in report.findings if finding.failure]
    if report is not None and not failed and not report.totals.crashed:
        return
    smallest = min(failed, key=lambda finding: len(str(finding.case)), default=None)
    where = f" for the case '{smallest.case}'\nreplay: {smallest.replay}" if smallest else ""
    raise KernelError(f"{kernel_name(kernel)} raised {describe(outcome.raised)}{where}", report) from outcome.raised
