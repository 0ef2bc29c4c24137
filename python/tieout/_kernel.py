"""Kernels that are Python callables, and the process protocol (docs/process_protocol.md) spoken for them."""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import typing
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Arrays = Literal["numpy", "torch"]

_Integers = npt.NDArray[np.integer[Any]]
_AnyKernel = TypeVar("_AnyKernel", bound=Callable[..., Any])
_ATTRIBUTE = "tieout_types"  # of a kernel that kernel_types() has declared


class Declined(Exception):
    """Raised by a kernel that does not support a problem. The message is the reason, by which cases are counted."""


@dataclasses.dataclass(frozen=True)
class _Layer:
    """Parameters of a problem. Spatial ones have one integer per dimension: depth, height, width."""

    dims: int
    batch: int
    in_channels: int
    out_channels: int
    groups: int
    input: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    padding_end: tuple[int, ...]
    dilation: tuple[int, ...]
    output: tuple[int, ...]
    xs: float
    xz: int
    per_channel: bool
    os: float
    oz: int
    relu: bool

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the output: N x K x spatial."""
        return (self.batch, self.out_channels, *self.output)


@dataclasses.dataclass(frozen=True)
class Problem(_Layer):
    """One convolution for a kernel, with numpy arrays.

    activation: uint8, N x C x spatial. weight: int8, K x C/groups x kernel. ws, wz: float64 and int64, K values if
    `per_channel`, or one value. bias: float32 in real units, K values, or None. A stored value q stands for the real
    number scale * (q - zero point). padding_end: the padding of the end of each dimension, equal to `padding`.

    `kernel_types` changes this: the activation may be int8, `padding_end` may differ from `padding`, and int32_bias,
    int32 in units of xs * ws, K values or None, may take the place of `bias`.
    """

    activation: _Integers
    weight: npt.NDArray[np.int8]
    ws: npt.NDArray[np.float64]
    wz: npt.NDArray[np.int64]
    bias: npt.NDArray[np.float32] | None
    int32_bias: npt.NDArray[np.int32] | None


@dataclasses.dataclass(frozen=True)
class TorchProblem(_Layer):
    """One convolution for a kernel, with torch tensors on the CPU; the fields are those of Problem."""

    activation: torch.Tensor
    weight: torch.Tensor
    ws: torch.Tensor
    wz: torch.Tensor
    bias: torch.Tensor | None
    int32_bias: torch.Tensor | None


# The output: uint8, or the type that kernel_types() declares, of the shape output_shape. A torch tensor may be on any
# device, and may be of the quantized type, such as quint8.
Kernel = Union[
    Callable[[Problem], "_Integers | torch.Tensor"],
    Callable[[TorchProblem], "_Integers | torch.Tensor"],
]


@dataclasses.dataclass(frozen=True)
class KernelTypes:
    """What a kernel takes and returns; the names of numpy's types."""

    activation: str = "uint8"
    output: str = "uint8"
    bias: str = "float32"
    end_padding: bool = False


def kernel_types(
    *,
    activation: npt.DTypeLike = np.uint8,
    output: npt.DTypeLike = np.uint8,
    bias: npt.DTypeLike = np.float32,
    end_padding: bool = False,
) -> Callable[[_AnyKernel], _AnyKernel]:
    """Declares the types of a kernel, as a decorator.

        @tieout.kernel_types(activation=np.int8, output=np.int8, bias=np.int32)
        def kernel(p: tieout.Problem) -> np.ndarray: ...

    activation: uint8 or int8. output: uint8, int8 or int32, the sums before requantization. bias: float32, or int32 in
    units of xs * ws. end_padding: the kernel reads `padding_end`, which may differ from `padding`.

    Random cases are drawn in these types. Cases of others are converted between uint8 and int8, which is exact, and
    declined by name where they differ in more. Raises ValueError for other types.
    """
    types = KernelTypes(np.dtype(activation).name, np.dtype(output).name, np.dtype(bias).name, bool(end_padding))
    for name, allowed in (
        ("activation", ("uint8", "int8")),
        ("output", ("uint8", "int8", "int32")),
        ("bias", ("float32", "int32")),
    ):
        if getattr(types, name) not in allowed:
            raise ValueError(f"{name}: must be one of {', '.join(allowed)}, is {getattr(types, name)}")

    def declare(kernel: _AnyKernel) -> _AnyKernel:
        setattr(kernel, _ATTRIBUTE, types)
        return kernel

    return declare


def declared_types(kernel: Kernel) -> KernelTypes:
    """Returns what kernel_types() has declared for the kernel, or for its method __call__."""
    types = getattr(kernel, _ATTRIBUTE, None) or getattr(getattr(type(kernel), "__call__", None), _ATTRIBUTE, None)
    return types if isinstance(types, KernelTypes) else KernelTypes()


def kernel_name(kernel: Kernel) -> str:
    """Returns the kernel's name as one word, for reports."""
    name = getattr(kernel, "__qualname__", type(kernel).__qualname__).rpartition("<locals>.")[2]
    return name if re.fullmatch(r"[\w.]+", name) else "kernel"  # a lambda has no name


