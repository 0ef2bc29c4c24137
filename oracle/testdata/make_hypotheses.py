"""Writes hypotheses.json: cases of one output element each, with its value by each hypothesis of oracle/hypotheses/hypotheses.cpp.

Usage: python make_hypotheses.py > hypotheses.json
The implementation follows the formulas in oracle/hypotheses/hypothesis_*.h and engine_model.h and uses python's integers, exact
fractions, and roundings of fractions to float32, float64 and integers that are defined below. It uses no floating-point
operation of the machine except for the float64 sums in manual_output_1. Cases are selected so that every hypothesis
differs from integer_float32 in some of them.
"""
import json
import math
import random
from fractions import Fraction as F

INF, NAN = math.inf, math.nan


def special(*vs):
    return any(isinstance(v, float) and not math.isfinite(v) for v in vs)


def to_float(v, bits, emin, emax):
    """Rounds a fraction to a binary float, nearest even, with subnormals; values beyond the largest become infinite."""
    if special(v) or v == 0:
        return v
    sign, v = (-1, -v) if v < 0 else (1, v)
    e = v.numerator.bit_length() - v.denominator.bit_length()
    if F(2) ** e > v:
        e -= 1
    ulp = F(2) ** (max(e, emin) - bits + 1)
    r = half_even(v / ulp) * ulp
    return sign * (r if r < F(2) ** (emax + 1) else INF)


def f32(v): return to_float(v, 24, -126, 127)
def f64(v): return to_float(v, 53, -1022, 1023)


def half_even(v):
    n = math.floor(v)
    d = v - n
    return n + (d > F(1, 2) or (d == F(1, 2) and n % 2))


ROUND = {
    "even": half_even,
    "away": lambda v: math.floor(v + F(1, 2)) if v > 0 else math.ceil(v - F(1, 2)),
    "up": lambda v: math.floor(v + F(1, 2)),
    "down": lambda v: math.ceil(v - F(1, 2)),
    "zero": math.trunc,
    "floor": math.floor,
}


def mul(a, b, fl=f32):
    if special(a, b):
        return float(a) * float(b)
    return fl(F(a) * F(b))


def add(a, b, fl=f32):
    if special(a, b):
        return float(a) + float(b)
    return fl(F(a) + F(b))


def div(a, b, fl=f32):
    if special(a, b):
        return F(0) if not special(a) else float(a) / float(b)
    if b == 0:
        return NAN if a == 0 else INF if a > 0 else -INF
    return fl(F(a) / F(b))


def sat(v, bits=16): return min(max(v, -2 ** (bits - 1)), 2 ** (bits - 1) - 1)
def wrap(v, bits=32): return (v + 2 ** (bits - 1)) % 2 ** bits - 2 ** (bits - 1)


def to_int32(v, rounding="even"):
    if special(v):
        return -2 ** 31
    q = ROUND[rounding](v)
    return q if -2 ** 31 <= q < 2 ** 31 else -2 ** 31


def clamped_int32(v, rounding):
    if special(v):
        return 0 if math.isnan(v) else 2 ** 31 - 1 if v > 0 else -2 ** 31
    return sat(ROUND[rounding](v), 32)


