#include "reports/data/small_case.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

constexpr std::int64_t kFewListed = 1 << 20;

bool has_case_letters(std::string_view line) {
  return (line.starts_with("conv") || names_operator(line)) &&
         line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_ =[],.*+-") == std::string_view::npos;
}

// Returns how many numbers the lists of the line have, where N*V counts as N. The count stops a little above `most`.
std::int64_t listed_numbers(std::string_view line, std::int64_t most) {
  std::int64_t sum = static_cast<std::int64_t>(std::ranges::count(line, ','));
  for (std::size_t at = line.find('*'); at != std::string_view::npos && sum <= most; at = line.find('*', at + 1)) {
    const std::size_t before = line.find_last_not_of("0123456789", at == 0 ? 0 : at - 1);
    const char* const digits = line.data() + (before == std::string_view::npos ? 0 : before + 1);
    std::int64_t run = 0;
    const bool huge = std::from_chars(digits, line.data() + at, run).ec == std::errc::result_out_of_range;
    sum += huge ? most + 1 : std::min(run, most + 1);
  }
  return sum;
}

// validate() limits each term, so that the sum cannot overflow.
std::int64_t tensor_elements(const ConvCase& c) {
  return element_count(activation_shape(c)) + element_count(weight_shape(c)) + element_count(output_shape(c));
}

}  // namespace

bool is_case_line(std::string_view line) {
  if (!has_case_letters(line)) return false;
  return listed_numbers(line, kFewListed) > kFewListed || parse_any_case(line).has_value();
}

std::optional<AnyCase> small_case(std::string_view line, std::int64_t most) {
  if (!has_case_letters(line) || listed_numbers(line, most) > most) return {};
  auto c = parse_any_case(line);
  if (!c) return {};
  return std::visit([](const auto& one) { return tensor_elements(one); }, *c) <= most ? std::optional(std::move(*c))
                                                                                      : std::nullopt;
}

}  // namespace tieout