def wanted_arrays(kernel: Kernel, option: Arrays | None) -> Arrays:
    """Returns "torch" if the option or the annotation of the kernel's first parameter requests it, else "numpy"."""
    if option is not None:
        if option not in ("numpy", "torch"):
            raise ValueError(f"arrays: must be 'numpy' or 'torch', is {option!r}")
        return option
    function = kernel if hasattr(kernel, "__annotations__") else getattr(type(kernel), "__call__", kernel)
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation that cannot be evaluated, such as the name of a class defined in a function
        hints = dict(getattr(function, "__annotations__", {}))
    first = next((hint for name, hint in hints.items() if name != "return"), None)
    is_torch = first is TorchProblem or (isinstance(first, str) and first.split(".")[-1] == "TorchProblem")
    return "torch" if is_torch else "numpy"


def read_problem(stream: IO[bytes], types: KernelTypes) -> Problem | None:
    """Returns the next problem of the stream, or None at its end. Raises EOFError if the stream ends within one.

    types: those of the kernel's greeting.
    """
    line = stream.readline()
    if not line:
        return None
    words = dict(word.split("=", 1) for word in line.decode().split()[1:])
    dims = int(words["dims"])

    def spatial(name: str) -> tuple[int, ...]:
        return tuple(map(int, words[name].split(",")))[3 - dims :]

    def biases(name: str, dtype: Any) -> npt.NDArray[Any] | None:
        return None if words.get(name, "none") == "none" else np.array(words[name].split(","), dtype)

    def read(shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        values = bytearray(math.prod(shape))  # not bytes, which numpy would not let the kernel write to
        view = memoryview(values)
        while view:
            count = stream.readinto(view)  # type: ignore[attr-defined]  # binary streams have it, IO does not
            if not count:
                raise EOFError("the stream of problems ended within a problem")
            view = view[count:]
        return np.frombuffer(values, dtype).reshape(shape)

    layer: dict[str, Any] = {
        name: spatial(name) for name in ("input", "kernel", "stride", "padding", "dilation", "output")
    }
    layer["padding_end"] = spatial("padding_end" if "padding_end" in words else "padding")
    for name in ("batch", "in_channels", "out_channels", "groups", "xz", "oz"):
        layer[name] = int(words[name])
    activation = read((layer["batch"], layer["in_channels"], *layer["input"]), types.activation)
    weight = read((layer["out_channels"], layer["in_channels"] // layer["groups"], *layer["kernel"]), np.int8)
    return Problem(
        dims=dims,
        **layer,
        xs=float(words["xs"]),
        os=float(words["os"]),
        per_channel=words["per_channel"] == "1",
        relu=words["relu"] == "1",
        activation=activation,
        weight=weight,
        ws=np.array(words["ws"].split(","), np.float64),
        wz=np.array(words["wz"].split(","), np.int64),
        bias=biases("bias", np.float32),
        int32_bias=biases("int32_bias", np.int32),
    )


def _with_tensors(problem: Problem) -> TorchProblem:
    import torch

    fields = {field.name: getattr(problem, field.name) for field in dataclasses.fields(problem)}
    return TorchProblem(
        **{name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in fields.items()}
    )


def call_kernel(kernel: Kernel, arrays: Arrays, problem: Problem) -> bytes:
    """Returns the kernel's output. Raises what the kernel raises, and TypeError or ValueError for an unfit output."""
    dtype = declared_types(kernel).output
    output: Any = kernel(_with_tensors(problem) if arrays == "torch" else problem)  # type: ignore[arg-type]
    if hasattr(output, "detach"):  # a torch tensor; torch is not imported for the question
        output = output.detach()
        output = (output.int_repr() if output.is_quantized else output).cpu().numpy()
    if not isinstance(output, np.ndarray):
        raise TypeError(f"the kernel returned {type(output).__name__}, and must return an array of {dtype}")
    if output.dtype != dtype:
        raise TypeError(f"the kernel returned {output.dtype}, and must return {dtype}")
    if output.shape != problem.output_shape:
        raise ValueError(f"the kernel returned the shape {output.shape}, and must return {problem.output_shape}")
    return output.tobytes()


def greeting(kernel: Kernel) -> bytes:
    types = declared_types(kernel)
    words = (
        ""
        if types == KernelTypes()
        else (
            f" activation_type={types.activation} output_type={types.output} bias_type={types.bias}"
            f" end_padding={int(types.end_padding)}"
        )
    )
    return f"ok{words} name={kernel_name(kernel)}\n".encode()


def answer(kernel: Kernel, arrays: Arrays, problem: Problem) -> bytes:
    """Returns the message of the protocol that answers the problem."""
    try:
        output = call_kernel(kernel, arrays, problem)
    except Declined as reason:
        return f"declined {' '.join(str(reason).split())}\n".encode()
    return b"ok %d\n" % len(output) + output


def serve(kernel: Kernel, arrays: Arrays | None = None) -> None:
    """Runs the kernel on the problems of standard input until the input ends: the program of a subject `command:LINE`.

    With `tieout.serve(kernel)` at its end, a file is verified from a shell, by campaigns and in CI:
    `tieout fuzz --subject 'command:python3 FILE'`. `kernel` and `arrays` are those of `verify`.
    """
    problems, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what the kernel prints must not get between the answers
    kind = wanted_arrays(kernel, arrays)
    problems.readline()
    answers.write(greeting(kernel))
    answers.flush()
    while (problem := read_problem(problems, declared_types(kernel))) is not None:
        answers.write(answer(kernel, kind, problem))
        answers.flush()
