#include "cases/operators/any_case.h"

#include <vector>

#include "cases/operators/operator_text.h"
#include "cases/strings/nearest_word.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "cases/text/line_words.h"

namespace tieout {
namespace {

// Returns advice on a first word that names neither a convolution nor an operator.
std::string advice_on_operator(std::string_view line) {
  const std::string plain = plain_line(line);
  std::string_view rest = plain;
  std::vector<std::string> names;
  for (const OperatorSchema* const schema : operator_schemas()) names.emplace_back(schema->name);
  const auto nearest = nearest_word(cut_word(rest), names);
  return nearest ? "; did you mean " + *nearest + "?" : "; `tieout help operators` lists other operators";
}

}  // namespace

std::string print(const AnyCase& c) {
  return std::visit([](const auto& one) { return print(one); }, c);
}

tl::expected<AnyCase, CaseError> parse_any_case(std::string_view line) {
  if (names_operator(line)) {
    auto c = parse_operator(line);
    if (!c) return tl::unexpected(c.error());
    return std::move(*c);
  }
  auto c = parse(line);
  if (c) return std::move(*c);
  CaseError error = c.error();
  // The parser names this field if the first word is none of its own.
  if (error.field == "conv") error.message += advice_on_operator(line);
  return tl::unexpected(std::move(error));
}

std::int64_t tensor_elements(const OperatorCase& c) {
  std::int64_t elements = element_count(output_shape(c));
  for (const OperatorInput& input : c.inputs) elements += element_count(input.shape);
  return elements;
}

tl::expected<void, CaseError> check_cost(const OperatorCase& c) {
  // The inputs and their copies in LibTorch's memory; the output, its predictions and the offsets of its elements.
  constexpr std::int64_t kBytesPerInput = 4, kBytesPerOutput = 48;
  std::int64_t bytes = kBytesPerOutput * element_count(output_shape(c));
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const OperatorInput& input = c.inputs[i];
    const Shape strides = strides_of(c, i);
    std::int64_t span = 1;
    for (std::size_t d = 0; d < strides.size(); ++d) span += strides[d] * (input.shape[d] - 1);
    bytes += kBytesPerInput * (element_count(input.shape) + span);
  }
  if (bytes <= kMostBytes) return {};
  return tl::unexpected(CaseError{"shape", "the case takes about " + std::to_string(bytes >> 20) +
                                               " MiB of memory to verify, and " + std::to_string(kMostBytes >> 20) +
                                               " MiB are allowed; make the shape smaller"});
}

tl::expected<void, CaseError> check_cost(const AnyCase& c) {
  return std::visit([](const auto& one) { return check_cost(one); }, c);
}

}  // namespace tieout
