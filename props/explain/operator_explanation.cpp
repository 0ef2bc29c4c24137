#include "props/explain/operator_explanation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/element_record.h"
#include "oracle/operators/operator_model.h"
#include "props/explain/explain.h"
#include "props/process/forked_task.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

std::string value_text(std::int32_t value, const OperatorCase& c) {
  if (!c.schema->has_float_output) return fmt::format("{}", value);
  float number = 0;
  std::memcpy(&number, &value, sizeof number);
  return fmt::format("{}", number);
}

// The element by one code.
struct Column {
  std::string name;
  std::vector<std::pair<std::string, Step>> steps;  // with names that occur once: "dequantized", "dequantized 2"
  std::int32_t value = 0;
};

// Returns the element by one code; nothing if the model does not distinguish codes. element: set to what is recorded.
std::optional<Column> code_column(const OperatorCase& c, std::int64_t offset, OperatorCode code,
                                  const Hardware& hardware, RecordedElement& element) {
  ElementRecord record{.forced = code, .elements = {{offset, {}}}};
  const OperatorOutput output = predict_operator(c, hardware, record);
  if (!record.has_codes) return {};
  element = record.elements.at(offset);
  Column column{.name = code == OperatorCode::vector ? "vector code" : "scalar code",
                .value = output.values.values[static_cast<std::size_t>(offset)]};
  std::map<std::string_view, int> occurrences;
  for (const Step& step : element.trace.steps()) {
    const int count = ++occurrences[step.name];
    column.steps.emplace_back(std::string(step.name) + (count == 1 ? "" : " " + std::to_string(count)), step);
  }
  return column;
}

const Step* find_step(const Column& column, const std::string& name) {
  const auto found = std::ranges::find(column.steps, name, &std::pair<std::string, Step>::first);
  return found == column.steps.end() ? nullptr : &found->second;
}

bool is_whole(double value) { return value == std::floor(value); }

// Returns the digits that float32 needs; the values of all steps are float32 numbers or whole ones.
std::string number_text(double value) {
  return is_whole(value) && std::fabs(value) < 0x1p53 ? fmt::format("{}", value)
                                                      : fmt::format("{}", static_cast<float>(value));
}

std::string row_text(const std::string& name, const std::string& left, const std::string& right, bool parts) {
  return fmt::format("{:<18} {:>22} {:>22}{}\n", name, left, right, parts ? " *" : "");
}

// Returns the rows of both columns, with hexadecimal digits where they differ, and the formulas of the first
// difference.
std::string table_text(const Column& vector, const Column& scalar, const OperatorCase& c) {
  std::string text = row_text("step", vector.name, scalar.name, false);
  std::string parting;
  for (const auto& [name, step] : vector.steps) {
    const Step* const other = find_step(scalar, name);
    if (other == nullptr) {
      text += row_text(name, number_text(step.value), "-", false);
      continue;
    }
    const bool differs = !same_step_value(step.value, other->value);
    text += row_text(name, number_text(step.value), number_text(other->value), differs && parting.empty());
    if (differs && !is_whole(step.value)) {
      text += row_text("  hex", fmt::format("{:a}", step.value), fmt::format("{:a}", other->value), false);
    }
    if (differs && parting.empty()) {
      parting = fmt::format("\n* The two codes part here: {}\n  vector code: {}\n  scalar code: {}\n", name, step.note,
                            other->note);
    }
  }
  for (const auto& [name, step] : scalar.steps) {
    if (find_step(vector, name) == nullptr) text += row_text(name, "-", number_text(step.value), false);
  }
  text += row_text("output", value_text(vector.value, c), value_text(scalar.value, c), false);
  return text + parting;
}

}  // namespace