class Element:
    def __init__(self, c):
        self.__dict__.update(c)
        self.n = len(self.x)
        self.products = [a * b for a, b in zip(self.x, self.w)]
        self.xs64, self.ws64, self.os64 = F(self.xs), F(self.ws), F(self.os)
        self.xs32, self.ws32, self.os32 = f32(self.xs64), f32(self.ws64), f32(self.os64)
        self.unit = mul(self.xs32, self.ws32)
        self.b = None if self.bias is None else F(self.bias)

    def raw(self, acc, activations=None):
        a = sum(self.x) if activations is None else activations
        return wrap(wrap(acc) - self.xz * sum(self.w) - self.wz * a + self.n * self.xz * self.wz)

    def exact_raw(self):
        return sum((x - self.xz) * (w - self.wz) for x, w in zip(self.x, self.w))

    def pairs(self):
        p = self.products + [0] * (self.n % 2)
        return sum(sat(p[i] + p[i + 1]) for i in range(0, len(p), 2))

    def float_bias(self, raw, fused=True):
        f = f32(F(raw))
        if self.b is None:
            return f
        if self.per_channel:
            return add(f, div(self.b, self.unit))
        r = div(F(1), self.unit)
        if fused and not special(self.b, r):
            return f32(self.b * r + f)
        return add(f, mul(self.b, r))

    def lowest(self):
        return self.oz if self.relu else 0

    def quantized(self, q):
        return min(max(sat(sat(q) + self.oz), self.lowest()), 255)

    def saturated(self, v, lowest):
        if special(v):
            return 255 if v > 0 else lowest
        return min(max(v + self.oz, lowest), 255)

    def multiplier(self):
        return div(self.unit, self.os32)

    def fbgemm(self, acc=None, activations=None, fused=True, rounding="even", m=None):
        s = self.float_bias(self.raw(sum(self.products) if acc is None else acc, activations), fused)
        return self.quantized(to_int32(mul(s, self.multiplier() if m is None else m), rounding))

    def with_int32_bias(self, rounding):
        raw = self.raw(sum(self.products))
        if self.b is not None:
            raw = wrap(raw + clamped_int32(div(self.b, mul(self.xs64, self.ws64, f64), f64), rounding))
        return self.quantized(to_int32(mul(f32(F(raw)), self.multiplier())))

    def exact(self, xs, ws, os):
        lo, hi = self.lowest(), 255
        if self.b is not None and special(self.bias):
            return hi if self.bias > 0 else lo
        return min(max(half_even((self.exact_raw() * xs * ws + (self.b or 0)) / os) + self.oz, lo), hi)

    def with_tflite_bias(self):
        raw = self.raw(sum(self.products))
        if self.b is None:
            return raw
        r = F(0) if self.unit == 0 else div(F(1), self.unit)
        return wrap(raw + max(clamped_int32(mul(self.b, r), "away"), 1 - 2 ** 31))

    def fixed_point(self, multiplier, twice):
        raw = self.with_tflite_bias()
        if special(multiplier) or multiplier == 0:
            m, shift = 0, 0
        else:
            shift = 0
            while multiplier >= 1:
                multiplier, shift = multiplier / 2, shift + 1
            while multiplier < F(1, 2):
                multiplier, shift = multiplier * 2, shift - 1
            m = ROUND["away"](multiplier * 2 ** 31)
            if m == 2 ** 31:
                m, shift = m // 2, shift + 1
            if shift < -31:
                m, shift = 0, 0
        if twice:
            x = wrap(raw * 2 ** max(shift, 0))
            high = ROUND["up"](F(x * m, 2 ** 31))
            q = ROUND["away"](F(high) / 2 ** max(-shift, 0))
        else:
            if shift > 30:
                m, shift = 2 ** 31 - 1, 30
            q = wrap(ROUND["up"](F(raw * m) / F(2) ** (31 - shift)))
        return min(max(wrap(q + self.oz), self.lowest()), 255)


def manual_output_1(e):
    total = 0.0
    for x, w in zip(e.x, e.w):
        real = mul(F(x - e.xz), e.xs32)
        total += float(real) * (float(w - e.wz) * e.ws)
    if e.bias is not None:
        total += e.bias
    v = div(F(total), e.os64, f64)
    if e.relu:
        v = max(v, F(0))
    return e.saturated(half_even(v), 0)


def manual_output_2(e):
    total = F(0)
    for x, w in zip(e.x, e.w):
        weight = mul(F(w - e.wz), e.ws32) if not e.per_channel else f32(mul(F(w - e.wz), e.ws64, f64))
        total = add(total, mul(mul(F(x - e.xz), e.xs32), weight))
    if e.b is not None:
        total = add(total, e.b)
    y = half_even(div(total, e.os32))
    return e.saturated(max(y, 0) if e.relu else y, 0)


def int16_saturating(e):
    acc = 0
    for p in e.products:
        acc = sat(acc + p)
    return e.fbgemm(acc)


def integer_float64(e):
    s, unit = f64(F(e.exact_raw())), mul(e.xs64, e.ws64, f64)
    if e.b is not None:
        s = add(s, div(e.b, unit, f64), f64)
    return e.saturated(half_even(mul(s, div(unit, e.os64, f64), f64)), e.lowest())


def zero_point_first(e):
    s = mul(e.float_bias(e.raw(sum(e.products))), e.multiplier())
    return min(max(to_int32(add(s, F(e.oz))), e.lowest()), 255)


