"""The process protocol and the checks of a kernel's output, without the program."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import tieout
from tieout import _kernel

REQUEST = (
    (
        b"conv dims=2 batch=1 in_channels=2 out_channels=2 groups=1 input=1,1,3 kernel=1,1,2 stride=1,1,1 "
        b"padding=0,0,0 dilation=1,1,1 output=1,1,2 "
        b"xs=0.05 xz=3 per_channel=1 ws=0.10000000000000001,0.2 wz=0,-1 os=0.5 oz=7 relu=1 "
        b"bias=0.5,-0.100000001\n"
    )
    + bytes(range(6))
    + np.arange(-4, 4, dtype=np.int8).tobytes()
)


def read() -> tieout.Problem:
    problem = _kernel.read_problem(io.BytesIO(REQUEST), _kernel.KernelTypes())
    assert problem is not None
    return problem


def test_a_problem_has_the_values_of_the_message() -> None:
    p = read()
    assert (p.input, p.kernel, p.output, p.output_shape) == ((1, 3), (1, 2), (1, 2), (1, 2, 1, 2))
    assert (p.xs, p.xz, p.os, p.oz, p.relu, p.per_channel) == (0.05, 3, 0.5, 7, True, True)
    np.testing.assert_array_equal(p.activation, np.arange(6, dtype=np.uint8).reshape(1, 2, 1, 3))
    np.testing.assert_array_equal(p.weight, np.arange(-4, 4, dtype=np.int8).reshape(2, 2, 1, 2))
    np.testing.assert_array_equal(p.ws, [0.1, 0.2])
    np.testing.assert_array_equal(p.wz, [0, -1])
    assert p.bias is not None and p.bias.dtype == np.float32 and p.bias[1] == np.float32(-0.1)
    assert p.int32_bias is None and p.padding_end == p.padding == (0, 0)
    assert p.activation.flags.writeable and p.weight.flags.writeable


def test_a_problem_has_the_types_that_the_kernel_declares() -> None:
    request = REQUEST.replace(b" bias=0.5,-0.100000001", b" padding_end=0,0,1 int32_bias=-2147483648,7")
    p = _kernel.read_problem(io.BytesIO(request), _kernel.KernelTypes(activation="int8"))
    assert p is not None and p.bias is None and p.int32_bias is not None
    assert p.activation.dtype == np.int8 and p.int32_bias.dtype == np.int32
    assert (p.padding, p.padding_end, list(p.int32_bias)) == ((0, 0), (0, 1), [-(2**31), 7])


def test_declared_types_are_named_in_the_greeting_and_required_of_the_output() -> None:
    @tieout.kernel_types(activation=np.int8, output="int32", bias=np.int32, end_padding=True)
    def mine(p: tieout.Problem) -> Any:
        return np.full(p.output_shape, -2, np.int32)

    class Method:
        @tieout.kernel_types(output="int8")
        def __call__(self, p: tieout.Problem) -> Any:
            return np.zeros(p.output_shape, np.uint8)

    words = b"activation_type=int8 output_type=int32 bias_type=int32 end_padding=1"
    assert _kernel.greeting(mine) == b"ok " + words + b" name=mine\n"
    assert _kernel.greeting(lambda p: np.zeros(0, np.uint8)) == b"ok name=kernel\n"
    assert _kernel.answer(mine, "numpy", read()) == b"ok 16\n" + 4 * b"\xfe\xff\xff\xff"
    assert b"output_type=int8" in _kernel.greeting(Method())
    with pytest.raises(TypeError, match="returned uint8, and must return int8"):
        _kernel.answer(Method(), "numpy", read())


@pytest.mark.parametrize(
    "types, message",
    [
        ({"activation": np.int32}, "activation: must be one of uint8, int8, is int32"),
        ({"output": np.float32}, "output: must be one of uint8, int8, int32, is float32"),
        ({"bias": np.int64}, "bias: must be one of float32, int32, is int64"),
    ],
)
def test_types_that_no_kernel_has_are_refused(types: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tieout.kernel_types(**types)


def test_the_end_between_problems_is_no_error_and_within_one_it_is() -> None:
    assert _kernel.read_problem(io.BytesIO(b""), _kernel.KernelTypes()) is None
    with pytest.raises(EOFError):
        _kernel.read_problem(io.BytesIO(REQUEST[:-1]), _kernel.KernelTypes())


def test_an_answer_is_the_output_or_the_reason() -> None:
    def decline(p: tieout.Problem) -> npt.NDArray[np.uint8]:
        raise tieout.Declined("no\npadding")

    assert _kernel.answer(lambda p: np.full((1, 2, 1, 2), 9, np.uint8), "numpy", read()) == b"ok 4\n\t\t\t\t"
    assert _kernel.answer(decline, "numpy", read()) == b"declined no padding\n"


@pytest.mark.parametrize(
    "output, error, message",
    [
        (np.zeros((1, 2, 1, 2)), TypeError, "returned float64, and must return uint8"),
        (np.zeros((1, 2, 2), np.uint8), ValueError, r"shape \(1, 2, 2\), and must return \(1, 2, 1, 2\)"),
        ([[0]], TypeError, "returned list, and must return an array"),
        (None, TypeError, "returned NoneType"),
    ],
)
def test_an_unfit_output_is_named(output: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        _kernel.answer(lambda p: output, "numpy", read())


def test_an_output_that_is_not_contiguous_is_sent_row_by_row() -> None:
    transposed = np.arange(4, dtype=np.uint8).reshape(2, 1, 1, 2).transpose(1, 3, 2, 0)
    assert _kernel.answer(lambda p: transposed, "numpy", read()) == b"ok 4\n\x00\x02\x01\x03"


def test_arrays_are_chosen_by_annotation_or_option() -> None:
    def plain(p: Any) -> Any: ...
    def with_numpy(p: tieout.Problem) -> Any: ...
    def with_torch(p: tieout.TorchProblem) -> Any: ...
    def named(p: "Unknown.TorchProblem") -> Any: ...  # type: ignore[name-defined]  # noqa: F821

    class Network:
        def __call__(self, p: tieout.TorchProblem) -> Any: ...

    kernels: list[Any] = [plain, with_numpy, with_torch, named, Network()]
    assert [_kernel.wanted_arrays(k, None) for k in kernels] == ["numpy", "numpy", "torch", "torch", "torch"]
    assert _kernel.wanted_arrays(plain, "torch") == "torch"
    assert _kernel.wanted_arrays(with_torch, "numpy") == "numpy"
    with pytest.raises(ValueError, match="arrays: must be 'numpy' or 'torch'"):
        _kernel.wanted_arrays(plain, "jax")  # type: ignore[arg-type]


def test_a_name_is_one_word() -> None:
    class Mine:
        def __call__(self, p: tieout.Problem) -> Any: ...

    def conv(p: tieout.Problem) -> Any: ...

    kernels: list[Any] = [conv, Mine(), lambda p: None]
    assert [_kernel.kernel_name(k) for k in kernels] == ["conv", "Mine", "kernel"]
