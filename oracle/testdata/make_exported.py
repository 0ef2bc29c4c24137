#!/usr/bin/env python3
"""Writes exported programs of small quantized networks to models/export/, an input of each, and their answers.

Usage: make_exported.py [NAME ...]        (PyTorch 2.15.0, torchao 0.18.0; default: all names)

For each NAME:

  NAME.pt2                   what torch.export.save() writes of a network that convert_pt2e() has quantized for x86
  NAME_input.pt              a float tensor
  NAME_exported_output.pt    the first output of the program, as it was saved
  NAME_lowered_output.pt     the first output of what lower_pt2e_quantized_to_x86() makes of it

ONEDNN is held to AVX2, where pairs of products saturate, so that the answers are the same on every CPU. The programs
small_cnn and residual_cnn in that folder were written in the same way from two other networks.
"""

import os
import pathlib
import sys

os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"  # is read when oneDNN is loaded

import torch
import torch.nn.functional as F
from torch import nn
from torchao.quantization.pt2e import HistogramObserver
from torchao.quantization.pt2e.lowering import lower_pt2e_quantized_to_x86
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import QuantizationSpec
from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86
from torchao.quantization.pt2e.quantizer.quantizer import Quantizer

FOLDER = pathlib.Path(__file__).parent / "models" / "export"


class Conv1d(nn.Module):
    """Has 1-d convolutions with groups and strides, and linear layers with and without relu."""

    shape = 2, 4, 32

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.Conv1d(4, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU())
        self.b = nn.Sequential(nn.Conv1d(8, 8, 3, stride=2, groups=4), nn.BatchNorm1d(8), nn.ReLU())
        self.hidden, self.fc = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        x = self.b(self.a(x))
        x = F.adaptive_avg_pool1d(F.max_pool1d(x, 2), 1).flatten(1)
        return self.fc(F.relu(self.hidden(x)))


class PostOps(nn.Module):
    """Has activations that the lowering does not fuse."""

    shape = 1, 3, 12, 12

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.c, self.d, self.e = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 4, 1)

    def forward(self, x):
        x = F.hardswish(self.b(F.relu6(self.a(x))))
        x = F.hardtanh(self.d(F.silu(self.c(x))), -0.25, 0.25)
        return torch.sigmoid(self.e(x))


class Sums(nn.Module):
    """Has additions of quantized and of float tensors behind convolutions and linear layers, and a concatenation."""

    shape = 2, 3, 16, 16

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.left, self.right = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, padding=2, dilation=2)
        self.join, self.last = nn.Conv2d(16, 8, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.f, self.g, self.h = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 2)
        x = torch.cat([F.relu(self.left(x)), F.relu(self.right(x))], 1)
        x = self.join(F.avg_pool2d(x, 2, stride=1))
        x = (self.last(x) + x).mean((2, 3))
        y = F.relu(self.f(x) + x)
        return self.h(self.g(y) + y)


class Dynamic(nn.Module):
    """Has a dynamic number of images, a tensor constant, a buffer that is not persistent, and two outputs."""

    shape = 3, 3, 12, 12

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.register_buffer("offset", torch.linspace(-0.5, 0.5, 8).view(8, 1, 1), persistent=False)
        self.fc = nn.Linear(16, 5)

    def forward(self, x):
        x = F.relu(self.first(x * torch.tensor([0.9, 1.0, 1.1]).view(3, 1, 1)))
        x = F.relu(self.second(x + self.offset))
        y = F.max_pool2d(x, 4).mean(3)[:, :, :2]
        return self.fc(y.reshape(y.shape[0], -1)), x.amax((2, 3))


class Refused(nn.Module):
    """Has layers that the lowering leaves in floats."""

    shape = 1, 3, 12, 12

    def __init__(self):
        super().__init__()
        self.lowered = nn.Conv2d(3, 8, 3, padding=1)
        self.per_tensor = nn.Conv2d(8, 8, 3, padding=1)
        self.float_input = nn.Conv2d(8, 8, 1)
        self.tokens = nn.Linear(8, 8, bias=False)
        self.transposed = nn.ConvTranspose2d(8, 4, 2, 2)

    def forward(self, x):
        x = F.relu(self.per_tensor(F.relu(self.lowered(x))))
        x = self.float_input(torch.tanh(x))
        x = self.tokens(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(-1, 8, 12, 12)
        return self.transposed(x)


class PerTensorFor(Quantizer):
    """Quantizes the weights of one layer per tensor, and those of the others as `quantizer` does."""

    def __init__(self, quantizer, layer):
        super().__init__()
        self.quantizer, self.layer = quantizer, layer

    def annotate(self, model):
        self.quantizer.annotate(model)
        spec = QuantizationSpec(dtype=torch.int8, quant_min=-128, quant_max=127, qscheme=torch.per_tensor_symmetric,
                                observer_or_fake_quant_ctr=HistogramObserver)
        for node in model.graph.nodes:
            stack = node.meta.get("nn_module_stack", {})
            if node.target == torch.ops.aten.conv2d.default and any(path == self.layer for path, _ in stack.values()):
                node.meta["quantization_annotation"].input_qspec_map[node.args[1]] = spec
        return model

    def validate(self, model):
        pass


NETWORKS = {"conv1d": Conv1d, "post_ops": PostOps, "sums": Sums, "dynamic": Dynamic, "refused": Refused}


def quantizer_for(name):
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    return PerTensorFor(quantizer, "per_tensor") if name == "refused" else quantizer


def first(value):
    return value if isinstance(value, torch.Tensor) else first(value[0])


def make(name):
    torch.manual_seed(7)
    network = NETWORKS[name]().eval()
    shapes = ({0: torch.export.Dim("images", min=1, max=64)},) if name == "dynamic" else None
    example = (torch.randn(network.shape),)
    prepared = prepare_pt2e(torch.export.export(network, example, dynamic_shapes=shapes).module(), quantizer_for(name))
    for _ in range(8):
        prepared(torch.randn(network.shape))
    program = torch.export.export(convert_pt2e(prepared), example, dynamic_shapes=shapes)
    x = torch.randn(network.shape)
    torch.export.save(program, FOLDER / f"{name}.pt2")
    torch.save(x, FOLDER / f"{name}_input.pt")
    exported = first(program.module()(x))
    lowered = first(lower_pt2e_quantized_to_x86(program.module(), (x,))(x))
    torch.save(exported.clone(), FOLDER / f"{name}_exported_output.pt")
    torch.save(lowered.clone(), FOLDER / f"{name}_lowered_output.pt")
    print(f"{name}: the answers differ by up to {float((exported - lowered).abs().max()):.3g}")


FOLDER.mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)
with torch.no_grad():
    for name in sys.argv[1:] or NETWORKS:
        make(name)