def relu_first(e):
    s = e.float_bias(e.raw(sum(e.products)))
    if e.relu:
        s = max(s, F(0))
    return min(max(to_int32(mul(s, e.multiplier())) + e.oz, 0), 255)


def relu_at_zero(e):
    s = e.float_bias(e.raw(sum(e.products)))
    return min(max(to_int32(mul(s, e.multiplier())) + e.oz, 0), 255)


def bias_after_scaling(e):
    s = mul(f32(F(e.raw(sum(e.products)))), e.multiplier())
    return e.quantized(to_int32(s if e.b is None else add(s, div(e.b, e.os32))))


def twice(s): return div(F(1), f32(div(F(1), s, f64)))


def onednn_from(e, v, os=None):
    if e.b is not None:
        v = add(v, e.b)
    if e.relu:
        v = max(v, F(0))
    v = add(mul(v, div(F(1), os or twice(e.os64))), F(e.oz))
    return half_even(min(max(v, F(0)), F(255)))


def onednn(e):
    return onednn_from(e, mul(mul(f32(F(e.raw(sum(e.products)))), twice(e.xs64)), e.ws32))


def onednn_int16_pairs(e):  # valid for 1x1 convolutions with one group
    taken = e.n * e.xz * e.wz - e.xz * sum(e.w) - e.wz * sum(e.x)
    return onednn_from(e, mul(add(f32(F(e.pairs())), f32(F(taken))), mul(twice(e.xs64), e.ws32)))


def onednn_pointwise(e):
    return onednn_from(e, mul(mul(f32(F(e.raw(sum(e.products)))), e.xs32), e.ws32), e.os32)


def onednn_pointwise_int16_pairs(e):  # valid for 1x1 convolutions with one group
    taken = e.n * e.xz * e.wz - e.xz * sum(e.w) - e.wz * sum(e.x)
    return onednn_from(e, mul(add(f32(F(e.pairs())), f32(F(taken))), mul(e.xs32, e.ws32)), e.os32)


def onednn_output_scale(e):
    s = f32(F(e.raw(sum(e.products))))
    if e.b is not None:
        s = add(s, div(e.b, e.unit))
    s = mul(s, e.multiplier())
    if e.relu:
        s = max(s, F(0))
    return half_even(min(max(add(s, F(e.oz)), F(0)), F(255)))


def qnnpack(e):
    r = div(F(1), f32(mul(e.ws64, e.xs64, f64)))
    steps = mul(e.b or F(0), r)
    q = to_int32(steps)
    if not special(steps) and half_even(steps) >= 2 ** 31:
        q = 2 ** 31 - 1  # the limit for 1x1 convolutions
    raw = wrap(e.raw(sum(e.products)) + q)
    return e.quantized(to_int32(mul(f32(F(raw)), mul(e.unit, div(F(1), e.os32)))))


def onnxruntime(e, acc=None):
    raw = e.raw(sum(e.products) if acc is None else acc)
    if e.b is not None:
        raw = wrap(raw + clamped_int32(div(e.b, e.unit, f64), "even"))
    s = mul(f32(F(raw)), e.multiplier())
    y = half_even(min(max(s, F(-e.oz)), F(255 - e.oz))) + e.oz
    return max(y, e.lowest())


def xnnpack(e):
    s = mul(f32(F(e.with_tflite_bias())), e.multiplier())
    if special(s):
        return 255 if math.isnan(s) or s > 0 else e.lowest()
    return min(max(half_even(s) + e.oz, e.lowest()), 255)


def xnnpack_rndnu(e):
    raw, m = e.with_tflite_bias(), e.multiplier()
    if special(m) or m == 0 or m < F(2) ** -32:
        q = 0
    elif m >= F(1, 2):
        left = 0
        while m >= F(2) ** (left - 1):
            left += 1
        q = ROUND["up"](sat(raw * 2 ** left, 32) * m / 2 ** left)
    else:
        q = ROUND["up"](raw * m)
    return min(max(q + e.oz, e.lowest()), 255)


