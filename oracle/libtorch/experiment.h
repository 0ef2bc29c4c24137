#pragma once
// Provides the results of the document's script: a one-channel 1x1 convolution with relu is quantized for FBGEMM and
// run on normally distributed numbers of shape 4x1x4x4, and its output is computed by hand in two ways.

#include <cstdint>
#include <string>

#include "cases/conv_case.h"

namespace tieout {

// A tensor that the script prints, with the name of the autograd node that made it.
template <typename T>
struct Printed {
  Tensor<T> tensor;
  // For example "RoundBackward0"; empty for a tensor without such a node.
  std::string grad_fn;
};

struct Experiment {
  // The data on which the module is calibrated and run.
  Tensor<float> input_fp32;
  Tensor<float> weight_fp32;  // weight of the convolution before quantization
  // The converted convolution with the input and weight that the hook captured; relu is on.
  ConvProblem problem;
  Tensor<std::uint8_t> conv_output;  // captured: the operator's output
  Printed<double> manual_output_1;   // integers times scales, in float64
  Printed<float> manual_output_2;    // by dequantize(), in float32
  double difference_1 = 0;           // sum of manual_output_1 - conv_output
  double difference_2 = 0;           // sum of manual_output_2 - conv_output, in float32
};

}  // namespace tieout
