#pragma once
// What the document's script computes: a one-channel 1x1 convolution with relu, quantized for FBGEMM, run on 4x1x4x4
// normal numbers, and the same by hand, twice.

#include <cstdint>
#include <string>

#include "cases/conv_case.h"

namespace tieout {

// A tensor that the script prints, with the name of the autograd node that made it.
template <typename T>
struct Printed {
  Tensor<T> tensor;
  std::string grad_fn;  // "RoundBackward0"; empty where there is none
};

struct Experiment {
  Tensor<float> input_fp32;   // what the module is calibrated with and run on
  Tensor<float> weight_fp32;  // of the convolution before quantization
  // The converted convolution with the input and weight that the hook captured; relu on.
  ConvProblem problem;
  Tensor<std::uint8_t> conv_output;  // captured: the operator's own answer
  Printed<double> manual_output_1;   // integers times scales: float64
  Printed<float> manual_output_2;    // by dequantize(): float32
  double difference_1 = 0;           // signed sum of manual_output_1 - conv_output
  double difference_2 = 0;           // signed sum of manual_output_2 - conv_output, in float32
};

}  // namespace tieout
