"""A pytest plug-in: the fixture `tieout_kernel`, and options for the number of cases and the seed.

    def test_my_kernel(tieout_kernel):
        tieout_kernel(my_kernel, cases=500)

A test that fails prints the causes, the smallest cases and the lines that replay them.
"""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from ._api import verify
from ._program import KernelError, Subject
from ._report import Report


class VerifyKernel(Protocol):
    """The type of the fixture `tieout_kernel`."""

    def __call__(self, kernel: Subject, cases: int = ..., seed: int | None = ..., **options: Any) -> Report: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tieout")
    group.addoption(
        "--tieout-cases", type=int, metavar="N", help="number of cases of each kernel, instead of the tests' own"
    )
    group.addoption("--tieout-seed", type=int, metavar="S", help="seed of the cases, instead of the tests' own")


@pytest.fixture
def tieout_kernel(request: pytest.FixtureRequest) -> VerifyKernel:
    """Returns a function that verifies a kernel and fails the test if it differs or cannot be verified.

    Its parameters are those of `tieout.verify`. The default seed is 1, so that a test gives the same result each time.
    """
    forced_cases: int | None = request.config.getoption("--tieout-cases")
    forced_seed: int | None = request.config.getoption("--tieout-seed")

    def verify_kernel(kernel: Subject, cases: int = 1000, seed: int | None = 1, **options: Any) -> Report:
        cases = forced_cases if forced_cases is not None else cases
        seed = forced_seed if forced_seed is not None else seed
        try:
            report = verify(kernel, cases, seed, **options)
        except KernelError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from error.__cause__
        if not report.passed:
            pytest.fail(str(report), pytrace=False)
        return report

    return verify_kernel
