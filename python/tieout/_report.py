"""What a run of the program found, as immutable objects. They hold the values of the JSON report (docs/reports.md)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from ._case import Case


@dataclasses.dataclass(frozen=True)
class Totals:
    """Numbers of cases by outcome.

    mistrusted: LibTorch has a known defect there. errored: the engine or the subject was unavailable. starved: the
    system refused memory or a process.
    """

    passed: int
    differed: int
    skipped: int
    mistrusted: int
    crashed: int
    errored: int
    starved: int


@dataclasses.dataclass(frozen=True)
class Proof:
    """Counts of fresh cases, which were not used to find a cause: all, those that the model predicts, those that
    differ, and those of them that the cause explains."""

    fresh: int
    predicted: int
    differing: int
    explained: int


@dataclasses.dataclass(frozen=True)
class Cause:
    """An expression that the kernel computes in another way than the contract.

    condition: where it does so; empty: always. diff: lines of C, those of the contract with "- " and those of the
    kernel with "+ ". cases: number of differing cases that the cause explains, and None in a Diagnosis. case: the
    smallest one, at which `expected` and `actual` are the values. proof: None in a Diagnosis, whose `verdict` states it
    for all causes.
    """

    text: str
    condition: str
    diff: tuple[str, ...]
    case: Case
    expected: int
    actual: int
    cases: int | None = None
    proof: Proof | None = None


@dataclasses.dataclass(frozen=True)
class Difference:
    """One output element. accumulator: the sum of products without zero points. scaled: before rounding."""

    index: tuple[int, ...]
    expected: int
    actual: int
    accumulator: int
    scaled: float


@dataclasses.dataclass(frozen=True, eq=False)
class Finding:
    """A case in which the kernel, or LibTorch, does not give the expected output.

    case: the smallest that shows it. drawn: the case before it was shrunk. kind: proven cause, class of the difference,
    or how the engine failed. failure: why there is no output; empty if there is one. expected, actual: the outputs, of
    the type case.ytype, or None. elements: the first that differ. explanation: the arithmetic of one element, step by
    step. replay: what repeats it, a command of the shell, or a call in Python if the kernel is a Python callable.
    """

    case: Case
    drawn: Case
    kind: str
    failure: str
    expected: npt.NDArray[np.integer[Any]] | None
    actual: npt.NDArray[np.integer[Any]] | None
    elements: tuple[Difference, ...]
    explanation: str
    replay: str

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.case}"]
        if self.failure:
            lines.append(f"  {self.failure}")
        for e in self.elements[:1]:
            lines.append(f"  expected {e.expected}, came {e.actual} at {list(e.index)}, before rounding {e.scaled:.9g}")
        return "\n".join([*lines, f"  replay: {self.replay}"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{list(e.index)}</td><td>{e.expected}</td><td>{e.actual}</td><td>{e.accumulator}</td>"
            f"<td>{e.scaled:.9g}</td></tr>"
            for e in self.elements[:8]
        )
        table = (
            "<table><tr><th>index</th><th>expected</th><th>actual</th><th>accumulator</th><th>before rounding</th></tr>"
            f"{rows}</table>"
        )
        return (
            f"<p><b>{escape(self.kind)}</b> {escape(self.failure)}</p><p><code>{escape(str(self.case))}</code></p>"
            f"{table if rows else ''}<details><summary>explanation</summary>"
            f"<pre>{escape(self.explanation)}</pre></details>"
            f"<p>replay: <code>{escape(self.replay)}</code></p>"
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Report:
    """The result of a run that verifies.

    status: 0 verified and equal, 1 differences, 3 could not verify. text: what the program prints. reasons: numbers of
    cases that were not verified, by reason. raw: the whole JSON report.
    """

    verdict: str
    status: int
    totals: Totals
    elements: int
    seconds: float
    reasons: Mapping[str, int]
    causes: tuple[Cause, ...]
    findings: tuple[Finding, ...]
    seed: int
    reference: str
    text: str
    raw: Mapping[str, Any] = dataclasses.field(repr=False)

    @property
    def passed(self) -> bool:
        """True if enough cases were verified and all are equal."""
        return self.status == 0

    def __str__(self) -> str:
        parts = [
            self.verdict,
            *(_cause_text(i, cause) for i, cause in enumerate(self.causes, 1)),
            *map(str, self.findings),
        ]
        if self.status == 3:
            parts += [f"{count} cases not verified: {reason}" for reason, count in self.reasons.items()]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        findings = "".join(finding._repr_html_() for finding in self.findings[:10])
        more = len(self.findings) - 10
        return (
            f"<h4>{escape(self.verdict)}</h4>{_causes_html(self.causes)}{findings}"
            f"{f'<p>and {more} more findings</p>' if more > 0 else ''}<p>reference: {escape(self.reference)}</p>"
        )


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Why a kernel differs.

    causes: what it computes in another way than the contract; none: it follows the contract, or no cause was proven, as
    `verdict` states. status: as that of a Report. text: what the program prints.
    """

    verdict: str
    status: int
    causes: tuple[Cause, ...]
    text: str

    def __str__(self) -> str:
        return self.text.rstrip()

    def _repr_html_(self) -> str:
        return f"<h4>{escape(self.verdict)}</h4>{_causes_html(self.causes)}"


