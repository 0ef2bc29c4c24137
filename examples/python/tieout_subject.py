"""Implements Tieout's process protocol (docs/process_protocol.md) for kernels that are Python functions.

    def kernel(problem): ...        # returns uint8, batch x out_channels x depth x height x width
    tieout_subject.serve(kernel)

Then run: tieout fuzz --subject 'command:python3 kernel.py'

A kernel of other types names them in the words of the greeting:

    tieout_subject.serve(kernel, "activation_type=int8", "output_type=int8", "bias_type=int32", "end_padding=1")
"""

import math
import sys
from types import SimpleNamespace

import numpy as np


class Declined(Exception):
    """Raised by a kernel that does not support a problem; the message is the reason."""


def read_problem(stream, types):
    """Returns the next problem, or None at the end of the stream.

    types: words of the greeting and their values.
    activation: uint8 or int8, N x C x D x H x W. weight: int8, K x C/groups x kernel. bias, int32_bias: None if there
    is none. output_type: numpy's type of the output. The other fields have the names of the protocol."""
    line = stream.readline()
    if not line:
        return None
    p = SimpleNamespace(bias=None, int32_bias=None, output_type=np.dtype(types.get("output_type", "uint8")))
    for word in line.decode().split()[1:]:
        key, value = word.split("=")
        if key in ("input", "kernel", "stride", "padding", "padding_end", "dilation", "output"):
            setattr(p, key, tuple(map(int, value.split(","))))
        elif key in ("xs", "os"):
            setattr(p, key, float(value))
        elif key == "ws":
            p.ws = np.array(value.split(","), np.float64)
        elif key == "wz":
            p.wz = np.array(value.split(","), np.int64)
        elif key in ("bias", "int32_bias"):
            dtype = np.float32 if key == "bias" else np.int32
            setattr(p, key, None if value == "none" else np.array(value.split(","), dtype))
        else:
            setattr(p, key, int(value))

    def tensor(shape, dtype):
        return np.frombuffer(stream.read(math.prod(shape)), dtype).reshape(shape)

    p.activation = tensor((p.batch, p.in_channels, *p.input), types.get("activation_type", "uint8"))
    p.weight = tensor((p.out_channels, p.in_channels // p.groups, *p.kernel), np.int8)
    p.padding_end = getattr(p, "padding_end", p.padding)
    return p


def serve(kernel, *words):
    """Reads problems from standard input and answers them by kernel(problem) until the input ends.

    words: of the greeting, such as "output_type=int8"."""
    types = dict(word.split("=", 1) for word in words)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    requests.readline()
    answers.write(" ".join(("ok", *words)).encode() + b"\n")
    answers.flush()
    while (problem := read_problem(requests, types)) is not None:
        try:
            output = np.ascontiguousarray(kernel(problem), problem.output_type).tobytes()
            answers.write(b"ok %d\n" % len(output) + output)
        except Declined as reason:
            answers.write(f"declined {reason}\n".encode())
        answers.flush()
