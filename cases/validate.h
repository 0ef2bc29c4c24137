#pragma once
// What a case may be. Everything behind validate() may rely on it.

#include <string>
#include <tl/expected.hpp>

#include "cases/conv_case.h"

namespace tieout {

// What is wrong with a case, or with its text: the field as it is written in the text, and what is allowed.
struct CaseError {
  std::string field;
  std::string message;  // "must be 1..3, is 7"

  [[nodiscard]] std::string text() const { return field + ": " + message; }
  bool operator==(const CaseError&) const = default;
};

// No tensor of a case may hold more elements: keeps a typing error from taking the machine's memory.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

[[nodiscard]] tl::expected<void, CaseError> validate(const ConvCase& c);

}  // namespace tieout
