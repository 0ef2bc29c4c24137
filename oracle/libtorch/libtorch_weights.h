#pragma once
// Unpacks the weights of packed convolutions and linear layers, to obtain them as they were before LibTorch packed
// them.

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "cases/conv_case.h"

namespace c10 {
struct IValue;
}

namespace tieout {

// Returns depth, height and width of sizes N x C x .. or K x C x ..; a missing dimension is 1.
[[nodiscard]] Spatial trailing(std::span<const std::int64_t> sizes);

// The classes of packed weights: those of conv1d and conv2d, of conv3d, and of linear.
enum class PackedAs { conv2d, conv3d, linear };

// True for the packed weights of a transposed convolution. packed: the second argument of a quantized::convNd.
[[nodiscard]] bool transposed(const c10::IValue& packed, PackedAs as);

// Returns the address of the packed weights in a value of a model, by which an operator's weights are recognised, or
// nullptr if the value holds none. Packed weights are custom classes: an object whose only slot is the C++ object.
[[nodiscard]] const void* packed_address(const c10::IValue& value);

// Keeps the parts of packed layers that do not change from call to call. Unpacking costs as much as a pass over
// the weights.
class UnpackedWeights {
 public:
  UnpackedWeights();
  ~UnpackedWeights();
  UnpackedWeights(const UnpackedWeights&) = delete;
  UnpackedWeights& operator=(const UnpackedWeights&) = delete;

  // Unpacks a value in advance; does nothing unless it is a layer that can be captured.
  void prepare(const c10::IValue& packed);

  // An unpacked layer.
  struct Entry {
    // Keeps the packed weights alive, so that no others can be allocated at their address.
    std::unique_ptr<const c10::IValue> value;
    ConvCase spec;                    // the fields that the weights determine
    std::vector<std::int8_t> weight;  // K x C/groups x kernel
  };
  // Returns the unpacked weights, which stay valid as long as this. packed: the second argument of a quantized::convNd
  // or quantized::linear.
  [[nodiscard]] const Entry& of(const c10::IValue& packed, PackedAs as);

 private:
  std::map<const void*, std::unique_ptr<Entry>> entries_;
};

}  // namespace tieout
