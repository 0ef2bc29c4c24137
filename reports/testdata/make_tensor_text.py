"""Writes tensor_text.json, the texts that PyTorch 2.15.0 prints for tensors.

Usage: python make_tensor_text.py COUNT [FILE] > tensor_text.json
FILE: a list of tensors (note, dtype, shape, data, text) that come first in the output. An entry's element i is
values[i * step % len(values)]; floats that JSON does not have are strings.
"""
import json
import math
import random
import sys

import torch

DTYPES = {"uint8": torch.uint8, "int8": torch.int8, "int32": torch.int32, "float32": torch.float32,
          "float64": torch.float64}
NODES = {"CloneBackward0": lambda t: t.clone(), "NegBackward0": lambda t: -(-t.detach()).requires_grad_(),
         "ViewBackward0": lambda t: t.view(t.shape), "RoundBackward0": lambda t: t.round(),
         "ReluBackward0": lambda t: t.relu()}


def magnitudes(rng, kind):
    sign = rng.choice([1, 1, -1])
    if kind == "whole":
        return float(rng.randrange(-300, 300))
    if kind == "whole_large":
        return float(rng.randrange(10 ** rng.randrange(1, 10)))
    if kind == "counts":
        return float(rng.randrange(0, 128))
    if kind == "unit":
        return rng.uniform(-1, 1)
    if kind == "normal":
        return rng.gauss(0, 1)
    if kind == "decimal":
        return sign * rng.randrange(1, 10 ** 4) / 10 ** rng.randrange(0, 5)
    if kind == "half_digit":  # ties in the fifth decimal
        return sign * (rng.randrange(0, 2000) + 0.5) / 2 ** rng.randrange(0, 8)
    if kind == "tiny":
        return sign * rng.uniform(1, 10) * 10.0 ** rng.randrange(-12, -3)
    if kind == "huge":
        return sign * rng.uniform(1, 10) * 10.0 ** rng.randrange(5, 30)
    if kind == "mixed":
        return sign * rng.uniform(1, 10) * 10.0 ** rng.randrange(-6, 7)
    if kind == "boundary":  # values at which the notation changes
        return sign * rng.choice([1e-4, 9.9999e-5, 1.0001e-4, 1e8, 99999999.0, 100000008.0, 1000.0, 1001.0, 1.0, 999.5])
    raise AssertionError(kind)


KINDS = ["whole", "whole_large", "counts", "unit", "normal", "decimal", "half_digit", "tiny", "huge", "mixed", "boundary"]
SPECIALS = [math.nan, math.inf, -math.inf, -0.0, 0.0]


def draw_shape(rng):
    kind = rng.random()
    if kind < 0.06:
        shape = [rng.randrange(0, 4) for _ in range(rng.randrange(1, 5))]
        shape[rng.randrange(len(shape))] = 0
        return shape
    if kind < 0.14:
        return []
    if kind < 0.24:  # one row, long enough to be broken into lines
        return [1] * rng.randrange(0, 4) + [rng.randrange(5, 45)]
    if kind < 0.34:  # sizes about the limit above which tensors are summarised
        return rng.choice([[1000], [1001], [10, 100], [7, 143], [11, 7, 13], [1, 1001], [1001, 1], [1, 1, 1, 1200],
                           [2, 8, 9, 7], [8, 2, 9, 7], [3, 3, 3, 40], [2, 501], [6, 167], [7, 150], [6, 6, 28],
                           [5, 201], [1200, 2], [2, 1, 600, 1]])
    return [rng.randrange(1, 6) for _ in range(rng.randrange(1, 6))]


def draw(rng):
    name = rng.choice(["uint8", "int8", "int32", "float32", "float32", "float32", "float64", "float64", "float64"])
    shape = draw_shape(rng)
    while math.prod(shape) > 200 and math.prod(shape) <= 1000 and rng.random() < 0.9:
        shape = draw_shape(rng)
    count = max(1, min(math.prod(shape), rng.choice([1, 3, 12, 24])))
    if name.startswith("float"):
        kind = rng.choice(KINDS)
        values = [magnitudes(rng, kind) for _ in range(count)]
        if rng.random() < 0.25:
            values[rng.randrange(count)] = rng.choice(SPECIALS)
            values[rng.randrange(count)] = rng.choice(SPECIALS)
        values = torch.tensor(values, dtype=DTYPES[name]).tolist()
    else:
        info = torch.iinfo(DTYPES[name])
        top = rng.choice([info.max, 9, 99])
        values = [rng.randrange(max(info.min, -top - 1), top + 1) for _ in range(count)]
    node = rng.choice(list(NODES)) if name.startswith("float") and rng.random() < 0.4 else ""
    step = rng.choice([1, 5, 7])
    return entry("", name, shape, values, step, node)


def entry(note, name, shape, values, step, node):
    t = torch.tensor([values[i * step % len(values)] for i in range(math.prod(shape))], dtype=DTYPES[name]).reshape(shape)
    if node:
        t = NODES[node](t.requires_grad_())
        assert type(t.grad_fn).__name__ == node, (node, t.grad_fn)
        for i, value in enumerate(t.flatten().tolist()):  # the values that the node computed
            values[i * step % len(values)] = value
    made = dict(dtype=name, shape=shape, values=[plain(v) for v in values], text=str(t))
    if step != 1:
        made["step"] = step
    if node:
        made["grad_fn"] = node
    if note:
        made["note"] = note
    return made


def plain(v):
    return v if isinstance(v, int) or math.isfinite(v) else str(v)


if __name__ == "__main__":
    entries = []
    if len(sys.argv) > 2:
        for e in json.load(open(sys.argv[2])):
            made = entry(e["note"], e["dtype"], e["shape"], e["data"] or [0], 1, "")
            assert made["text"] == e["text"]
            entries.append(made)
    rng = random.Random(2150)
    entries += [draw(rng) for _ in range(int(sys.argv[1]))]
    print("[" + ",\n".join(json.dumps(e) for e in entries) + "]")
