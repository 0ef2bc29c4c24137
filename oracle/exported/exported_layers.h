#pragma once
// Finds the convolutions and linear layers of an exported program, and determines for each what PyTorch's lowering for
// x86 (torchao, lower_pt2e_quantized_to_x86) makes of it: an operator onednn::q*_pointwise, which sums integers, with
// the operators behind the layer that become part of it; or nothing, and why.
//
// The lowering matches patterns. A layer is lowered if its activation comes directly from dequantize_per_tensor and its
// weight from dequantize_per_channel. What follows is fused in this order of preference, where a value that is fused
// away has no other user:
//
//   [add a dequantized tensor] [relu] quantize     the operator returns bytes
//   [add] relu;  add;  nothing                     the operator returns float32

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "oracle/exported/exported_program.h"

namespace tieout {

// How a value is quantized per tensor.
struct ValueQuantization {
  double scale = 1;
  std::int64_t zero_point = 0;
  std::int64_t lowest = 0, highest = 255;
  ElementType type = ElementType::uint8;

  bool operator==(const ValueQuantization&) const = default;
};

struct ExportedLayer {
  std::string name;      // of the module, or of the value that it computes
  std::string op;        // for example "conv2d", "linear"
  int dims = 2;          // number of spatial dimensions; 0: linear
  std::size_t node = 0;  // index in ExportedProgram::nodes
  // Why the layer is not lowered, and computes in floats or by no operator; empty: it is lowered.
  std::string not_lowered;
  // A remark on a layer that is lowered: why the operator returns floats; else empty.
  std::string remark;

  // True if the activation and the weight are quantized, so that the rest is filled.
  bool quantized = false;
  std::string x;                                    // name of the quantized activation
  std::optional<ValueQuantization> x_quantization;  // nullopt: computed while the program runs
  std::string w, w_scales, w_zero_points;           // names of the quantized weight and, per channel, its parameters
  std::optional<ValueQuantization> w_quantization;  // per tensor
  std::string bias;                                 // name; "": none

  // What belongs to the layer behind its own node.
  std::string summand;        // name of the float tensor that is added; "": none
  std::string summand_bytes;  // name of the quantized tensor that it is dequantized from; "": none
  std::optional<ValueQuantization> summand_quantization;
  bool relu = false;
  std::optional<ValueQuantization> y_quantization;  // nullopt: the result is float32
  std::vector<std::size_t> nodes;                   // the layer's own and those that belong to it, in order
  // The last of these nodes, which computes the layer's result, and the result's name.
  std::size_t last = 0;
  std::string y;
};

// Returns the layers in the order in which they run.
[[nodiscard]] std::vector<ExportedLayer> find_exported_layers(const ExportedProgram& program);

// Returns the operators in the program that are no part of a quantized layer, quantize and dequantize aside, which a
// lowered program computes in floats, with their numbers of nodes.
[[nodiscard]] std::map<std::string, std::int64_t> count_float_operators(const ExportedProgram& program,
                                                                        const std::vector<ExportedLayer>& layers);

}  // namespace tieout
