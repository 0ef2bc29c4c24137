#pragma once
// Defines which cases are valid. All code that takes a validated case relies on these limits.

#include <string>
#include <tl/expected.hpp>

#include "cases/conv_case.h"

namespace tieout {

// Describes what is wrong with a case or its text: the field as the text names it, and what is allowed.
struct CaseError {
  std::string field;
  std::string message;  // For example "must be 1..3, is 7".

  [[nodiscard]] std::string text() const { return field + ": " + message; }
  bool operator==(const CaseError&) const = default;
};

// The largest number of elements of any tensor of a case. It prevents a typing error from exhausting the machine's
// memory.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

[[nodiscard]] tl::expected<void, CaseError> validate(const ConvCase& c);

}  // namespace tieout
