#include "cases/strings/nearest_word.h"

#include <algorithm>
#include <cctype>

namespace tieout {
namespace {

// Returns the optimal string alignment distance. Row i holds the distances of the first i letters of a to each prefix
// of b.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto is_same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) rows[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = rows[i - 1][j - 1] + (is_same(a[i - 1], b[j - 1]) ? 0 : 1);
      rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1])) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known) {
  // Longer words are not compared, because the distance takes quadratic time.
  constexpr std::size_t kLongest = 64;
  if (word.size() > kLongest) return {};
  std::optional<std::string> nearest;
  std::size_t least = word.size() < 3 ? 1 : word.size() / 3 + 1;
  for (const std::string& candidate : known) {
    const std::size_t apart = distance(word, candidate);
    if (apart >= least) continue;
    least = apart;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace tieout
