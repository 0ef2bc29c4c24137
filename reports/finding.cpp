#include "reports/finding.h"

namespace tieout {

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

std::string kind_of(const Finding& finding) {
  if (finding.failure.empty()) {
    if (!finding.diff_class.empty()) return finding.diff_class;
    return finding.drawn_kind.empty() || has_tensors(finding) ? "difference" : finding.drawn_kind;
  }
  constexpr std::size_t kMost = 100;
  std::string kind;
  for (const char letter : finding.failure) {
    if (letter == '\n' || kind.size() == kMost) break;
    const bool digit = '0' <= letter && letter <= '9';
    if (!digit) kind += letter;
    if (digit && !kind.ends_with('#')) kind += '#';
  }
  return kind;
}

std::string counted_kind(const Finding& finding) {
  return finding.drawn_kind.empty() ? kind_of(finding) : finding.drawn_kind;
}

}  // namespace tieout
