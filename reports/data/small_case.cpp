#include "reports/data/small_case.h"

#include <algorithm>
#include <charconv>

#include "cases/text/case_text.h"

namespace tieout {
namespace {

constexpr std::int64_t kFewListed = 1 << 20;

bool has_case_letters(std::string_view line) {
  return line.starts_with("conv") &&
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

}  // namespace

bool is_case_line(std::string_view line) {
  if (!has_case_letters(line)) return false;
  return listed_numbers(line, kFewListed) > kFewListed || parse(line).has_value();
}

std::optional<ConvCase> small_case(std::string_view line, std::int64_t most) {
  if (!has_case_letters(line) || listed_numbers(line, most) > most) return {};
  const auto c = parse(line);
  if (!c) return {};
  // validate() limits each term, so that the sum cannot overflow.
  const std::int64_t elements =
      element_count(activation_shape(*c)) + element_count(weight_shape(*c)) + element_count(output_shape(*c));
  return elements <= most ? std::optional(*c) : std::nullopt;
}

}  // namespace tieout
