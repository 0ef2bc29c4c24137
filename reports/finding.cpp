#include "reports/finding.h"

namespace tieout {

std::string kind_of(const Finding& finding) {
  if (finding.failure.empty()) return finding.diff_class.empty() ? "difference" : finding.diff_class;
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
