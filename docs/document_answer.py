"""One quantized convolution, by hand and by torch's own operator. Written by

    tieout check 'conv2d xs=0.1 ws=[0.5] os=0.1 relu x=[1] w=[1]' --python FILE

Needs torch and nothing else. Prints manual_output_1, manual_output_2 and the output of the
operator, how far they lie apart, and the elements that differ.
"""
import torch

torch.backends.quantized.engine = "fbgemm"
torch.set_num_threads(1)

# The case. A stored integer q stands for scale * (q - zero_point).
x_shape, w_shape = [1, 1, 1, 1], [1, 1, 1, 1]
x_stored = [1]
x_scale, x_zero_point = 0.1, 0
w_stored = [1]
w_scales = [0.5]
w_zero_points = [0]
output_scale, output_zero_point = 0.1, 0
stride, padding, dilation, groups = [1, 1], [0, 0], [1, 1], 1

x = torch._make_per_tensor_quantized_tensor(
    torch.tensor(x_stored, dtype=torch.uint8).reshape(x_shape), x_scale, x_zero_point)
w_scales = torch.tensor(w_scales, dtype=torch.float64)
w_zero_points = torch.tensor(w_zero_points)
w = torch._make_per_channel_quantized_tensor(
    torch.tensor(w_stored, dtype=torch.int8).reshape(w_shape), w_scales, w_zero_points, 0)
bias = None


def convolve(x, w):
    y = torch.nn.functional.conv2d(x, w, None, stride, padding, dilation, groups)
    return y


def stored(y):
    # A NaN, which takes sums beyond float32, is 0.
    return (y + output_zero_point).nan_to_num(nan=0.0).clamp(0, 255)


# By hand, dequantized: activations in float32, the rest in float64.
x_float = (x.int_repr().int() - x.q_zero_point()) * x.q_scale()
w_zero_points, w_scales = (q.reshape(-1, 1, 1, 1) for q in (w_zero_points, w_scales))
w_float = (w.int_repr() - w_zero_points) * w_scales
y = convolve(x_float.double(), w_float)
manual_output_1 = stored(torch.relu(y / output_scale).round())
print("manual_output_1:\n", manual_output_1)

# By hand, dequantized by torch: everything in float32.
y = convolve(x.dequantize(), w.dequantize())
manual_output_2 = stored(torch.relu((y / output_scale).round()))
print("manual_output_2:\n", manual_output_2)

# torch's own operator
packed = torch.ops.quantized.conv2d_prepack(w, bias, stride, padding, dilation, groups)
y = torch.ops.quantized.conv2d_relu(x, packed, output_scale, output_zero_point)
conv_outputs = y.int_repr()
print("output produced by forward():\n", conv_outputs)

for name, manual in ("manual_output_1", manual_output_1), ("manual_output_2", manual_output_2):
    print(name, "and conv_outputs differ by:", (manual - conv_outputs).sum().item())
for name, manual in ("manual_output_1", manual_output_1), ("manual_output_2", manual_output_2):
    differing = (manual != conv_outputs).nonzero().tolist()
    print(f"{name}: {len(differing)} of {conv_outputs.numel()} elements differ")
    for index in differing[:20]:
        at = tuple(index)
        print(f"  {index}: {manual[at].item():g}, forward() {conv_outputs[at].item()}")
    if len(differing) > 20:
        print(f"  ... and {len(differing) - 20} more")