@dataclasses.dataclass(frozen=True)
class Explanation:
    """The arithmetic of one output element, step by step, under each hypothesis."""

    case: Case
    text: str

    def __str__(self) -> str:
        return self.text.rstrip()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """The experiment's output, byte for byte as its Python script prints it, and the report of its comparison."""

    text: str
    report: Report

    def __str__(self) -> str:
        return self.text.rstrip()

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text)}</pre>"


def _cause_text(number: int, cause: Cause) -> str:
    lines = [f"{number}. {cause.text}", f"   {cause.condition or 'always'}", *(f"   {line}" for line in cause.diff)]
    return "\n".join([*lines, f"   smallest case, expected {cause.expected}, came {cause.actual}: {cause.case}"])


def _causes_html(causes: Sequence[Cause]) -> str:
    return "".join(
        f"<p><b>{escape(cause.text)}</b> ({escape(cause.condition or 'always')})</p><pre>"
        + escape("\n".join(cause.diff))
        + f"</pre><p>smallest case, expected {cause.expected}, came {cause.actual}: "
        + f"<code>{escape(str(cause.case))}</code></p>"
        for cause in causes
    )


def read_report(raw: Mapping[str, Any], status: int, text: str, kernel: str | None) -> Report:
    """Returns the report of the JSON.

    kernel: the name of a Python callable, which the calls that replay findings contain; None: another subject.
    """
    total = raw["total"]
    return Report(
        verdict=raw["verdict"],
        status=status,
        totals=Totals(**total["cases"]),
        elements=total["elements"],
        seconds=total["seconds"],
        reasons={reason["name"]: reason["count"] for reason in total["reasons"]},
        causes=tuple(map(_read_cause, total["causes"])),
        findings=tuple(_read_finding(finding, kernel) for finding in raw["findings"]),
        seed=int(raw["runs"][-1]["seed"]),
        reference=raw["runs"][-1]["reference"],
        text=text,
        raw=raw,
    )


def read_diagnosis(raw: Mapping[str, Any], status: int, text: str) -> Diagnosis:
    causes = tuple(map(_read_cause, raw.get("total", {}).get("causes", ())))
    return Diagnosis(raw["verdict"], status, causes, text)


def _read_cause(raw: Mapping[str, Any]) -> Cause:
    return Cause(
        text=raw["text"],
        condition=raw["condition"],
        diff=tuple(raw["diff"]),
        case=Case.parse(raw["case"]),
        expected=raw["expected"],
        actual=raw["actual"],
        cases=raw["cases"],
        proof=Proof(**raw["proof"]),
    )


def _read_finding(raw: Mapping[str, Any], kernel: str | None) -> Finding:
    case = Case.parse(raw["case"])

    def tensor(name: str) -> npt.NDArray[np.integer[Any]] | None:
        return np.array(raw[name], case.ytype).reshape(raw["shape"]) if name in raw and "shape" in raw else None

    return Finding(
        case=case,
        drawn=Case.parse(raw["original_case"]),
        kind=raw["kind"],
        failure=raw.get("failure", raw.get("undescribed", "")),
        expected=tensor("expected"),
        actual=tensor("actual"),
        elements=tuple(
            Difference(tuple(e["index"]), e["expected"], e["actual"], e["accumulator"], float(e["scaled"]))
            for e in raw.get("elements", [])
        ),
        explanation=raw["explanation"],
        replay=raw["replay"] if kernel is None else f"tieout.check({raw['case']!r}, {kernel})",
    )
