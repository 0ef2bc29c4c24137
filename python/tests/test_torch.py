"""Kernels on torch tensors. conftest.py leaves this file out where torch is not installed."""

import torch
import tieout


def quantized(p: tieout.TorchProblem) -> torch.Tensor:
    """LibTorch's own operator, which is the reference."""
    if p.dims != 2:
        raise tieout.Declined("dims")
    x = torch._make_per_tensor_quantized_tensor(p.activation, p.xs, p.xz)
    if p.per_channel:
        w = torch._make_per_channel_quantized_tensor(p.weight, p.ws, p.wz, 0)
    else:
        w = torch._make_per_tensor_quantized_tensor(p.weight, float(p.ws[0]), int(p.wz[0]))
    torch.backends.quantized.engine = "fbgemm"
    packed = torch.ops.quantized.conv2d_prepack(w, p.bias, list(p.stride), list(p.padding), list(p.dilation), p.groups)
    operator = torch.ops.quantized.conv2d_relu if p.relu else torch.ops.quantized.conv2d
    output: torch.Tensor = operator(x, packed, p.os, p.oz)
    return output


def test_torchs_own_operator_is_verified() -> None:
    report = tieout.verify(quantized, cases=100, seed=1, where="dims=2 groups=1 threads=1")
    assert report.totals.differed == 0 and report.totals.passed > 50, report


def test_tensors_have_the_types_of_the_arrays() -> None:
    seen: dict[str, torch.dtype] = {}

    def kernel(p: tieout.TorchProblem) -> torch.Tensor:
        seen.update(activation=p.activation.dtype, weight=p.weight.dtype, ws=p.ws.dtype, wz=p.wz.dtype)
        return torch.zeros(p.output_shape, dtype=torch.uint8)

    tieout.check("conv2d x=[0] w=[0]", kernel)
    assert seen == {"activation": torch.uint8, "weight": torch.int8, "ws": torch.float64, "wz": torch.int64}
