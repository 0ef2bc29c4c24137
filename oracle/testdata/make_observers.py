"""Writes observers.json: the results of PyTorch 2.15.0's observers for data that are drawn from seeds.

Usage: python make_observers.py COUNT [FIRST] > observers.json
The data are drawn with the generator of cases/random.h by operations that are exact, or rounded once in float64, so
that observers_test.cpp draws the same bits.
"""
import json
import random
import struct
import sys
import warnings

warnings.simplefilter("ignore")
import torch
from torch.ao.quantization import HistogramObserver, PerChannelMinMaxObserver

MASK = (1 << 64) - 1
KINDS = ["uniform", "bell", "heavy", "relu", "steps", "constant", "sparse", "two_humps"]


class SplitMix:
    def __init__(self, seed):
        self.state = seed

    def unit(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) >> 11) * 2.0 ** -53


def value(rng, kind):
    u = rng.unit()
    if kind == "uniform":
        return 2 * u - 1
    if kind == "bell":
        return u + rng.unit() + rng.unit() + rng.unit() - 2
    if kind == "heavy":
        v = 2 * u - 1
        return v * v * v * v * v * v * v
    if kind == "relu":
        return max(u + rng.unit() - 1, 0.0)
    if kind == "steps":
        return float(int(u * 16)) * 0.25
    if kind == "constant":
        return 1.0
    if kind == "sparse":
        return 2 * rng.unit() - 1 if u < 0.125 else 0.0
    v = rng.unit()
    return v - 4 if u < 0.75 else v + 2


def draw(batch):
    rng = SplitMix(batch["seed"])
    scale, shift = float.fromhex(batch["scale"]), float.fromhex(batch["shift"])
    values = [value(rng, batch["kind"]) * scale + shift for _ in range(batch["count"])]
    if batch.get("infinities"):
        values[0] = float("inf")
        values[len(values) // 2] = float("-inf")
    return torch.tensor(values, dtype=torch.float32)


def fnv1a(t):
    h = 0xCBF29CE484222325
    for byte in b"".join(struct.pack("<f", v) for v in t.tolist()):
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return f"{h:016x}"


def draw_batch(rng, kind, scale, shift):
    batch = dict(seed=rng.getrandbits(63), kind=kind, count=rng.choice([1, 2, 5, 64, 64, 64, 300, 1000, 4000]),
                 scale=scale.hex(), shift=shift.hex())
    if rng.random() < 0.04 and batch["count"] > 2:
        batch["infinities"] = True
    return batch


def histogram_entry(rng):
    kind = rng.choice(KINDS)
    scale = rng.uniform(1, 10) * 10.0 ** rng.choice([-8, -3, -1, 0, 0, 0, 1, 4, 12])
    shift = rng.choice([0.0, 0.0, 0.0, scale * rng.uniform(-2, 2)])
    batches = [draw_batch(rng, kind, scale, shift)]
    for _ in range(rng.choice([0, 0, 1, 2])):
        if rng.random() < 0.2:
            kind = rng.choice(KINDS)
        batches.append(draw_batch(rng, kind, scale * rng.choice([1, 1, 0.5, 1.25, 3]), shift))
    reduced = rng.random() < 0.7
    observer = HistogramObserver(reduce_range=reduced)
    for batch in batches:
        observer(draw(batch))
    scale, zero_point = observer.calculate_qparams()
    return dict(reduced=reduced, batches=batches, scale=scale.item().hex(), zero_point=int(zero_point),
                histogram=fnv1a(observer.histogram))


def channels_entry(rng):
    channels = rng.choice([1, 2, 3, 8, 17])
    scale = rng.uniform(1, 10) * 10.0 ** rng.choice([-9, -7, -3, -1, 0, 4])
    batch = draw_batch(rng, rng.choice(KINDS), scale, 0.0)
    batch["count"] = channels * rng.choice([1, 9, 72])
    batch.pop("infinities", None)
    observer = PerChannelMinMaxObserver(dtype=torch.qint8, qscheme=torch.per_channel_symmetric)
    observer(draw(batch).reshape(channels, -1))
    scales, zero_points = observer.calculate_qparams()
    assert not zero_points.any()
    return dict(channels=channels, batch=batch, scales=[s.hex() for s in scales.tolist()])


if __name__ == "__main__":
    count = int(sys.argv[1])
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
    histograms = [histogram_entry(rng) for _ in range(count)]
    channels = [channels_entry(rng) for _ in range(count // 5)]
    print('{"histograms": [\n' + ",\n".join(map(json.dumps, histograms)) + '],\n"channels": [\n' +
          ",\n".join(map(json.dumps, channels)) + "]}")
