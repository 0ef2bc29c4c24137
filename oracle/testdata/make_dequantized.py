"""Writes dequantized.json: the results of the document's two hypotheses for small convolutions of every kind.

Usage: python make_dequantized.py > dequantized.json
The hypotheses are evaluated with numpy scalars. If the scales are powers of two, every sum is exact, and the results
must equal PyTorch's float64 convolution.
"""
import itertools
import json
import random

import numpy as np
import torch
import torch.nn.functional as F

f32, f64 = np.float32, np.float64


def draw(rng, exact):
    c = dict(dims=rng.randrange(1, 4), groups=rng.choice([1, 1, 2, 3]), batch=rng.choice([1, 1, 2]))
    n = c["dims"]
    c["ic"], c["oc"] = c["groups"] * rng.randrange(1, 4), c["groups"] * rng.randrange(1, 3)
    c["kernel"] = [rng.randrange(1, 4) for _ in range(n)]
    c["stride"] = [rng.randrange(1, 4) for _ in range(n)]
    c["padding"] = [rng.randrange(0, 3) for _ in range(n)]
    c["dilation"] = [rng.randrange(1, 3) for _ in range(n)]
    c["input"] = [max(1, d * (k - 1) + 1 - 2 * p) + rng.randrange(0, 3)
                  for k, p, d in zip(c["kernel"], c["padding"], c["dilation"])]
    c["per_channel"] = rng.random() < 0.5
    channels = c["oc"] if c["per_channel"] else 1
    def scale(low, high):
        return 2.0 ** rng.randrange(low, high) if exact else rng.randrange(1, 10) * 10.0 ** rng.randrange(-2, 0)
    c["xs"], c["xz"] = scale(-6, 0), rng.choice([0, 3, 128, 255])
    c["ws"], c["wz"] = [scale(-6, 0) for _ in range(channels)], [rng.choice([0, 0, 5, -7]) for _ in range(channels)]
    terms = c["ic"] // c["groups"] * np.prod(c["kernel"])
    c["os"] = scale(-2, 6) if exact else scale(0, 1) * 10 * float(terms)
    c["oz"] = rng.choice([0, 0, 7, 130])
    c["bias"] = []
    if rng.random() < 0.6:
        c["bias"] = [float(f32(rng.randrange(-99, 99) / (4 if exact else 7))) for _ in range(c["oc"])]
    c["relu"] = rng.random() < 0.5
    c["x"] = [rng.randrange(0, 256) for _ in range(c["batch"] * c["ic"] * int(np.prod(c["input"])))]
    c["w"] = [rng.randrange(-128, 128) for _ in range(c["oc"] * int(terms))]
    return c


def output_size(c):
    return [(i + 2 * p - d * (k - 1) - 1) // s + 1
            for i, k, s, p, d in zip(c["input"], c["kernel"], c["stride"], c["padding"], c["dilation"])]


def quantize(y, oz):
    return int(min(max(float(y) + oz, 0), 255))


