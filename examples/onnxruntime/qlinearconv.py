"""Runs ONNX Runtime's QLinearConv as a subject, with a model of one node for each problem.

pip install onnxruntime onnx numpy
PYTHONPATH=../python tieout identify --subject 'command:python3 qlinearconv.py'

QLinearConv's bias is an integer in units of xs * ws, so the float bias is rounded to such integers. It has no relu, so
values below the zero point are raised to the zero point here.
"""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tieout_subject import Declined, serve


def own(p, spatial):
    return list(spatial[3 - p.dims :])


def integer_bias(p):
    unit = np.float32(p.xs) * p.ws.astype(np.float32)
    steps = np.rint(p.bias.astype(np.float64) / unit.astype(np.float64))
    return np.clip(steps, -(2.0**31), 2.0**31 - 1).astype(np.int32)


def conv_relu(p):
    if p.batch == 0:
        raise Declined("an empty batch")
    if np.any(p.wz != p.wz[0]):
        raise Declined("weight zero points that differ by channel")
    x = p.activation.reshape(p.batch, p.in_channels, *own(p, p.input))
    constants = {
        "xs": np.float32(p.xs),
        "xz": np.uint8(p.xz),
        "w": p.weight.reshape(p.out_channels, -1, *own(p, p.kernel)),
        "ws": p.ws.astype(np.float32) if p.per_channel else np.float32(p.ws[0]),
        "wz": p.wz.astype(np.int8) if p.per_channel else np.int8(p.wz[0]),
        "os": np.float32(p.os),
        "oz": np.uint8(p.oz),
    }
    if p.bias is not None:
        constants["b"] = integer_bias(p)
    node = helper.make_node(
        "QLinearConv",
        ["x", *constants],
        ["y"],
        strides=own(p, p.stride),
        dilations=own(p, p.dilation),
        pads=own(p, p.padding) * 2,
        group=p.groups,
    )
    graph = helper.make_graph(
        [node],
        "conv",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), OPTIONS, providers=["CPUExecutionProvider"])
    (y,) = session.run(None, {"x": x})
    return np.maximum(y, p.oz) if p.relu else y


OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = OPTIONS.inter_op_num_threads = 1
OPTIONS.log_severity_level = 4
np.seterr(all="ignore")
serve(conv_relu)
