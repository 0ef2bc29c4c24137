"""Writes model_counts.json: for each convolution and linear layer of the models in models/, the number of elements at
which manual_output_1 differs from FBGEMM.

Usage: python make_model_counts.py > model_counts.json
       python make_model_counts.py MODEL.pt INPUT.pt      for any traced model without control flow

The counts are independent of Tieout: this script runs the graph operator by operator, and computes every layer again
by torch's float64 convolution or product of dequantized numbers, which adds up in torch's order.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

torch.backends.quantized.engine = 'fbgemm'


def manual_output_1(x, packed, scale, zero_point, relu, dims):
    """Returns clamp(zp + round(relu(layer(dequantized) / scale))), with activations in float32, all else in float64.

    dims: 0 for a linear layer.
    """
    w, bias = packed.unpack()
    per_channel = w.qscheme() != torch.per_tensor_affine
    shape = [-1] + [1] * (w.dim() - 1)
    ws = w.q_per_channel_scales().reshape(shape) if per_channel else torch.tensor(w.q_scale(), dtype=torch.double)
    wz = w.q_per_channel_zero_points().reshape(shape) if per_channel else w.q_zero_point()
    real_x = ((x.int_repr().float() - x.q_zero_point()) * torch.tensor(x.q_scale(), dtype=torch.float)).double()
    real_w = (w.int_repr().double() - wz) * ws
    if dims == 1:
        real_x = real_x.unsqueeze(2)
    real_b = None if bias is None else bias.detach().double()
    if dims == 0:
        v = F.linear(real_x, real_w, real_b) / scale
        return ((v.relu() if relu else v).round() + zero_point).clamp(0, 255)
    conv = F.conv3d if dims == 3 else F.conv2d
    v = conv(real_x, real_w, real_b, packed.stride(), packed.padding(),
             packed.dilation(), packed.groups()) / scale
    if dims == 1:
        v = v.squeeze(2)
    return ((v.relu() if relu else v).round() + zero_point).clamp(0, 255)


def run(model, *inputs):
    """Executes the inlined graph; returns (differing, elements, largest) for each layer, in order."""
    found, values = [], {}
    graph = model.inlined_graph
    for value, given in zip(graph.inputs(), (model, *inputs)):
        values[value.debugName()] = given
    for node in graph.nodes():
        given = [values[v.debugName()] for v in node.inputs()]
        kind, outputs = node.kind(), [v.debugName() for v in node.outputs()]
        if kind == 'prim::Constant':
            result = node.output().toIValue()
        elif kind == 'prim::GetAttr':
            result = getattr(given[0], node.s('name'))
        elif kind in ('prim::ListConstruct', 'prim::TupleConstruct'):
            result = given
        elif kind in ('prim::ListUnpack', 'prim::TupleUnpack'):
            values.update(zip(outputs, given[0]))
            continue
        elif kind == 'aten::Int' or kind == 'prim::NumToTensor':
            result = int(given[0])
        elif kind == 'aten::contiguous':
            result = given[0].contiguous()
        else:
            space, name = kind.split('::')
            result = getattr(getattr(torch.ops, space), name)(*given)
            conv = name.startswith('conv') and name[4:6] in ('1d', '2d', '3d')
            if space == 'quantized' and (conv or name in ('linear', 'linear_relu')):
                expected = result.int_repr().double()
                dims = int(name[4]) if conv else 0
                actual = manual_output_1(given[0], given[1], given[2], given[3], name.endswith('_relu'), dims)
                distance = (actual - expected).abs()
                found.append([int((distance != 0).sum()), distance.numel(), int(distance.max())])
        values[outputs[0]] = result
    return found


def count(model, inputs):
    with torch.no_grad():
        return run(torch.jit.load(model), torch.load(inputs))


if len(sys.argv) > 2:
    layers = count(sys.argv[1], sys.argv[2])
    print(f'manual_output_1 differs at {sum(n for n, _, _ in layers)} of {sum(n for _, n, _ in layers)} elements in '
          f'{sum(n > 0 for n, _, _ in layers)} of {len(layers)} layers')
else:
    folder = pathlib.Path(__file__).parent / 'models'
    pairs = {'digits_cnn': 'digits_cnn', 'scanline_conv1d': 'scanline_conv1d', 'clip_conv3d': 'clip_conv3d',
             'mobilenet_v2': 'photos'}
    print(json.dumps({model: count(folder / f'{model}_int8.pt', folder / f'{given}_input.pt')
                      for model, given in pairs.items()}, indent=1))
