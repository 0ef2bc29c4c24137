#pragma once
// Provides AnyCase, a convolution or a call of another operator, for code that treats both alike: the verification of
// given and drawn cases, the corpus, and the reports.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "cases/conv_case.h"
#include "cases/operators/operator_case.h"

namespace tieout {

using AnyCase = std::variant<ConvCase, OperatorCase>;

[[nodiscard]] std::string print(const AnyCase& c);

// Returns a valid case of the kind that the first word of the line names, or the first error in the line.
[[nodiscard]] tl::expected<AnyCase, CaseError> parse_any_case(std::string_view line);

// Returns the number of elements of all inputs and of the output. c: a valid case.
[[nodiscard]] std::int64_t tensor_elements(const OperatorCase& c);

// Check the memory and time to verify a case against the limits of cases/text/case_cost.h. c: a valid case.
[[nodiscard]] tl::expected<void, CaseError> check_cost(const OperatorCase& c);
[[nodiscard]] tl::expected<void, CaseError> check_cost(const AnyCase& c);

}  // namespace tieout
