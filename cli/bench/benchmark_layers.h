#pragma once
// Provides the convolutions of two well-known networks, by their shapes, for measuring kernels.

#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

struct NetworkLayer {
  // For example "3x3 64-128 s2 in 56": kernel, channels, stride, width of the input; "dw" precedes a depthwise kernel.
  std::string name;
  ConvCase spec;
  // Number of layers of the network that have this shape.
  int count = 0;
};

struct Network {
  std::string_view name;
  // Each shape once, in the order of first occurrence.
  std::vector<NetworkLayer> layers;
};

// Returns ResNet-50 (stride in the 3x3, as in torchvision) and MobileNetV2, for one image of 224x224.
//
// Activations are 0..127, as reduce_range calibrates them, so that no pair saturates. Scales are powers of two, the
// output's zero point is 0 and biases are whole numbers in units of the sums, so that the arithmetics of these engines
// round alike: all of them must give the same answer.
[[nodiscard]] std::vector<Network> networks();

}  // namespace tieout
