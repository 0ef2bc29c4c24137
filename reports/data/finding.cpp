#include "reports/data/finding.h"

#include <algorithm>
#include <cctype>

#include "cases/operators/operator_text.h"
#include "reports/data/cause.h"

namespace tieout {
namespace {

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_alphanumeric(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_hexadecimal(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }

template <typename Is>
std::size_t length_of(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, is) - text.begin());
}

// Returns how many characters at the beginning of the text are a number: "12", "0.5", "1.5e-07".
std::size_t digits_length(std::string_view text) {
  std::size_t length = length_of(text, is_digit);
  if (length == 0) return 0;
  if (length + 1 < text.size() && text[length] == '.' && is_digit(text[length + 1])) {
    length += 1 + length_of(text.substr(length + 1), is_digit);
  }
  if (length < text.size() && (text[length] == 'e' || text[length] == 'E')) {
    const std::string_view exponent = text.substr(length + 1);
    const std::size_t sign = exponent.starts_with('-') || exponent.starts_with('+') ? 1 : 0;
    const std::size_t digits = length_of(exponent.substr(std::min(sign, exponent.size())), is_digit);
    if (digits > 0) length += 1 + sign + digits;
  }
  return length;
}

// Returns how many characters at the beginning of the text vary from run to run: a number, an address, a hash or a
// path. The text starts at the beginning of a word.
std::size_t varying_length(std::string_view text) {
  constexpr std::size_t kShortestHash = 4;
  if (text.starts_with("0x")) return 2 + length_of(text.substr(2), is_hexadecimal);
  if (text.front() == '/' && text.size() > 1 && is_alphanumeric(text[1])) {
    return std::min(text.find_first_of(" \t'\"(),;:"), text.size());
  }
  const std::string_view word = text.substr(0, length_of(text, is_alphanumeric));
  const bool hash = word.size() >= kShortestHash && std::ranges::all_of(word, is_hexadecimal) &&
                    (std::ranges::any_of(word, is_digit) || word.size() >= 2 * kShortestHash);
  return hash ? word.size() : digits_length(text);
}

}  // namespace

std::string kind_of_text(std::string_view text) {
  constexpr std::size_t kMost = 100;
  text = text.substr(0, text.find('\n'));
  std::string kind;
  while (!text.empty() && kind.size() < kMost) {
    const bool at_start = kind.empty() || (!is_alphanumeric(kind.back()) && kind.back() != '<');  // "</b>" is no path
    // The status is kept, because it distinguishes failures.
    const bool is_status = kind.ends_with("exit with status ");
    const std::size_t varying = is_status ? 0 : at_start ? varying_length(text) : digits_length(text);
    if (is_status) {
      const std::size_t digits = std::max<std::size_t>(1, digits_length(text));
      kind += text.substr(0, digits);
      text.remove_prefix(digits);
    } else if (varying == 0) {
      kind += text.front();
      text.remove_prefix(1);
    } else {
      if (!kind.ends_with('#')) kind += '#';
      text.remove_prefix(varying);
    }
  }
  return kind;
}

OutputType output_type_of_line(std::string_view case_line) {
  if (const OperatorSchema* const schema = operator_of_line(case_line)) {
    return schema->has_float_output ? OutputType::int32 : OutputType::uint8;
  }
  const std::string line = " " + std::string(case_line) + " ";
  if (line.find(" ytype=int8 ") != std::string::npos) return OutputType::int8;
  return line.find(" ytype=int32 ") == std::string::npos ? OutputType::uint8 : OutputType::int32;
}

OutputType output_type(const Finding& finding) { return output_type_of_line(finding.case_line); }

bool has_tensors(const Finding& finding) {
  const Shape& shape = finding.expected.shape;
  const std::size_t count = finding.expected.values.size();
  if (!finding.failure.empty() || !finding.undescribed.empty() || count == 0) return false;
  if (finding.actual.shape != shape || finding.actual.values.size() != count) return false;
  std::size_t product = 1;  // at most `count`, so that it cannot overflow
  for (const std::int64_t extent : shape) {
    if (extent < 1 || static_cast<std::size_t>(extent) > count / product) return false;
    product *= static_cast<std::size_t>(extent);
  }
  return product == count;
}

bool is_guess(const Finding& finding) {
  // Findings of operators are classified by the reference's own codes.
  if (names_operator(finding.case_line)) return false;
  // What a subject does beside its values has a message of its own as class, and no derivation.
  const bool of_values = !finding.derivation.empty() || finding.mismatch_class == kUnexplained;
  return !finding.subject.empty() && finding.failure.empty() && of_values;
}

std::string kind_of(const Finding& finding) {
  if (!finding.failure.empty()) return sampled_kind(finding);
  if (!finding.cause.empty()) return cause_name(finding.cause, finding.condition);
  return is_guess(finding) ? std::string(kUnexplained) : sampled_kind(finding);
}

std::string reported_derivation(const Finding& finding) {
  if (!is_guess(finding)) return finding.derivation;
  if (finding.cause != kReferenceDeparts || finding.derivation.empty()) return {};
  return finding.mismatch_class + ": " + finding.derivation;
}

std::string sampled_kind(const Finding& finding) {
  if (finding.failure.empty()) {
    if (!finding.mismatch_class.empty()) return finding.mismatch_class;
    return finding.drawn_kind.empty() || has_tensors(finding) ? "difference" : finding.drawn_kind;
  }
  return kind_of_text(finding.failure);
}

std::string counted_kind(const Finding& finding) {
  return finding.drawn_kind.empty() ? sampled_kind(finding) : finding.drawn_kind;
}

}  // namespace tieout
