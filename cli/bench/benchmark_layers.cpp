#include "cli/bench/benchmark_layers.h"

#include <algorithm>
#include <array>

#include "cases/random.h"

namespace tieout {
namespace {

struct Conv {
  std::int64_t kernel, in, out, stride, input, groups = 1;
  Relu relu = Relu::on;
  // It is 0 behind a relu.
  std::int64_t zero_point = 0;
};

std::string name_of(const Conv& v) {
  const std::string kernel = std::to_string(v.kernel) + "x" + std::to_string(v.kernel);
  std::string text = v.groups > 1 ? "dw " + kernel + " " + std::to_string(v.in)
                                  : kernel + " " + std::to_string(v.in) + "-" + std::to_string(v.out);
  if (v.stride > 1) text += " s" + std::to_string(v.stride);
  return text + " in " + std::to_string(v.input);
}

ConvCase case_of(const Conv& v) {
  ConvCase c{.in_channels = v.in,
             .out_channels = v.out,
             .groups = v.groups,
             .input = {1, v.input, v.input},
             .kernel = {1, v.kernel, v.kernel},
             .stride = {1, v.stride, v.stride},
             .padding = {0, v.kernel / 2, v.kernel / 2},
             .activation_scale = 0x1p-6,
             .activation_zero_point = v.zero_point,
             .granularity = Granularity::per_channel,
             .output_scale = 0x1p-4,
             .relu = v.relu,
             .seed = 1};
  c.weight_scales.clear();
  Random random(c.seed);
  for (std::int64_t k = 0; k < v.out; ++k) {
    const double scale = random.chance(1, 2) ? 0x1p-9 : 0x1p-10;
    c.weight_scales.push_back(scale);
    c.bias.push_back(static_cast<float>(scale * c.activation_scale * static_cast<double>(random.between(-5000, 5000))));
  }
  c.weight_zero_points.assign(c.weight_scales.size(), 0);
  c.activation.fill = Fill::reduced;
  c.execution.memory_format = MemoryFormat::channels_last;
  return c;
}

void add(Network& network, const Conv& v) {
  const std::string name = name_of(v);
  const auto same = [&](const NetworkLayer& layer) { return layer.name == name; };
  auto layer = std::find_if(network.layers.begin(), network.layers.end(), same);
  if (layer == network.layers.end()) layer = network.layers.insert(layer, {name, case_of(v), 0});
  ++layer->count;
}

// The zero point of an activation that may be negative.
constexpr std::int64_t kLinear = 57;

Network resnet50() {
  Network network{"resnet50", {}};
  add(network, {7, 3, 64, 2, 224, 1, Relu::on, kLinear});
  struct Stage {
    std::int64_t width, blocks, stride;
  };
  std::int64_t in = 64, size = 56;
  for (const Stage& stage : std::array<Stage, 4>{{{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}}}) {
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      add(network, {1, in, stage.width, 1, size});
      add(network, {3, stage.width, stage.width, stride, size});
      add(network, {1, stage.width, 4 * stage.width, 1, size / stride, 1, Relu::off});
      if (block == 0) add(network, {1, in, 4 * stage.width, stride, size, 1, Relu::off});
      in = 4 * stage.width;
      size /= stride;
    }
  }
  return network;
}

Network mobilenet_v2() {
  Network network{"mobilenet_v2", {}};
  add(network, {3, 3, 32, 2, 224, 1, Relu::on, kLinear});
  struct Stage {
    std::int64_t expansion, out, blocks, stride;
  };
  constexpr std::array<Stage, 7> kStages{
      {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
  std::int64_t in = 32, size = 112;
  for (const Stage& stage : kStages) {
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      const std::int64_t stride = block == 0 ? stage.stride : 1;
      const std::int64_t wide = in * stage.expansion;
      if (stage.expansion > 1) add(network, {1, in, wide, 1, size, 1, Relu::on, kLinear});
      add(network, {3, wide, wide, stride, size, wide});
      size /= stride;
      add(network, {1, wide, stage.out, 1, size, 1, Relu::off});
      in = stage.out;
    }
  }
  add(network, {1, in, 1280, 1, size, 1, Relu::on, kLinear});
  return network;
}

}  // namespace

std::vector<Network> networks() { return {resnet50(), mobilenet_v2()}; }

}  // namespace tieout