def hypotheses(c):
    x = np.array(c["x"]).reshape([c["batch"], c["ic"]] + c["input"])
    w = np.array(c["w"]).reshape([c["oc"], c["ic"] // c["groups"]] + c["kernel"])
    y1, y2 = [], []
    per_group = c["ic"] // c["groups"]
    for n, k in itertools.product(range(c["batch"]), range(c["oc"])):
        ws, wz = c["ws"][k % len(c["ws"])], c["wz"][k % len(c["wz"])]
        first = k // (c["oc"] // c["groups"]) * per_group
        for at in itertools.product(*map(range, output_size(c))):
            s1, s2 = f64(0), f32(0)
            for i in range(per_group):
                for tap in itertools.product(*map(range, c["kernel"])):
                    pos = [a * s - p + t * d
                           for a, s, p, t, d in zip(at, c["stride"], c["padding"], tap, c["dilation"])]
                    if all(0 <= p < extent for p, extent in zip(pos, c["input"])):
                        xv = f32(x[(n, first + i, *pos)] - c["xz"]) * f32(c["xs"])
                        wq = int(w[(k, i, *tap)]) - wz
                        s1 = s1 + f64(xv) * (f64(wq) * f64(ws))
                        s2 = s2 + xv * (f32(f64(f32(wq)) * f64(ws)) if c["per_channel"] else f32(wq) * f32(ws))
            if c["bias"]:
                s1, s2 = s1 + f64(c["bias"][k]), s2 + f32(c["bias"][k])
            s1, s2 = s1 / f64(c["os"]), np.round(s2 / f32(c["os"]))
            if c["relu"]:
                s1, s2 = max(s1, f64(0)), max(s2, f32(0))
            y1.append(quantize(np.round(s1), c["oz"]))
            y2.append(quantize(s2, c["oz"]))
    return y1, y2


def exactly(c):
    x = (torch.tensor(c["x"], dtype=torch.float64).reshape([c["batch"], c["ic"]] + c["input"]) - c["xz"]) * c["xs"]
    shape = [-1] + [1] * (c["dims"] + 1)
    w = torch.tensor(c["w"], dtype=torch.float64).reshape([c["oc"], -1] + c["kernel"])
    w = (w - torch.tensor(c["wz"]).reshape(shape)) * torch.tensor(c["ws"], dtype=torch.float64).reshape(shape)
    bias = torch.tensor(c["bias"], dtype=torch.float64) if c["bias"] else None
    y = getattr(F, f"conv{c['dims']}d")(x, w, bias, c["stride"], c["padding"], c["dilation"], c["groups"]) / c["os"]
    if c["relu"]:
        y = y.relu()
    return (y.round() + c["oz"]).clamp(0, 255).int().flatten().tolist()


def line(c):
    def cut(v):
        return "x".join(map(str, v))
    def one_or_list(v):
        return str(v[0]) if not c["per_channel"] else "[" + ",".join(map(str, v)) + "]"
    words = [f"conv{c['dims']}d", f"batch={c['batch']}", f"in_channels={c['ic']}", f"out_channels={c['oc']}",
             f"groups={c['groups']}", f"input={cut(c['input'])}", f"kernel={cut(c['kernel'])}",
             f"stride={cut(c['stride'])}", f"padding={cut(c['padding'])}", f"dilation={cut(c['dilation'])}",
             f"xs={c['xs']}", f"xz={c['xz']}", f"ws={one_or_list(c['ws'])}", f"wz={one_or_list(c['wz'])}",
             f"os={c['os']}", f"oz={c['oz']}"]
    if c["bias"]:
        words.append("bias=[" + ",".join(map(str, c["bias"])) + "]")
    if c["relu"]:
        words.append("relu")
    return " ".join(words + ["x=[" + ",".join(map(str, c["x"])) + "]", "w=[" + ",".join(map(str, c["w"])) + "]"])


if __name__ == "__main__":
    rng = random.Random(5)
    entries, wanted = [], {"exact": 60, "equal": 30, "telling": 30}
    while any(wanted.values()):
        exact = wanted["exact"] > 0
        c = draw(rng, exact)
        if len(c["x"]) + len(c["w"]) > 300 or np.prod(output_size(c)) * c["oc"] * c["batch"] > 150:
            continue
        y1, y2 = hypotheses(c)
        kind = "exact" if exact else "telling" if y1 != y2 else "equal"
        if exact:
            assert y1 == y2 == exactly(c), line(c)
        if wanted[kind] == 0 or len(set(y1)) < 3 and rng.random() < 0.9:
            continue
        wanted[kind] -= 1
        entries.append(dict(case=line(c), y1=y1) | (dict(y2=y2) if y2 != y1 else {}))
    print("[" + ",\n".join(map(json.dumps, entries)) + "]")
