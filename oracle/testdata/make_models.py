"""Writes the small models in models/, which have one unusual property each, and small_input.pt, their input.

Usage: python make_models.py          (PyTorch 2.15.0)
The other models of that folder were trained or calibrated elsewhere and are kept unchanged.

  shared          one convolution runs twice; an in-place ReLU overwrites the output of convolutions
  transposed      a transposed convolution, which is not verified, beside two that are
  frozen          torch.jit.freeze, which removes modules and their names
  two_arguments   forward(x, y) returns a tuple with a list and a dictionary in it
  full_range      quantized for QNNPACK, with activations up to 255, so that pairs of products can saturate
  not_quantized   the model in float
  only_linear     dynamically quantized linear layers, no convolution
  threads         sums on ties, which LibTorch's vector and scalar code round differently: the answer depends on the
                  number of threads (threads_input.pt)
  decomposed      the same with operators of quantized_decomposed, which LibTorch does not have
"""
import pathlib
import zipfile

import torch
from torch.ao.quantization import QConfig, convert, default_observer, default_weight_observer, get_default_qconfig, \
    prepare, quantize_dynamic

folder = pathlib.Path(__file__).parent / 'models'


class Net(torch.nn.Module):
    def __init__(self, last=None):
        super().__init__()
        self.quant = torch.ao.quantization.QuantStub()
        self.dequant = torch.ao.quantization.DeQuantStub()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.twice = torch.nn.Conv2d(8, 8, 1)
        self.relu = torch.nn.ReLU(inplace=True)
        self.sum = torch.ao.nn.quantized.FloatFunctional()
        self.last = last or torch.nn.Identity()

    def forward(self, x):
        x = self.relu(self.first(self.quant(x)))
        y = self.relu(self.twice(self.twice(x)))
        return self.dequant(self.last(self.sum.add(x, y)))


class Two(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, y):
        return self.net(x), [self.net(y)], {'x': x}


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(16, 4)

    def forward(self, x):
        return self.linear(x)


class Threads(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        many = x.expand(40003).contiguous()
        a = torch.quantize_per_tensor(many, 0.0466264933, 88, torch.quint8)
        b = torch.quantize_per_tensor(many * 0.25, 0.0466264933, 209, torch.quint8)
        return torch.dequantize(torch.ops.quantized.add(a, b, 0.0932529867, 228))


def quantized(net, x, engine='fbgemm'):
    torch.backends.quantized.engine = engine
    net.eval()
    net.qconfig = get_default_qconfig(engine)
    if isinstance(net.last, torch.nn.ConvTranspose2d):
        net.last.qconfig = QConfig(activation=default_observer, weight=default_weight_observer)
    prepare(net, inplace=True)
    net(x)
    return torch.jit.trace(convert(net), x)


def save(model, name):
    torch.jit.save(model, str(folder / f'{name}.pt'))


torch.manual_seed(20240229)
x = torch.randn(2, 3, 16, 16)
torch.save(x, folder / 'small_input.pt')
torch.save([(x, 2 * x), (x / 2, x)], folder / 'two_arguments_input.pt')
save(quantized(Net(), x), 'shared')
save(quantized(Net(torch.nn.ConvTranspose2d(8, 8, 2, 2)), x), 'transposed')
save(torch.jit.freeze(quantized(Net(), x).eval()), 'frozen')
save(torch.jit.script(Two(quantized(Net(), x))), 'two_arguments')
save(quantized(Net(), x, 'qnnpack'), 'full_range')
torch.backends.quantized.engine = 'fbgemm'
save(torch.jit.trace(Net().eval(), x), 'not_quantized')
save(torch.jit.trace(quantize_dynamic(Linear().eval(), {torch.nn.Linear}), x), 'only_linear')
torch.save(torch.tensor([-84 * 0.0466264933]), folder / 'threads_input.pt')
save(torch.jit.script(Threads()), 'threads')

with zipfile.ZipFile(folder / 'only_linear.pt') as ours, zipfile.ZipFile(folder / 'decomposed.pt', 'w') as other:
    for name in ours.namelist():
        data = ours.read(name)
        if name.endswith('.py'):
            data = data.replace(b'ops.quantized.', b'ops.quantized_decomposed.')
        if not name.endswith('.debug_pkl'):
            other.writestr(name.replace('only_linear', 'decomposed'), data)
