#pragma once
// Finds the implementations that give a recorded output for LibTorch's input, which tells the arithmetic that a device
// follows.

#include <cstdint>
#include <string>
#include <vector>

#include "props/model/layer_verify.h"

namespace tieout {

// Returns the names of the hypotheses and subjects whose output of the layer is the recorded one. result: of
// verify_layer(). recorded: in the order N x K x spatial.
[[nodiscard]] std::vector<std::string> names_of_equal(const CapturedConv& captured, const LayerResult& result,
                                                      const LayerOptions& options,
                                                      const std::vector<std::int32_t>& recorded);

// Returns "the exact contract" and "LibTorch with N threads" as far as their outputs are the recorded one.
[[nodiscard]] std::vector<std::string> names_of_equal(const CapturedOperator& captured, const Hardware& hardware,
                                                      const std::vector<std::int32_t>& recorded);

}  // namespace tieout
