#pragma once
// Provides the inputs that a model is run on, one at a time. Files of arrays are read when their turn comes.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

class ModelInputs {
 public:
  // Opens the sources, each of which is one of the following:
  //
  //   FILE.pt     what torch.save() wrote: a tensor, a tuple of arguments, a list of inputs
  //   FILE.npy    what numpy.save() wrote
  //   DIR         every .npy in it, in the order of their names
  //   random:2x3x224x224    that shape, in the range that the model was calibrated for; several get different numbers
  //
  // The error names the source and states what is allowed. Files of arrays are located here and read by read().
  static tl::expected<ModelInputs, ModelError> open(const std::vector<std::string>& sources, std::uint64_t seed,
                                                    Model& model, LibTorch& reference);

  [[nodiscard]] std::size_t count() const { return items_.size(); }

  // Reads input number i.
  [[nodiscard]] tl::expected<ModelInput, ModelError> read(std::size_t i) const;

 private:
  struct Item {
    std::string name;
    enum class Kind { held, array, random } kind = Kind::held;
    ModelInput held;
    Shape shape;
  };
  std::vector<Item> items_;
  std::uint64_t seed_ = 0;
  InputQuantization quantization_;
};

// Returns how many of the input's floating-point numbers are NaN or infinite.
[[nodiscard]] std::int64_t count_not_finite(const ModelInput& input);

// Returns a possible reason why a model refuses the input; empty: none is known.
[[nodiscard]] std::string hint_of(const ModelInput& input);

}  // namespace tieout
