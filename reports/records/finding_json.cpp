#include "reports/records/finding_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace tieout {
namespace {

using Json = nlohmann::json;

// ---- writing

Json json_of(float value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return value;
}

Json json_of(const Answers& tensor) { return {{"shape", tensor.shape}, {"values", tensor.values}}; }

Json json_of(const MismatchedElement& element) {
  return {{"offset", element.offset},
          {"expected", element.expected},
          {"actual", element.actual},
          {"accumulator", element.accumulator},
          {"scaled", json_of(element.scaled)}};
}

Json json_of(const Cell& cell) {
  return {{"engine", cell.engine},
          {"isa", cell.isa},
          {"path", cell.path},
          {"granularity", cell.granularity},
          {"bias", cell.bias}};
}

// ---- reading: a member that is missing, has another type or is out of range is an error. The library's own
// conversions would truncate numbers silently.

struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const Json& member(const Json& object, const char* name) {
  if (!object.is_object() || !object.contains(name)) throw Malformed(std::string("'") + name + "' is missing");
  return object[name];
}

std::string text(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_string()) throw Malformed(std::string("'") + name + "' is not a text");
  return value.get<std::string>();
}

std::int64_t integer(const Json& value, const char* name, std::int64_t low, std::int64_t high) {
  const bool fits = value.is_number_unsigned() ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)
                                               : value.is_number_integer();
  if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
    throw Malformed(std::string("'") + name + "' must be a whole number " + std::to_string(low) + ".." +
                    std::to_string(high));
  }
  return value.get<std::int64_t>();
}

std::int32_t int32(const Json& value, const char* name) {
  return static_cast<std::int32_t>(integer(value, name, INT32_MIN, INT32_MAX));
}

float float32(const Json& value, const char* name) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (value == "nan") return std::numeric_limits<float>::quiet_NaN();
  if (value == "inf") return kInfinity;
  if (value == "-inf") return -kInfinity;
  const bool fits = value.is_number() && std::fabs(value.get<double>()) <= std::numeric_limits<float>::max();
  if (!fits) throw Malformed(std::string("'") + name + "' must be a float32, \"inf\", \"-inf\" or \"nan\"");
  return value.get<float>();
}

const Json& list(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_array()) throw Malformed(std::string("'") + name + "' is not a list");
  return value;
}

Answers tensor(const Json& finding, const char* name) {
  const Json& object = member(finding, name);
  Answers read;
  for (const Json& extent : list(object, "shape")) read.shape.push_back(integer(extent, "shape", 0, INT64_MAX));
  for (const Json& value : list(object, "values")) {
    read.values.push_back(int32(value, "values"));
  }
  return read;
}

MismatchedElement mismatched_element(const Json& object) {
  return {.offset = integer(member(object, "offset"), "offset", 0, INT64_MAX),
          .expected = int32(member(object, "expected"), "expected"),
          .actual = int32(member(object, "actual"), "actual"),
          .accumulator = integer(member(object, "accumulator"), "accumulator", INT64_MIN, INT64_MAX),
          .scaled = float32(member(object, "scaled"), "scaled")};
}

Cell cell(const Json& object) {
  return {.engine = text(object, "engine"),
          .isa = text(object, "isa"),
          .path = text(object, "path"),
          .granularity = text(object, "granularity"),
          .bias = text(object, "bias")};
}

Finding finding_of(const Json& object) {
  Finding finding{.case_line = text(object, "case_line"),
                  .original_line = text(object, "original_line"),
                  .expected_name = text(object, "expected_name"),
                  .actual_name = text(object, "actual_name"),
                  .expected = tensor(object, "expected"),
                  .actual = tensor(object, "actual"),
                  .mismatch_class = text(object, "diff_class"),
                  .derivation = text(object, "derivation"),
                  .explained = integer(member(object, "explained"), "explained", 0, INT64_MAX),
                  .failure = text(object, "failure"),
                  .undescribed = text(object, "undescribed"),
                  .cell = cell(member(object, "cell")),
                  .index = integer(member(object, "index"), "index", INT64_MIN, INT64_MAX),
                  .drawn_kind = text(object, "drawn_kind"),
                  .explanation = text(object, "explanation"),
                  .subject = text(object, "subject")};
  if (object.contains("reference")) finding.reference = text(object, "reference");
  if (object.contains("cause")) finding.cause = text(object, "cause");
  if (object.contains("condition")) finding.condition = text(object, "condition");
  for (const Json& element : list(object, "elements")) finding.elements.push_back(mismatched_element(element));
  for (const Json& line : list(object, "before")) {
    if (!line.is_string()) throw Malformed("'before' is not a list of texts");
    finding.before.push_back(line.get<std::string>());
  }
  return finding;
}

void require_fitting(const Finding& finding) {
  const std::vector<std::int32_t>& expected = finding.expected.values;
  const std::vector<std::int32_t>& actual = finding.actual.values;
  const bool answered = finding.failure.empty() && finding.undescribed.empty();
  const bool empty =
      expected.empty() && actual.empty() && finding.expected.shape.empty() && finding.actual.shape.empty();
  if (!empty && !(answered && has_tensors(finding))) throw Malformed("its shapes and values do not fit each other");
  if (finding.explained > (answered ? count_differing(expected, actual) : 0))
    throw Malformed("'explained' is more than the elements that differ");
  std::int64_t last = -1;
  for (const MismatchedElement& element : finding.elements) {
    if (element.offset <= last || element.offset >= std::ssize(expected)) throw Malformed("'offset' is out of order");
    last = element.offset;
    const auto at = static_cast<std::size_t>(element.offset);
    if (element.expected != expected[at] || element.actual != actual[at] || element.expected == element.actual) {
      throw Malformed("'elements' are not those that differ");
    }
  }
}

}  // namespace

std::string to_json(const Finding& finding) {
  Json elements = Json::array();
  for (const MismatchedElement& element : finding.elements) elements.push_back(json_of(element));
  Json object{{"case_line", finding.case_line},
              {"original_line", finding.original_line},
              {"expected_name", finding.expected_name},
              {"actual_name", finding.actual_name},
              {"expected", json_of(finding.expected)},
              {"actual", json_of(finding.actual)},
              {"elements", std::move(elements)},
              {"diff_class", finding.mismatch_class},
              {"derivation", finding.derivation},
              {"explained", finding.explained},
              {"failure", finding.failure},
              {"undescribed", finding.undescribed},
              {"cell", json_of(finding.cell)},
              {"index", finding.index},
              {"drawn_kind", finding.drawn_kind},
              {"explanation", finding.explanation},
              {"subject", finding.subject},
              {"before", finding.before}};
  if (!finding.reference.empty()) object["reference"] = finding.reference;
  if (!finding.cause.empty()) object["cause"] = finding.cause;
  if (!finding.condition.empty()) object["condition"] = finding.condition;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

tl::expected<Finding, std::string> finding_from_json(std::string_view text) {
  try {
    Finding finding = finding_of(Json::parse(text));
    require_fitting(finding);
    return finding;
  } catch (const Malformed& error) {
    return tl::unexpected(std::string(error.what()));
  } catch (const Json::exception& error) {
    return tl::unexpected(std::string(error.what()));
  }
}

}  // namespace tieout
