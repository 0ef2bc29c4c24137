#include "reports/data/mismatch_statistics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "reports/data/tensor_mismatches.h"

namespace tieout {
namespace {

std::vector<std::string> dimension_names(std::size_t dimensions) {
  switch (dimensions) {
    case 3: return {"image", "channel", "column"};
    case 4: return {"image", "channel", "row", "column"};
    case 5: return {"image", "channel", "depth", "row", "column"};
    default: break;
  }
  std::vector<std::string> names;
  for (std::size_t d = 0; d < dimensions; ++d) names.push_back(fmt::format("dimension {}", d));
  return names;
}

}  // namespace

MismatchStatistics mismatch_statistics(const Answers& expected, const Answers& actual) {
  const TensorMismatches d = compare_tensors(expected, actual);
  MismatchStatistics statistics;
  statistics.differing = std::ssize(d.offsets);
  const std::vector<std::string> names = dimension_names(expected.shape.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    statistics.touched.push_back({.name = names[i], .extent = expected.shape[i]});
  }
  std::vector<std::vector<bool>> touched;
  for (const std::int64_t extent : expected.shape) touched.emplace_back(static_cast<std::size_t>(extent));
  for (const std::int64_t offset : d.offsets) {
    const auto at = static_cast<std::size_t>(offset);
    const std::int64_t difference = std::int64_t{actual.values[at]} - expected.values[at];
    ++statistics.histogram[difference];
    if (statistics.worst < 0 && std::abs(difference) == d.largest) statistics.worst = offset;
    const std::vector<std::int64_t> index = unravel(offset, expected.shape);
    for (std::size_t i = 0; i < index.size(); ++i) touched[i][static_cast<std::size_t>(index[i])] = true;
  }
  for (std::size_t i = 0; i < touched.size(); ++i) {
    for (std::size_t at = 0; at < touched[i].size(); ++at) {
      if (touched[i][at]) statistics.touched[i].indices.push_back(static_cast<std::int64_t>(at));
    }
  }
  if (!d.equal()) {
    statistics.signed_mean = static_cast<double>(d.signed_sum) / static_cast<double>(d.offsets.size());
  }
  return statistics;
}

std::string ranges_text(const std::vector<std::int64_t>& ascending) {
  std::string text;
  for (std::size_t first = 0; first < ascending.size();) {
    std::size_t last = first;
    while (last + 1 < ascending.size() && ascending[last + 1] == ascending[last] + 1) ++last;
    if (!text.empty()) text += ", ";
    text += first == last ? std::to_string(ascending[first]) : fmt::format("{}-{}", ascending[first], ascending[last]);
    first = last + 1;
  }
  return text;
}

}  // namespace tieout
