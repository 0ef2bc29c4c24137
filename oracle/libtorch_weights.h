#pragma once
// The weights of packed convolutions as they were before LibTorch packed them.

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "cases/conv_case.h"

namespace c10 {
struct IValue;
}

namespace tieout {

// Depth, height, width of N x C x .. or K x C x .. sizes; 1 where there is none.
[[nodiscard]] Spatial trailing(std::span<const std::int64_t> sizes);

// Of a value of quantized::convNd's second argument's type, dims 2 or 3.
[[nodiscard]] bool transposed(const c10::IValue& packed, int dims);

// Where the packed weights lie that a value of a model holds, which is how they are recognised when an operator gets them;
// nullptr where it holds none. Packed weights are custom classes: an object whose only slot is the C++ object.
[[nodiscard]] const void* packed_address(const c10::IValue& value);

// What does not change from call to call of a packed convolution: unpacking costs as much as a pass over its weights.
class UnpackedWeights {
 public:
  UnpackedWeights();
  ~UnpackedWeights();
  UnpackedWeights(const UnpackedWeights&) = delete;
  UnpackedWeights& operator=(const UnpackedWeights&) = delete;

  // Unpacks now what will be asked for; nothing where the value is no convolution that is captured.
  void prepare(const c10::IValue& packed);

  // Of quantized::convNd's second argument, dims 2 or 3.
  struct Entry {
    std::unique_ptr<const c10::IValue>
        value;                        // keeps the packed weights alive, so that no others come to lie at their address
    ConvCase spec;                    // what the weights say of it
    std::vector<std::int8_t> weight;  // K x C/groups x kernel
  };
  [[nodiscard]] const Entry& of(const c10::IValue& packed, int dims);

 private:
  std::map<const void*, std::unique_ptr<Entry>> entries_;
};

}  // namespace tieout
