#pragma once
// The types that a kernel declares to take and to return. Where they differ from a case's and the conversion is exact,
// a subject converts: int8 values are uint8 ones less 128. Other cases it declines.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

struct KernelTypes {
  ActivationType activation = ActivationType::uint8;
  OutputType output = OutputType::uint8;
  bool int32_bias = false;   // its bias is int32, in units of the sum, and not float
  bool end_padding = false;  // it takes padding that differs between the two sides of an axis

  bool operator==(const KernelTypes&) const = default;
};

// Returns why a kernel of these types cannot be asked for the case, in the words of a kernel that declines; empty if it
// can.
[[nodiscard]] std::string_view refusal(const KernelTypes& types, const ConvCase& c);

// Returns the conditions, in the words of --where, that cases drawn for a kernel of these types must meet; empty for
// the default types.
[[nodiscard]] std::string conditions_of(const KernelTypes& types);

// Returns the conditions that every case which such a kernel can be asked for meets, also by conversion between uint8
// and int8; empty for the default types.
[[nodiscard]] std::string conditions_with_conversion(const KernelTypes& types);

// Converts between uint8 values and the bits of the int8 ones that are 128 lower.
void shift_by_128(std::vector<std::uint8_t>& bytes);

// Returns a kernel's output, of that type, as a case holds it.
[[nodiscard]] std::vector<std::int32_t> values_of(std::span<const std::uint8_t> bytes, OutputType type);

}  // namespace tieout
