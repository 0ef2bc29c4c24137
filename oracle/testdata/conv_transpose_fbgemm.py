"""Shows with torch alone that FBGEMM's direct transposed convolution is wrong (PyTorch 2.15.0).

quantized::conv_transpose2d of the engine fbgemm, with one group, kernel height 2, no padding, no dilation, strides of
at most 2, and numbers of channels that are multiples of 8: a stride of 2 in height gives wrong outputs, and for any stride
the weights that are read back (conv_transpose2d_unpack, state_dict, torch.jit.save) are arbitrary and change from call
to call. The engines onednn and qnnpack agree with the exact result.

Prints, for several shapes, the number of wrong outputs (off by more than 0.51 steps), the largest difference in steps,
the number of different answers to 8 equal calls, and the number of wrong weights after unpacking.
"""
import warnings

import torch

warnings.filterwarnings('ignore')
torch.set_num_threads(1)


def try_shape(engine, inputs, outputs, kernel, stride, batch=1, padding=0):
    torch.manual_seed(0)
    torch.backends.quantized.engine = engine
    w = torch.quantize_per_tensor(torch.randn(inputs, outputs, *kernel), 0.02, 0, torch.qint8)
    x = torch.quantize_per_tensor(torch.randn(batch, inputs, 5, 5), 0.05, 60, torch.quint8)
    exact = torch.nn.functional.conv_transpose2d(x.dequantize().double(), w.dequantize().double(), stride=stride,
                                                 padding=padding)
    scale = float(exact.abs().max()) / 100
    answers, wrong_weights, steps = set(), [], None
    for _ in range(8):
        packed = torch.ops.quantized.conv_transpose2d_prepack(w, None, list(stride), [padding] * 2, [0, 0], [1, 1], 1)
        y = torch.ops.quantized.conv_transpose2d(x, packed, scale, 128).int_repr().contiguous()
        answers.add(y.numpy().tobytes())
        steps = (y.double() - 128 - exact / scale).abs()
        unpacked = torch.ops.quantized.conv_transpose2d_unpack(packed)[0]
        wrong_weights.append(int((unpacked.int_repr() != w.int_repr()).sum()))
    print(f'{engine} {batch}x{inputs} to {outputs}, kernel {kernel}, stride {stride}, padding {padding}: '
          f'{(steps > 0.51).sum()} of {y.numel()} outputs wrong, by up to {steps.max():.1f} steps; '
          f'{len(answers)} answers; '
          f'wrong weights of {w.numel()}: {wrong_weights}')


try_shape('fbgemm', 16, 16, (2, 2), (2, 2))
try_shape('fbgemm', 16, 16, (2, 2), (2, 2), batch=2)
try_shape('fbgemm', 8, 8, (2, 2), (2, 1))
try_shape('fbgemm', 8, 8, (2, 3), (2, 2))
try_shape('fbgemm', 8, 8, (2, 2), (1, 1))
try_shape('fbgemm', 8, 8, (2, 2), (1, 2))
try_shape('fbgemm', 8, 8, (2, 2), (2, 2), padding=1)
try_shape('fbgemm', 8, 8, (2, 2), (3, 3))
try_shape('fbgemm', 8, 8, (3, 3), (2, 2))
try_shape('fbgemm', 8, 9, (2, 2), (2, 2))
try_shape('fbgemm', 9, 8, (2, 2), (2, 2))
try_shape('fbgemm', 8, 12, (2, 2), (2, 2))
try_shape('fbgemm', 12, 8, (2, 2), (2, 2))
try_shape('onednn', 16, 16, (2, 2), (2, 2))
try_shape('qnnpack', 16, 16, (2, 2), (2, 2))
