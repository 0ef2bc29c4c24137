"""Kernels of other types than uint8 and float32, by the example's kernel, which follows FBGEMM's contract in them."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from conftest import contract_kernel

import tieout

Output = npt.NDArray[np.integer[Any]]


@tieout.kernel_types(activation=np.int8, output=np.int8, bias=np.int32, end_padding=True)
def int8_kernel(p: tieout.Problem) -> Output:
    assert p.activation.dtype == np.int8 and p.bias is None
    return contract_kernel(p, np.int8)


def test_an_int8_kernel_with_an_int32_bias_is_verified() -> None:
    seen = {"bias": 0, "uneven": 0, "below zero": 0}

    @tieout.kernel_types(activation="int8", output="int8", bias="int32", end_padding=True)
    def counting(p: tieout.Problem) -> Output:
        y = int8_kernel(p)
        seen["bias"] += p.int32_bias is not None
        seen["uneven"] += p.padding != p.padding_end
        seen["below zero"] += bool((y < 0).any())
        return y

    report = tieout.verify(counting, cases=300, seed=1)
    assert report.status == 0 and report.totals.passed == 300, report
    assert min(seen.values()) > 20, seen


def test_an_int8_finding_has_the_values_of_int8() -> None:
    @tieout.kernel_types(activation=np.int8, output=np.int8, bias=np.int32)
    def low_zero_point(p: tieout.Problem) -> Output:
        return int8_kernel(dataclasses.replace(p, oz=max(p.oz, -127)))  # wrong for the zero point -128 only

    line = "conv2d xtype=int8 xz=-128 ytype=int8 oz=-128 int32_bias=[2] x=[-125] w=[1]"
    report = tieout.check(line, low_zero_point)
    assert report.status == 1
    finding = report.findings[0]
    assert finding.expected is not None and finding.actual is not None
    assert finding.expected.dtype == finding.actual.dtype == np.int8
    assert (finding.elements[0].expected, finding.elements[0].actual) == (-123, -122)
    assert int(finding.expected.flat[0]) == -123 and int(finding.actual.flat[0]) == -122
    assert finding.case.ytype == "int8" and finding.case.oz == -128
    assert tieout.check(line, int8_kernel).passed


def test_sums_are_verified() -> None:
    @tieout.kernel_types(output=np.int32, bias=np.int32)
    def sums(p: tieout.Problem) -> Output:
        return contract_kernel(p, np.int32)

    @tieout.kernel_types(output=np.int32, bias=np.int32)
    def saturating(p: tieout.Problem) -> Output:
        return np.minimum(sums(p), np.int32(2**31 - 2))

    report = tieout.verify(sums, cases=100, seed=1)
    assert report.status == 0 and report.totals.passed == 100, report
    found = tieout.check("conv2d ytype=int32 int32_bias=[2147483647] x=[0] w=[0]", saturating)
    assert found.status == 1 and found.findings[0].expected is not None
    assert found.findings[0].expected.dtype == np.int32
    assert (found.findings[0].elements[0].expected, found.findings[0].elements[0].actual) == (2**31 - 1, 2**31 - 2)


def test_cases_of_other_types_are_converted_or_declined() -> None:
    assert tieout.check("conv2d xz=3 oz=7 x=[200] w=[1] os=2", int8_kernel).passed  # uint8
    assert tieout.check("conv2d xtype=int8 ytype=int8 x=[-7] w=[1]", contract_kernel).passed
    for line, kernel, reason in (
        ("conv2d bias=[1] x=[0] w=[0]", int8_kernel, "a float bias"),
        ("conv2d int32_bias=[1] x=[0] w=[0]", contract_kernel, "an int32 bias"),
        ("conv2d ytype=int32 x=[0] w=[0]", int8_kernel, "an int32 output"),
        ("conv2d padding_end=1 x=[0] w=[0]", contract_kernel, "padding that differs between the sides"),
    ):
        report = tieout.check(line, kernel)  # type: ignore[arg-type]
        assert report.status == 3 and list(report.reasons) == [f"declined by the subject: {reason}"], report
