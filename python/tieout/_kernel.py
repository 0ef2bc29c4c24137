"""Kernels that are Python callables, and the process protocol (docs/process_protocol.md) spoken for them."""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import typing
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, Literal, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Arrays = Literal["numpy", "torch"]


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
    number scale * (q - zero point).
    """

    activation: npt.NDArray[np.uint8]
    weight: npt.NDArray[np.int8]
    ws: npt.NDArray[np.float64]
    wz: npt.NDArray[np.int64]
    bias: npt.NDArray[np.float32] | None


@dataclasses.dataclass(frozen=True)
class TorchProblem(_Layer):
    """One convolution for a kernel, with torch tensors on the CPU; the fields are those of Problem."""

    activation: torch.Tensor
    weight: torch.Tensor
    ws: torch.Tensor
    wz: torch.Tensor
    bias: torch.Tensor | None


# The output: uint8 of the shape output_shape. A torch tensor may be on any device, and may be of type quint8.
Kernel = Union[
    Callable[[Problem], "npt.NDArray[np.uint8] | torch.Tensor"],
    Callable[[TorchProblem], "npt.NDArray[np.uint8] | torch.Tensor"],
]


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


def read_problem(stream: IO[bytes]) -> Problem | None:
    """Returns the next problem of the stream, or None at its end. Raises EOFError if the stream ends within one."""
    line = stream.readline()
    if not line:
        return None
    words = dict(word.split("=", 1) for word in line.decode().split()[1:])
    dims = int(words["dims"])

    def spatial(name: str) -> tuple[int, ...]:
        return tuple(map(int, words[name].split(",")))[3 - dims :]

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
    for name in ("batch", "in_channels", "out_channels", "groups", "xz", "oz"):
        layer[name] = int(words[name])
    activation = read((layer["batch"], layer["in_channels"], *layer["input"]), np.uint8)
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
        bias=None if words["bias"] == "none" else np.array(words["bias"].split(","), np.float32),
    )


def _with_tensors(problem: Problem) -> TorchProblem:
    import torch

    fields = {field.name: getattr(problem, field.name) for field in dataclasses.fields(problem)}
    return TorchProblem(
        **{name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in fields.items()}
    )


def call_kernel(kernel: Kernel, arrays: Arrays, problem: Problem) -> bytes:
    """Returns the kernel's output. Raises what the kernel raises, and TypeError or ValueError for an unfit output."""
    output: Any = kernel(_with_tensors(problem) if arrays == "torch" else problem)  # type: ignore[arg-type]
    if hasattr(output, "detach"):  # a torch tensor; torch is not imported for the question
        output = output.detach()
        output = (output.int_repr() if output.is_quantized else output).cpu().numpy()
    if not isinstance(output, np.ndarray):
        raise TypeError(f"the kernel returned {type(output).__name__}, and must return an array of uint8")
    if output.dtype != np.uint8:
        raise TypeError(f"the kernel returned {output.dtype}, and must return uint8")
    if output.shape != problem.output_shape:
        raise ValueError(f"the kernel returned the shape {output.shape}, and must return {problem.output_shape}")
    return output.tobytes()


def greeting(kernel: Kernel) -> bytes:
    return f"ok name={kernel_name(kernel)}\n".encode()


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
    while (problem := read_problem(problems)) is not None:
        answers.write(answer(kernel, kind, problem))
        answers.flush()
