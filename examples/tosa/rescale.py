"""Runs the reference model of TOSA (PyPI's tosa-tools), CONV2D or CONV3D and RESCALE, as a subject.

    tieout fuzz --subject 'command:python3 rescale.py' --reference hypothesis:tflite_single_rounding
    tieout fuzz --subject 'command:python3 rescale.py double' --reference hypothesis:tflite

TOSA specifies the integers of a convolution and its requantization: int8 with an int32 bias, which the last line
declares. The multiplier is that of TensorFlow Lite. TOSA has no groups, so the weight is extended by zero points to all
input channels; no relu, so values below the zero point are raised to it; and its windows must end at the end of the
padded input, so padding and input are cut to where they do.
"""

import math
import sys

import numpy as np
import tosa_reference_model
import tosa_serializer as ts
from tieout_subject import Declined, serve

ROUNDING = ts.RoundingMode.DOUBLE_ROUND if "double" in sys.argv[1:] else ts.RoundingMode.SINGLE_ROUND
INT8, INT32 = ts.DType.INT8, ts.DType.INT32


def own(p, spatial):
    return list(spatial[3 - max(p.dims, 2) :])  # a 1-d convolution is a 2-d one of height 1


def fixed_point(p, ws):
    """Returns the multiplier of a channel as m and TOSA's shift: m / 2^shift, m of 31 bits."""
    fraction, exponent = math.frexp(float(np.float32(p.xs)) * float(np.float32(ws)) / float(np.float32(p.os)))
    m = math.floor(fraction * 2**31 + 0.5)
    if m == 2**31:
        m, exponent = 2**30, exponent + 1
    if not 2 <= 31 - exponent <= 62:
        raise Declined("xs * ws / os outside of 2^-32 to 2^29")
    return m, 31 - exponent


def dense_weight(p):
    """Returns the weight, K x spatial x C, with zero points in place of the channels of other groups."""
    inputs, outputs = p.in_channels // p.groups, p.out_channels // p.groups
    weight = np.full((p.out_channels, p.in_channels, *p.kernel), p.wz[0], np.int8)
    for k in range(p.out_channels):
        first = k // outputs * inputs
        weight[k, first : first + inputs] = p.weight[k]
    return np.moveaxis(weight, 1, -1).reshape(p.out_channels, *own(p, p.kernel), p.in_channels)


def whole_windows(p):
    """Returns the padding, before and behind in each dimension, and the extent of the input, so that all is used."""
    pads, extents = [], []
    for size, kernel, stride, pad, dilation, out in zip(
        *(own(p, s) for s in (p.input, p.kernel, p.stride, p.padding, p.dilation, p.output))
    ):
        behind = (out - 1) * stride + dilation * (kernel - 1) + 1 - pad - size
        pads += [pad, max(behind, 0)]
        extents.append(size + min(behind, 0))
    return pads, extents


def conv_relu(p):
    if p.batch == 0:
        raise Declined("an empty batch")
    if np.any(p.wz != p.wz[0]):
        raise Declined("weight zero points that differ by channel")
    pads, extents = whole_windows(p)
    if min(extents) < 1:
        raise Declined("windows that lie in the padding")
    x = np.moveaxis(p.activation, 1, -1).reshape(p.batch, *own(p, p.input), p.in_channels)
    x = x[(slice(None), *map(slice, extents))]
    multipliers, shifts = zip(*(fixed_point(p, ws) for ws in p.ws))

    graph = ts.TosaSerializer()
    def const(values, dtype):
        return graph.addConst(list(values.shape), dtype, values).name

    graph.addInputTensor(ts.TosaSerializerTensor("x", list(x.shape), INT8))
    shape = [p.batch, *own(p, p.output), p.out_channels]
    sums = graph.addIntermediate(shape, INT32).name
    y = graph.addOutput(shape, INT8).name
    attributes = ts.TosaSerializerAttribute()
    conv = (pads, own(p, p.stride), own(p, p.dilation), False, INT32)
    (attributes.Conv3dAttribute if p.dims == 3 else attributes.Conv2dAttribute)(*conv)
    inputs = [
        const(dense_weight(p), INT8),
        const(np.zeros(p.out_channels, np.int32) if p.int32_bias is None else p.int32_bias, INT32),
        const(np.array([p.xz], np.int8), INT8),
        const(np.array([p.wz[0]], np.int8), INT8),
    ]
    graph.addOperator(ts.Op.CONV3D if p.dims == 3 else ts.Op.CONV2D, ["x", *inputs], [sums], attributes)
    attributes = ts.TosaSerializerAttribute()
    attributes.RescaleAttribute(True, ROUNDING, bool(p.per_channel), False, False)
    inputs = [
        const(np.array(multipliers, np.int32), INT32),
        const(np.array(shifts, np.int8), INT8),
        const(np.array([0], np.int32), INT32),
        const(np.array([p.oz], np.int8), INT8),
    ]
    graph.addOperator(ts.Op.RESCALE, [sums, *inputs], [y], attributes)
    outputs, status = tosa_reference_model.run(graph.serialize(), [x])
    if status != tosa_reference_model.GraphStatus.TOSA_VALID:
        raise Declined("a sum or a value that TOSA leaves undefined")
    answer = np.moveaxis(outputs[0], -1, 1)
    return np.maximum(answer, p.oz) if p.relu else answer


np.seterr(all="ignore")
serve(conv_relu, "activation_type=int8", "output_type=int8", "bias_type=int32", "end_padding=1")
