"""Settings of the tests, and the kernel that is right: that of examples/python, which does not use this module."""

import dataclasses
import importlib
import importlib.util
import pathlib
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import tieout

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))

pytest_plugins = ["pytester"]
# torch itself is not needed to build and test; this file runs where it is installed.
collect_ignore = [] if importlib.util.find_spec("torch") else ["test_torch.py"]


def contract_kernel(p: tieout.Problem, output_type: Any = np.uint8) -> npt.NDArray[Any]:
    """FBGEMM's exact contract, by the example's kernel, which takes three spatial dimensions."""
    conv_relu = importlib.import_module("conv_relu").conv_relu

    def in_three_dimensions(name: str, value: Any) -> Any:
        if name in ("input", "kernel", "stride", "dilation", "output"):
            return (1,) * (3 - p.dims) + value
        if name in ("padding", "padding_end"):
            return (0,) * (3 - p.dims) + value
        if name in ("activation", "weight"):
            return value.reshape(*value.shape[:2], *(1,) * (3 - p.dims), *value.shape[2:])
        return value

    fields = {field.name: getattr(p, field.name) for field in dataclasses.fields(p)}
    problem = SimpleNamespace(**{name: in_three_dimensions(name, value) for name, value in fields.items()})
    problem.output_type = np.dtype(output_type)
    with np.errstate(all="ignore"):
        output: npt.NDArray[Any] = conv_relu(problem).reshape(p.output_shape)
    return output


def truncating_kernel(p: tieout.Problem) -> npt.NDArray[Any]:
    """A kernel that is wrong: it gives 0 instead of the output zero point where the product is 0."""
    output = contract_kernel(p)
    output[output == p.oz] = 0
    return output


@pytest.fixture
def kernel() -> Any:
    return contract_kernel
