#pragma once
// Provides the interface to an exported program that runs: as it is, or with layers computed by the operators that
// PyTorch's lowering for x86 puts in their place. No torch header is included here;
// oracle/libtorch/libtorch_exported.cpp implements the interface. The program is data: only operators of the list in
// libtorch_exported.cpp are called, and none of these reads a file or runs other code.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oracle/exported/exported_layers.h"
#include "oracle/libtorch/model.h"

namespace tieout {

// What computes a layer: the program's own float operators, or the operator that the layer is lowered to.
enum class LayerWay { exported, lowered };

// A layer's result: bytes or float32, the other list is empty. N x D' x H' x W' x K; int8 bytes as a case holds them.
struct LayerValues {
  std::vector<std::uint8_t> bytes;
  std::vector<float> floats;

  [[nodiscard]] std::size_t size() const { return bytes.size() + floats.size(); }
  bool operator==(const LayerValues&) const = default;
};

// One call of a quantized layer. The spans are valid only during the callback, `weight` as long as the model is.
struct ExportedCall {
  std::size_t layer = 0;  // index in the list of layers
  // The layer as a case; a linear layer has execution.call = Call::linear. Without quantized output, the output
  // quantization is neutral. The contents are not listed.
  ConvCase spec;
  // Why the layer is no case: then only the values below are filled. Empty: it is one.
  std::string no_case;
  std::span<const std::uint8_t> activation;  // N x D x H x W x C
  std::span<const std::int8_t> weight;       // K x C/groups x kernel
  std::vector<float> summand;                // what is added to the sum, in the order of the result; empty: nothing
  Shape output_shape;                        // as LibTorch reports it
  LayerValues exported;
  // The answer of the lowered operator to the same activation, or why there is none. lowered_error is empty for layers
  // that are not lowered.
  std::optional<LayerValues> lowered;
  std::string lowered_error;
};

// Callback for each quantized layer, called before the program continues. If it returns bytes, they replace the layer's
// result, which must be bytes: as many, in the order of LayerValues.
using OnExportedCall = std::function<std::optional<std::vector<std::uint8_t>>(const ExportedCall&)>;

class ExportedModel : public Model {
 public:
  // Runs the program on one thread. ways: what computes each layer; a layer that is not in the list computes as
  // exported, and so does one that is not lowered. seen: may be empty; otherwise every quantized layer that computes as
  // exported is passed to it.
  [[nodiscard]] virtual ModelResult<ModelRun> run_layers(const ModelInput& input, const std::vector<LayerWay>& ways,
                                                         const OnExportedCall& seen) = 0;

  // run(), of Model: runs the program as exported, and passes on the layers that are a case with bytes as output and
  // without a summand. convolutions(): the number of quantized layers.
};

}  // namespace tieout