tl::expected<std::int64_t, CaseError> offset_at(std::string_view at, const OperatorCase& c) {
  const Shape shape = output_shape(c);
  const auto wrong = [&](const std::string& message) { return tl::unexpected(CaseError{"--at", message}); };
  const std::string wanted =
      fmt::format("must be {} integer{} separated by commas, is '{}'", shape.size(), shape.size() == 1 ? "" : "s", at);
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::size_t comma = at.find(',');
    const std::string_view item = at.substr(0, comma);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    const bool is_last = d + 1 == shape.size();
    if (error != std::errc{} || end != item.data() + item.size() || is_last != (comma == std::string_view::npos)) {
      return wrong(wanted);
    }
    if (value < 0 || value >= shape[d]) {
      return wrong(fmt::format("index {} must be 0..{}, is {}", d + 1, shape[d] - 1, value));
    }
    offset = offset * shape[d] + value;
    at.remove_prefix(is_last ? at.size() : comma + 1);
  }
  if (!at.empty()) return wrong(wanted);
  return offset;
}

std::int64_t most_disputed(const OperatorCase& c, const Hardware& hardware) {
  std::vector<std::vector<std::int32_t>> answers{operator_kernel(c).values.values};
  for (const OperatorCode code : {OperatorCode::vector, OperatorCode::scalar}) {
    ElementRecord record{.forced = code, .elements = {}};
    answers.push_back(predict_operator(c, hardware, record).values.values);
  }
  std::int64_t most = 0;
  std::int64_t widest = -1;
  for (std::size_t i = 0; i < answers.front().size(); ++i) {
    std::int64_t low = answers.front()[i];
    std::int64_t high = low;
    for (const auto& values : answers) {
      low = std::min<std::int64_t>(low, values[i]);
      high = std::max<std::int64_t>(high, values[i]);
    }
    if (high - low <= widest) continue;
    widest = high - low;
    most = static_cast<std::int64_t>(i);
  }
  return most;
}

std::string operator_explanation(const OperatorCase& c, std::int64_t offset, const Hardware& hardware,
                                 const KnownAnswers& answers) {
  const OperatorCase full = with_contents(c);
  const Shape shape = output_shape(c);
  std::string text = fmt::format("case: {}\nelement: [{}] of [{}]", print(c), fmt::join(unravel(offset, shape), ", "),
                                 fmt::join(shape, ", "));
  RecordedElement element;
  const auto vector = code_column(full, offset, OperatorCode::vector, hardware, element);
  const auto scalar = code_column(full, offset, OperatorCode::scalar, hardware, element);
  if (vector && scalar) {
    text += fmt::format(", computed by {}\n", element.code == OperatorCode::vector ? vector->name : scalar->name);
    if (!element.place.empty()) text += wrapped("  " + element.place, kTextColumns, 2) + "\n";
    text += "\n" + table_text(*vector, *scalar, c) + "\n";
  } else {
    text += "\n\n";
  }
  const auto at = static_cast<std::size_t>(offset);
  text += fmt::format("LibTorch's answer is predicted to be: {}\n",
                      value_text(predict_operator(full, hardware).values.values[at], c));
  text += fmt::format("the exact contract gives: {}\n", value_text(operator_kernel(full).values.values[at], c));
  for (const auto& [name, value] : answers) text += fmt::format("{} gives: {}\n", name, value_text(value, c));
  return text;
}

std::string libtorch_answer_text(const OperatorCase& c, std::int64_t offset, LibTorch& reference) {
  constexpr double kSeconds = 60;
  // The process returns "=" and the value, or the reason why there is none.
  const auto answer = run_alone(
      [&] {
        reference.guard_tensors(true);
        const auto y = reference.run_operator(c);
        if (!y) return "refused: " + y.error().message;
        const auto at = static_cast<std::size_t>(offset);
        if (at >= y->values.values.size()) return std::string("answered in another shape");
        return "=" + value_text(y->values.values[at], c);
      },
      kSeconds);
  if (!answer) return "LibTorch gives no answer\n  died: " + answer.error().text() + "\n";
  return answer->starts_with('=') ? "LibTorch answers: " + answer->substr(1) + "\n"
                                  : "LibTorch gives no answer\n  " + *answer + "\n";
}

}  // namespace tieout
