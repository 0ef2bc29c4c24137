"""An int8 conv+relu with numpy that follows FBGEMM's exact contract bit for bit.

tieout fuzz --subject 'command:python3 conv_relu.py'
tieout fuzz --subject 'command:python3 conv_relu.py activation_type=int8 output_type=int8 bias_type=int32 end_padding=1'

Its arguments are the words of its greeting, which name other types than uint8 and a float bias.
"""

import sys

import numpy as np
from tieout_subject import serve

f32 = np.float32


def fma(a, b, c):
    """Returns a * b + c with one rounding to float32.

    The product of two float32 is exact in float64, and the sum is first rounded to float64. If that rounding is
    inexact, the last bit is made odd, which prevents the rounding to float32 from taking the result for a tie.
    """
    product, addend = np.float64(a) * np.float64(b), np.float64(c)
    total = product + addend
    back = total - product
    lost = (product - (total - back)) + (addend - back)
    even = (total.view(np.int64) & 1) == 0
    toward = np.nextafter(total, np.where(lost > 0, np.inf, -np.inf))
    odd = np.isfinite(total) & (lost != 0) & even
    return f32(np.where(odd, toward, total))


def conv_relu(p):
    x = np.full(
        (p.batch, p.in_channels, *(i + begin + end for i, begin, end in zip(p.input, p.padding, p.padding_end))),
        p.xz,
        np.int64,
    )
    d, h, w = (slice(pad, pad + i) for i, pad in zip(p.input, p.padding))
    x[:, :, d, h, w] = p.activation
    x -= p.xz
    weight = p.weight.astype(np.int64) - p.wz.reshape(-1, 1, 1, 1, 1)

    raw = np.zeros((p.batch, p.groups, p.out_channels // p.groups, *p.output), np.int64)
    x = x.reshape(p.batch, p.groups, -1, *x.shape[2:])
    weight = weight.reshape(p.groups, -1, *weight.shape[1:])
    for tap in np.ndindex(*p.kernel):
        window = tuple(
            slice(t * dil, t * dil + (o - 1) * s + 1, s)
            for t, dil, o, s in zip(tap, p.dilation, p.output, p.stride)
        )
        raw += np.einsum("ngidhw,goi->ngodhw", x[(..., *window)], weight[(..., *tap)])
    raw = raw.reshape(p.batch, p.out_channels, *p.output)
    per_k = (1, -1, 1, 1, 1)
    if p.int32_bias is not None:
        raw += p.int32_bias.reshape(per_k)
    raw = raw.astype(np.int32)  # wraps modulo 2^32
    if p.output_type == np.int32:
        return raw

    unit = (f32(p.xs) * p.ws.astype(f32)).reshape(per_k)
    s = raw.astype(f32)
    if p.bias is not None:
        bias = p.bias.reshape(per_k)
        s = s + bias / unit if p.per_channel else fma(bias, f32(1) / unit, s)
    s = s * (unit / f32(p.os))
    q = np.rint(s).astype(np.float64)
    q = np.where((q >= -(2.0**31)) & (q < 2.0**31), q, -(2.0**31))  # also for NaN
    limits = np.iinfo(p.output_type)
    return np.clip(q + p.oz, p.oz if p.relu else limits.min, limits.max).astype(p.output_type)


if __name__ == "__main__":
    np.seterr(all="ignore")
    serve(conv_relu, *sys.argv[1:])