def tvm(e, rounding):
    raw = e.raw(sum(e.products))
    if e.b is not None:
        raw = wrap(raw + clamped_int32(div(e.b, e.unit), "away"))
    m, exponent = div(e.unit, e.os32, f64), 0
    if special(m) or m == 0:
        return min(max(e.oz, e.lowest()), 255)
    while F(2) ** exponent <= m:
        exponent += 1
    while F(2) ** (exponent - 1) > m:
        exponent -= 1
    m = F(ROUND["away"](m / F(2) ** exponent * 2 ** 31)) / 2 ** 31
    exact = wrap(raw * m * 2 ** 31 * 2 ** max(exponent, 0), 64) / F(2) ** (31 + max(-exponent, 0))
    return min(max(wrap(wrap(ROUND[rounding](exact)) + e.oz), e.lowest()), 255)


def ncnn(e):
    raw, one = f32(F(e.raw(sum(e.products)))), F(1)
    scale = div(one, mul(div(one, e.xs32), div(one, e.ws32)))
    v = mul(raw, scale) if e.b is None else add(float(raw) * scale, e.b) if special(scale) else f32(raw * scale + e.b)
    if e.relu:
        v = v if v > 0 else F(0)
    q = min(max(to_int32(mul(v, div(one, e.os32)), "away"), -127), 127)
    return min(max(q + e.oz, e.lowest()), 255)


def tensorrt(e):
    raw, m = f32(F(e.raw(sum(e.products)))), e.multiplier()
    if e.b is None:
        return e.saturated(half_even(mul(raw, m)), e.lowest()) if not special(mul(raw, m)) else e.saturated(mul(raw, m), e.lowest())
    b = div(e.b, e.os32)
    s = f32(raw * m + b) if not special(m, b) else mul(raw, m) + float(b)
    return e.saturated(s if special(s) else half_even(s), e.lowest())


HYPOTHESES = {
    "manual_output_1": manual_output_1,
    "manual_output_2": manual_output_2,
    "integer_float32": Element.fbgemm,
    "integer_separate_bias": lambda e: e.fbgemm(fused=False),
    "integer_int16_pairs": lambda e: e.fbgemm(e.pairs()),
    "integer_depthwise": lambda e: e.fbgemm(e.pairs(), min(sum(e.x), 32767), False),
    "int16_saturating": int16_saturating,
    "int16_wrapping": lambda e: e.fbgemm(wrap(sum(e.products), 16)),
    "integer_float64": integer_float64,
    "integer_exact": lambda e: e.exact(e.xs32, e.ws32, e.os32),
    "integer_exact_float64_scales": lambda e: e.exact(e.xs64, e.ws64, e.os64),
    "multiplier_weight_over_output": lambda e: e.fbgemm(m=mul(e.xs32, div(e.ws32, e.os32))),
    "multiplier_activation_over_output": lambda e: e.fbgemm(m=mul(div(e.xs32, e.os32), e.ws32)),
    "multiplier_reciprocal": lambda e: e.fbgemm(m=mul(e.unit, div(F(1), e.os32))),
    "multiplier_float64": lambda e: e.fbgemm(m=f32(div(mul(e.xs64, e.ws64, f64), e.os64, f64))),
    "zero_point_first": zero_point_first,
    "relu_first": relu_first,
    "relu_at_zero": relu_at_zero,
    "bias_int32": lambda e: e.with_int32_bias("even"),
    "bias_int32_half_away": lambda e: e.with_int32_bias("away"),
    "bias_int32_truncated": lambda e: e.with_int32_bias("zero"),
    "bias_after_scaling": bias_after_scaling,
    "round_half_away": lambda e: e.fbgemm(rounding="away"),
    "round_half_up": lambda e: e.fbgemm(rounding="up"),
    "round_half_down": lambda e: e.fbgemm(rounding="down"),
    "round_toward_zero": lambda e: e.fbgemm(rounding="zero"),
    "round_down": lambda e: e.fbgemm(rounding="floor"),
    "gemmlowp": lambda e: e.fixed_point(div(e.unit, e.os32, f64), True),
    "tflite": lambda e: e.fixed_point(div(mul(e.xs32, e.ws32, f64), e.os32, f64), True),
    "tflite_single_rounding": lambda e: e.fixed_point(div(mul(e.xs32, e.ws32, f64), e.os32, f64), False),
    "xnnpack": xnnpack,
    "xnnpack_rndnu": xnnpack_rndnu,
    "tvm": lambda e: tvm(e, "up"),
    "tvm_to_nearest": lambda e: tvm(e, "away"),
    "ncnn": ncnn,
    "tensorrt": tensorrt,
    "onnxruntime": onnxruntime,
    "onnxruntime_int16_pairs": lambda e: onnxruntime(e, e.pairs()),
    "onednn": onednn,
    "onednn_int16_pairs": onednn_int16_pairs,
    "onednn_pointwise": onednn_pointwise,
    "onednn_pointwise_int16_pairs": onednn_pointwise_int16_pairs,
    "onednn_output_scale": onednn_output_scale,
    "qnnpack": qnnpack,
}


