"""Writes document_runs.json: what the document's script prints and captures with PyTorch 2.15.0, for each seed.

Usage: python make_document_runs.py SEED... > document_runs.json

The machine must have AVX2 or better. The script runs on two threads, because LibTorch uses another float convolution
for the calibration if it has only one. Floats are written in hexadecimal.
"""
import contextlib
import io
import json
import sys
import warnings

warnings.simplefilter("ignore")
import torch


class M(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.quant = torch.quantization.QuantStub()
        self.conv = torch.nn.Conv2d(1, 1, 1)
        self.relu = torch.nn.ReLU()
        self.dequant = torch.quantization.DeQuantStub()

    def forward(self, x):
        return self.dequant(self.relu(self.conv(self.quant(x))))


def print_document(conv, conv_inputs, conv_weights, conv_outputs):
    relu = torch.nn.ReLU()
    conv_float_input = (conv_inputs.int_repr().int() - conv_inputs.q_zero_point()) * conv_inputs.q_scale()
    conv_float_weight = conv_weights.int_repr() * conv_weights.q_per_channel_scales()
    conv_float_output = conv_float_input * conv_float_weight + conv.bias()
    manual_output_1 = (relu(conv_float_output / conv.scale)).round()
    print("manual_output_1:\n", manual_output_1)
    conv_float_output = conv_inputs.dequantize() * conv_weights.dequantize() + conv.bias()
    manual_output_2 = relu((conv_float_output / conv.scale).round())
    print("manual_output_2:\n", manual_output_2)
    print("output produced by forward():\n", conv_outputs.int_repr())
    print("manual_output_1 and conv_outputs differ by: ", end="")
    print((manual_output_1 - conv_outputs.int_repr()).sum().item())
    print("manual_output_2 and conv_outputs differ by: ", end="")
    print((manual_output_2 - conv_outputs.int_repr()).sum().item())


def hexadecimal(t):
    return [v.hex() for v in t.detach().double().flatten().tolist()]


def run(seed):
    torch.manual_seed(seed)
    model_fp32 = M().eval()
    model_fp32.qconfig = torch.quantization.get_default_qconfig("fbgemm")
    prepared = torch.quantization.prepare(torch.quantization.fuse_modules(model_fp32, [["conv", "relu"]]))
    input_fp32 = torch.randn(4, 1, 4, 4)
    prepared(input_fp32)
    model_int8 = torch.quantization.convert(prepared)
    captured = []
    model_int8.conv.register_forward_hook(lambda m, i, o: captured.extend([i[0], m.weight(), o]))
    model_int8(input_fp32)
    x, w, y = captured
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_document(model_int8.conv, x, w, y)
    return dict(seed=seed, input_fp32=hexadecimal(input_fp32), weight_fp32=hexadecimal(model_fp32.conv.weight),
                bias_fp32=hexadecimal(model_int8.conv.bias()), input_scale=x.q_scale().hex(),
                input_zero_point=x.q_zero_point(), input_int_repr=x.int_repr().flatten().tolist(),
                weight_scales=hexadecimal(w.q_per_channel_scales()),
                weight_zero_points=w.q_per_channel_zero_points().tolist(),
                weight_int_repr=w.int_repr().flatten().tolist(), output_scale=y.q_scale().hex(),
                output_zero_point=y.q_zero_point(), output_int_repr=y.int_repr().flatten().tolist(),
                stdout=out.getvalue())


if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.backends.quantized.engine = "fbgemm"
    print("[" + ",\n".join(json.dumps(run(int(seed))) for seed in sys.argv[1:]) + "]")
