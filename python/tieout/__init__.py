"""Verifies int8 convolution kernels against LibTorch's FBGEMM operators, bit for bit.

    import numpy as np
    import tieout

    def kernel(p: tieout.Problem) -> np.ndarray:  # uint8, of the shape p.output_shape
        ...

    report = tieout.verify(kernel, cases=1000, seed=1)
    print(report)

The module starts the program `tieout` and reads its reports. The program generates the cases, runs LibTorch and
compares; no arithmetic is implemented here. A kernel that is a Python callable runs in the calling process and in the
calling thread, so that closures, debuggers and GPUs can be used.
"""

from ._api import check, diagnose, experiment, explain, verify
from ._case import Case, CaseError
from ._kernel import Declined, Problem, TorchProblem, kernel_types, serve
from ._program import KernelError, ProgramError, program
from ._report import Cause, Diagnosis, Difference, Experiment, Explanation, Finding, Proof, Report, Totals

__all__ = [
    "Case",
    "CaseError",
    "Cause",
    "Declined",
    "Diagnosis",
    "Difference",
    "Experiment",
    "Explanation",
    "Finding",
    "KernelError",
    "Problem",
    "ProgramError",
    "Proof",
    "Report",
    "TorchProblem",
    "Totals",
    "check",
    "diagnose",
    "experiment",
    "explain",
    "kernel_types",
    "program",
    "serve",
    "verify",
]
