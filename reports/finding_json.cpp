#include "reports/finding_json.h"

#include <nlohmann/json.hpp>

namespace tieout {

// By name, because the library finds them so. Members appear in a record under the names that they have here.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Cell, engine, isa, path, granularity, bias)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(DiffElement, offset, expected, actual, accumulator, scaled)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tensor<std::uint8_t>, shape, values)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Finding, case_line, original_line, expected_name, actual_name, expected,
                                                actual, elements, diff_class, derivation, explained, failure, cell,
                                                index, drawn_kind, explanation, subject, before)

std::string to_json(const Finding& finding) {
  // What an engine says need not be UTF-8.
  return nlohmann::json(finding).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

tl::expected<Finding, std::string> finding_from_json(std::string_view text) {
  try {
    return nlohmann::json::parse(text).get<Finding>();
  } catch (const nlohmann::json::exception& error) {
    return tl::unexpected(std::string(error.what()));
  }
}

}  // namespace tieout
