#include "props/identify/case_variation.h"

#include <fmt/core.h>

#include <algorithm>

namespace tieout {
namespace {

// Leaves out a depth of 1.
std::string kernel_text(const Spatial& kernel) {
  const std::string plane = fmt::format("{}x{}", kernel[1], kernel[2]);
  return kernel[0] == 1 ? plane : fmt::format("{}x{}", kernel[0], plane);
}

bool any(const Spatial& values, std::int64_t usual) {
  return std::ranges::any_of(values, [&](std::int64_t value) { return value != usual; });
}

void append(std::string& list, const std::string& text) { list += (list.empty() ? "" : ", ") + text; }

}  // namespace

void CaseVariation::add(const ConvCase& c, std::int64_t offset) {
  if (empty_ || volume(c.kernel) < volume(smallest_)) smallest_ = c.kernel;
  if (empty_ || volume(c.kernel) > volume(largest_)) largest_ = c.kernel;
  const std::int64_t k = offset / volume(output_size(c)) % c.out_channels;
  const bool zero_points = std::ranges::any_of(c.weight_zero_points, [](std::int64_t z) { return z != 0; });
  const std::array<bool, 9> flags{
      any(c.padding, 0), any(c.stride, 1), any(c.dilation, 1), c.groups > 1, c.granularity == Granularity::per_channel,
      zero_points,       !c.bias.empty(),  c.relu == Relu::on, k > 0};
  for (std::size_t i = 0; i < flags.size(); ++i) flags_[i].seen[flags[i] ? 1 : 0] = true;
  const std::array<std::int64_t, 4> values{c.dims, c.batch, c.in_channels, c.out_channels};
  for (std::size_t i = 0; i < values.size(); ++i) {
    Range& range = ranges_[i];
    range.low = empty_ ? values[i] : std::min(range.low, values[i]);
    range.high = empty_ ? values[i] : std::max(range.high, values[i]);
  }
  empty_ = false;
}

std::string CaseVariation::text() const {
  if (empty_) return {};
  std::string varied;
  std::string fixed;
  if (volume(smallest_) == volume(largest_)) {
    append(fixed, fmt::format("kernel {}", kernel_text(smallest_)));
  } else {
    append(varied, fmt::format("kernels {} to {}", kernel_text(smallest_), kernel_text(largest_)));
  }
  for (const Flag& flag : flags_) {
    if (flag.seen[0] && flag.seen[1]) {
      append(varied, flag.both);
    } else {
      append(fixed, flag.seen[1] ? flag.only_with : flag.only_without);
    }
  }
  for (const Range& range : ranges_) {
    if (range.low == range.high) {
      append(fixed, fmt::format("{} {}", range.name, range.low));
    } else {
      append(varied, fmt::format("{} {} to {}", range.name, range.low, range.high));
    }
  }
  if (varied.empty()) varied = "nothing";
  return fixed.empty() ? varied : varied + "; not varied: " + fixed;
}

}  // namespace tieout