def scale(rng):
    kind = rng.randrange(4)
    if kind == 0:
        return 2.0 ** rng.randrange(-9, 2)
    if kind == 1:
        return rng.randrange(1, 100) / 10.0 ** rng.randrange(1, 4)
    if kind == 2:
        return float(f32(F(rng.uniform(0.001, 0.1))))
    return rng.uniform(0.001, 1) * 2.0 ** rng.randrange(-20, 20)


def draw(rng):
    n = rng.choice([1, 1, 2, 3, 4, 7, 140])
    c = dict(per_channel=rng.random() < 0.4, relu=rng.random() < 0.3, bias=None)
    full = rng.random() < 0.5
    c["x"] = [rng.choice([0, 255, rng.randrange(256)]) if full else rng.randrange(60) for _ in range(n)]
    c["w"] = [rng.choice([-128, 127, rng.randrange(-128, 128)]) if full else rng.randrange(-60, 60) for _ in range(n)]
    c["xz"], c["wz"] = rng.choice([0, 0, 1, 128, 255]), rng.choice([0, 0, 0, -3, 127])
    c["oz"] = rng.choice([0, 1, 20, 127, 255])
    c["xs"], c["ws"] = scale(rng), scale(rng)
    raw = sum((x - c["xz"]) * (w - c["wz"]) for x, w in zip(c["x"], c["w"]))
    unit = float(f32(F(c["xs"]))) * float(f32(F(c["ws"])))
    kind = rng.randrange(6)
    if kind == 0:
        c["os"] = scale(rng)
    elif kind == 1 and raw != 0:
        c["os"] = float(f32(F(unit * abs(raw) / (rng.randrange(0, 200) + 0.5))))  # a tie, or a value next to one
    elif kind == 2:
        c["os"] = unit / 2.0 ** rng.randrange(10, 40)  # overflows int32
    else:
        c["os"] = unit * rng.choice([2, 2, 4, 8, 10, 100, 4096])
    if rng.random() < 0.5:
        target = rng.randrange(-300, 300) + rng.choice([0.5, 0.5, 0.25, rng.random()])
        bias = rng.choice([target * c["os"] - raw * unit, target * unit, rng.uniform(-9, 9) * unit, unit * 2.0 ** 33])
        c["bias"] = float(f32(F(bias)))
    return c


def line(c):
    def listed(vs): return "[" + ",".join(map(str, vs)) + "]"
    def of_weight(v): return listed([v]) if c["per_channel"] else str(v)
    words = ["conv1d", f"in_channels={len(c['x'])}", f"xs={c['xs']!r}", f"xz={c['xz']}", f"ws={of_weight(c['ws'])}",
             f"wz={of_weight(c['wz'])}", f"os={c['os']!r}", f"oz={c['oz']}"]
    if c["bias"] is not None:
        words.append(f"bias=[{c['bias']!r}]")
    if c["relu"]:
        words.append("relu")
    return " ".join(words + ["x=" + listed(c["x"]), "w=" + listed(c["w"])])


if __name__ == "__main__":
    rng = random.Random(11)
    entries, told, ordinary = [], dict.fromkeys(HYPOTHESES, 0), 60
    while ordinary or min(n for name, n in told.items() if name != "integer_float32") < 4:
        c = draw(rng)
        if not all(2.0 ** -126 < c[s] < 2.0 ** 127 for s in ("xs", "ws", "os")):
            continue
        e = Element(c)
        y = {name: int(hypothesis(e)) for name, hypothesis in HYPOTHESES.items()}
        common = y["integer_float32"]
        telling = [name for name in y if y[name] != common and told[name] < 12]
        if not telling and ordinary == 0:
            continue
        if telling and len(c["x"]) > 7 and all(told[name] for name in telling):
            continue
        for name in y:
            told[name] += y[name] != common
        ordinary -= not telling
        entries.append(dict(case=line(c), y=common, but={k: v for k, v in y.items() if v != common}))
    print("[" + ",\n".join(map(json.dumps, entries)) + "]")
