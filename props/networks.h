#pragma once
// The convolutions of two networks that everybody knows, by their shapes: what kernels are measured on.

#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

struct NetworkLayer {
  std::string
      name;  // "3x3 64-128 s2 in 56": kernel, channels, stride, width of the input; "dw" before a depthwise kernel
  ConvCase spec;
  int count = 0;  // how many layers of the network have this shape
};

struct Network {
  std::string_view name;
  std::vector<NetworkLayer> layers;  // each shape once, in the order in which they first occur
};

// ResNet-50 (stride in the 3x3, as torchvision has it) and MobileNetV2, for one image of 224x224.
//
// Activations are 0..127, as reduce_range calibrates them, so that no pair saturates; scales are powers of two, the output's zero
// point is 0 and biases are whole in units of the sums, so that no arithmetic of these engines rounds otherwise than another: all
// of them must answer the same.
[[nodiscard]] std::vector<Network> networks();

}  // namespace tieout
