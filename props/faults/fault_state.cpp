#include "props/faults/fault_state.h"

#include <array>
#include <map>
#include <optional>
#include <vector>

namespace tieout {
namespace {

std::int64_t weight_count(const tieout_conv& c) {
  return c.out_channels * (c.in_channels / c.groups) * c.kernel[0] * c.kernel[1] * c.kernel[2];
}

}  // namespace

const std::int8_t* kept_weights(const tieout_conv& c, Fault fault) {
  static std::vector<std::int8_t> packed;
  static const std::int8_t* address = nullptr;
  const auto count = static_cast<std::size_t>(weight_count(c));
  if (fault == Fault::kept_weights_by_address && address == c.weight && packed.size() >= count) return packed.data();
  if (fault == Fault::kept_weights_by_shape && packed.size() == count) return packed.data();
  if (fault != Fault::kept_weights_by_address && fault != Fault::kept_weights_by_shape) return c.weight;
  address = c.weight;
  packed.assign(c.weight, c.weight + count);
  return packed.data();
}

std::int64_t* scratch_row(std::int64_t length, Fault fault) {
  static std::vector<std::int64_t> row;
  if (fault != Fault::stale_padding) row.clear();
  if (std::ssize(row) < length) row.resize(static_cast<std::size_t>(length));
  return row.data();
}

std::int64_t carried_over(std::int64_t n, std::int64_t products, Fault fault) {
  static std::int64_t last = 0;
  const std::int64_t carried = fault == Fault::stale_in_second_image && n > 0 ? last : 0;
  last = products;
  return carried;
}

float kept_multiplier(const tieout_conv& c, std::int64_t k, float multiplier, Fault fault) {
  if (fault == Fault::kept_multipliers_by_activation_scale) {
    static std::map<std::int64_t, float> kept;
    static double of_scale = 0;
    if (of_scale != c.activation_scale) kept.clear();
    of_scale = c.activation_scale;
    return kept.try_emplace(k, multiplier).first->second;
  }
  if (fault != Fault::kept_multipliers) return multiplier;
  static std::map<std::int64_t, std::map<std::int64_t, float>> by_channels;
  return by_channels[c.out_channels].try_emplace(k, multiplier).first->second;
}

std::int64_t kept_weight_sum(const tieout_conv& c, std::int64_t k, std::int64_t sum, Fault fault) {
  if (fault != Fault::kept_weight_sums_by_output_scale) return sum;
  static std::map<std::int64_t, std::int64_t> kept;
  static double of_scale = 0;
  if (of_scale != c.output_scale) kept.clear();
  of_scale = c.output_scale;
  return kept.try_emplace(k, sum).first->second;
}

std::int64_t kept_zero_point(const tieout_conv& c, Fault fault) {
  if (fault == Fault::output_zero_point_signed) return static_cast<std::int8_t>(c.output_zero_point);
  static std::optional<std::int64_t> first;
  if (!first) first = c.output_zero_point;
  return fault == Fault::kept_first_zero_point ? *first : c.output_zero_point;
}

}  // namespace tieout
