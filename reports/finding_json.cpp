#include "reports/finding_json.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace tieout {
namespace {

using nlohmann::json;

json tensor_json(const Tensor<std::uint8_t>& tensor) { return {{"shape", tensor.shape}, {"values", tensor.values}}; }

Tensor<std::uint8_t> tensor_of(const json& j) {
  return {j.at("shape").get<Shape>(), j.at("values").get<std::vector<std::uint8_t>>()};
}

// As hexadecimal text: JSON's numbers have neither infinities nor NaN.
json element_json(const DiffElement& e) {
  return {{"offset", e.offset},
          {"expected", e.expected},
          {"actual", e.actual},
          {"accumulator", e.accumulator},
          {"scaled", fmt::format("{:a}", e.scaled)}};
}

DiffElement element_of(const json& j) {
  return {.offset = j.at("offset"),
          .expected = j.at("expected"),
          .actual = j.at("actual"),
          .accumulator = j.at("accumulator"),
          .scaled = std::strtof(j.at("scaled").get<std::string>().c_str(), nullptr)};
}

}  // namespace

std::string finding_json(const Finding& finding) {
  json elements = json::array();
  for (const DiffElement& element : finding.elements) elements.push_back(element_json(element));
  const json j{{"case", finding.case_line},
               {"original", finding.original_line},
               {"expected_name", finding.expected_name},
               {"actual_name", finding.actual_name},
               {"expected", tensor_json(finding.expected)},
               {"actual", tensor_json(finding.actual)},
               {"elements", elements},
               {"class", finding.diff_class},
               {"derivation", finding.derivation},
               {"explained", finding.explained},
               {"failure", finding.failure}};
  // An operator's words may hold anything; what is not UTF-8 is replaced.
  return j.dump(-1, ' ', false, json::error_handler_t::replace);
}

tl::expected<Finding, std::string> parse_finding_json(std::string_view text) {
  try {
    const json j = json::parse(text);
    Finding finding{.case_line = j.at("case"),
                    .original_line = j.at("original"),
                    .expected_name = j.at("expected_name"),
                    .actual_name = j.at("actual_name"),
                    .expected = tensor_of(j.at("expected")),
                    .actual = tensor_of(j.at("actual")),
                    .elements = {},
                    .diff_class = j.at("class"),
                    .derivation = j.at("derivation"),
                    .explained = j.at("explained"),
                    .failure = j.at("failure")};
    for (const json& element : j.at("elements")) finding.elements.push_back(element_of(element));
    return finding;
  } catch (const json::exception& error) {
    return tl::unexpected(std::string(error.what()));
  }
}

}  // namespace tieout
