"""Implements Tieout's process protocol (docs/process_protocol.md) for kernels that are Python functions.

    def kernel(problem): ...        # returns uint8, batch x out_channels x depth x height x width
    tieout_subject.serve(kernel)

Then run: tieout fuzz --subject 'command:python3 kernel.py'
"""

import math
import sys
from types import SimpleNamespace

import numpy as np


class Declined(Exception):
    """Raised by a kernel that does not support a problem; the message is the reason."""


def read_problem(stream):
    """Returns the next problem, or None at the end of the stream.

    activation: uint8, N x C x D x H x W. weight: int8, K x C/groups x kernel. bias: None if there is none. The other
    fields have the names of the protocol."""
    line = stream.readline()
    if not line:
        return None
    p = SimpleNamespace()
    for word in line.decode().split()[1:]:
        key, value = word.split("=")
        if key in ("input", "kernel", "stride", "padding", "dilation", "output"):
            setattr(p, key, tuple(map(int, value.split(","))))
        elif key in ("xs", "os"):
            setattr(p, key, float(value))
        elif key == "ws":
            p.ws = np.array(value.split(","), np.float64)
        elif key == "wz":
            p.wz = np.array(value.split(","), np.int64)
        elif key == "bias":
            p.bias = None if value == "none" else np.array(value.split(","), np.float32)
        else:
            setattr(p, key, int(value))

    def tensor(shape, dtype):
        return np.frombuffer(stream.read(math.prod(shape)), dtype).reshape(shape)

    p.activation = tensor((p.batch, p.in_channels, *p.input), np.uint8)
    p.weight = tensor((p.out_channels, p.in_channels // p.groups, *p.kernel), np.int8)
    return p


def serve(kernel):
    """Reads problems from standard input and answers them by kernel(problem) until the input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    requests.readline()
    answers.write(b"ok\n")
    answers.flush()
    while (problem := read_problem(requests)) is not None:
        try:
            output = np.ascontiguousarray(kernel(problem), np.uint8).tobytes()
            answers.write(b"ok %d\n" % len(output) + output)
        except Declined as reason:
            answers.write(f"declined {reason}\n".encode())
        answers.flush()
