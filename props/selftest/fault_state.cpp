#include "props/selftest/fault_state.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
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

namespace {

// Holds all parameters of a problem and the beginnings of its lists as one key, without the parameter that the fault
// omits.
using Key = std::vector<double>;

void add(Key& key, const auto* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) key.push_back(static_cast<double>(values[i]));
}

Key key_of(const tieout_conv& c, Fault fault) {
  const std::int64_t parameters = c.per_channel != 0 ? c.out_channels : 1;
  Key key{static_cast<double>(c.dims),        static_cast<double>(c.batch),
          static_cast<double>(c.in_channels), static_cast<double>(c.out_channels),
          static_cast<double>(c.groups),      c.activation_scale,
          static_cast<double>(c.per_channel), c.output_scale,
          c.bias == nullptr ? 0.0 : 1.0};
  for (const std::int64_t* const extents : {c.input, c.kernel, c.stride, c.dilation}) add(key, extents, 3);
  add(key, c.weight_scales, parameters);
  if (fault != Fault::kept_without_padding) add(key, c.padding, 3);
  if (fault != Fault::kept_without_activation_zero_point) key.push_back(static_cast<double>(c.activation_zero_point));
  if (fault != Fault::kept_without_output_zero_point) key.push_back(static_cast<double>(c.output_zero_point));
  if (fault != Fault::kept_without_weight_zero_points) add(key, c.weight_zero_points, parameters);
  if (fault != Fault::kept_without_relu) key.push_back(static_cast<double>(c.relu));
  if (c.bias != nullptr && fault != Fault::kept_without_bias) {
    add(key, c.bias, fault == Fault::kept_without_last_bias ? 1 : c.out_channels);
  }
  const std::int64_t weights = weight_count(c);
  if (fault == Fault::kept_by_sum_of_weights) {
    key.push_back(std::accumulate(c.weight, c.weight + weights, 0.0));
  } else {
    add(key, c.weight, fault == Fault::kept_by_first_weights ? std::min<std::int64_t>(weights, 16) : weights);
  }
  return key;
}

// Holds a problem with copies of its lists.
struct Kept {
  tieout_conv c;
  std::vector<std::int64_t> weight_zero_points;
  std::vector<float> bias;
  std::vector<std::int8_t> weight;
};

}  // namespace

tieout_conv with_kept_parameter(const tieout_conv& c, Fault fault) {
  if (fault < Fault::kept_without_activation_zero_point || fault > Fault::kept_by_sum_of_weights) return c;
  static std::map<Key, Kept> all;
  // These faults keep one problem only; the others keep all of them.
  const bool one =
      fault == Fault::kept_without_bias || fault == Fault::kept_without_relu || fault == Fault::kept_by_first_weights;
  const Key key = key_of(c, fault);
  if (one && !all.contains(key)) all.clear();
  const auto [found, added] = all.try_emplace(key);
  Kept& kept = found->second;
  if (added) {
    kept.c = c;
    const std::int64_t parameters = c.per_channel != 0 ? c.out_channels : 1;
    kept.weight_zero_points.assign(c.weight_zero_points, c.weight_zero_points + parameters);
    if (c.bias != nullptr) kept.bias.assign(c.bias, c.bias + c.out_channels);
    kept.weight.assign(c.weight, c.weight + weight_count(c));
  }
  tieout_conv mixed = c;
  switch (fault) {
    case Fault::kept_without_activation_zero_point: mixed.activation_zero_point = kept.c.activation_zero_point; break;
    case Fault::kept_without_output_zero_point: mixed.output_zero_point = kept.c.output_zero_point; break;
    case Fault::kept_without_weight_zero_points: mixed.weight_zero_points = kept.weight_zero_points.data(); break;
    case Fault::kept_without_bias:
    case Fault::kept_without_last_bias:
      if (c.bias != nullptr) mixed.bias = kept.bias.data();
      break;
    case Fault::kept_without_relu: mixed.relu = kept.c.relu; break;
    case Fault::kept_without_padding: std::copy_n(kept.c.padding, 3, mixed.padding); break;
    default: mixed.weight = kept.weight.data(); break;
  }
  return mixed;
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
