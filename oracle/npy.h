#pragma once
// numpy's file format for one array, as numpy.save() writes it.

#include <string>
#include <tl/expected.hpp>

#include "oracle/model.h"

namespace tieout {

// bytes: the whole file, format version 1, 2 or 3; little-endian, in C order: float32, float64, int64, int32 or uint8. The
// error says what is wrong, and what is allowed.
[[nodiscard]] tl::expected<ModelTensor, std::string> parse_npy(const std::string& bytes);

}  // namespace tieout
