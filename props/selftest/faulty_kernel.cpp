// Implements a textbook kernel: window, sums, zero points, bias, multiplier, rounding, clamp. Beside each expression
// are the faulty ones that are written in its place in practice. Without the statements under is(...), the kernel is
// correct.

#include "props/selftest/faulty_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "props/selftest/fault_arithmetic.h"
#include "props/selftest/fault_state.h"

namespace tieout {
namespace {

class Kernel {
 public:
  Kernel(const tieout_conv& c, Fault fault)
      : c_(c),
        fault_(fault),
        channels_(c.in_channels / c.groups),
        outputs_(c.out_channels / c.groups),
        taps_(c.kernel[0] * c.kernel[1] * c.kernel[2]),
        length_(channels_ * taps_),
        weights_(kept_weights(c, fault)),
        window_(scratch_row(length_, fault)) {}

  void run() {
    const std::int64_t height = c_.output_size[1];
    const std::int64_t width = c_.output_size[2];
    std::int64_t offset = 0;
    for (std::int64_t n = 0; n < c_.batch; ++n) {
      for (std::int64_t k = 0; k < c_.out_channels; ++k) {
        const bool last_channel = is(Fault::stale_last_channel) && k % 2 == 0 && k == c_.out_channels - 1 && k > 0;
        for (std::int64_t d = 0; d < c_.output_size[0]; ++d) {
          for (std::int64_t h = 0; h < height; ++h) {
            for (std::int64_t w = 0; w < width; ++w, ++offset) {
              std::uint8_t* const y = c_.output + offset;
              if (last_channel) continue;
              if (is(Fault::stale_last_column_unwritten) && w > 0 && w == width - 1 && width % 2 == 1) continue;
              if (is(Fault::stale_last_row) && h > 0 && h == height - 1) {
                *y = *(y - width);
                continue;
              }
              *y = element(n, k, {d, h, w}, offset);
            }
          }
        }
      }
    }
  }

 private:
  using Place = std::array<std::int64_t, 3>;

  [[nodiscard]] bool is(Fault fault) const { return fault_ == fault; }

  // ---- the window

  // Returns the position in the input of tap t of output position o, along depth, height or width.
  // NOLINTNEXTLINE(readability-function-size): one line for each fault
  [[nodiscard]] std::int64_t position(std::size_t d, std::int64_t o, std::int64_t t) const {
    std::int64_t stride = c_.stride[d];
    std::int64_t dilation = c_.dilation[d];
    std::int64_t padding = c_.padding[d];
    if (is(Fault::stride_height_from_width) && d == 1 && c_.dims > 1) stride = c_.stride[2];
    if (is(Fault::stride_width_from_height) && d == 2 && c_.dims > 1) stride = c_.stride[1];
    if (is(Fault::stride_depth_ignored) && d == 0) stride = 1;
    if (is(Fault::dilation_ignored)) dilation = 1;
    if (is(Fault::dilation_height_from_width) && d == 1 && c_.dims > 1) dilation = c_.dilation[2];
    if (is(Fault::dilation_depth_ignored) && d == 0) dilation = 1;
    if (is(Fault::dilation_width_ignored) && d == 2) dilation = 1;
    if (is(Fault::dilation_with_stride)) dilation *= stride;
    if (is(Fault::padding_height_from_width) && d == 1 && c_.dims > 1) padding = c_.padding[2];
    if (is(Fault::padding_with_dilation)) padding *= dilation;
    if (is(Fault::padding_depth_ignored) && d == 0) padding = 0;
    if (is(Fault::padding_off_by_one_if_even) && padding > 0 && c_.kernel[d] % 2 == 0) --padding;
    if (is(Fault::position_in_8_bits)) o = static_cast<std::uint8_t>(o);
    if (is(Fault::column_beyond_64) && d == 2 && o >= 64) o -= 64;
    if (is(Fault::kernel_flipped)) t = c_.kernel[d] - 1 - t;
    const std::int64_t at = o * stride + t * dilation - padding;
    if (is(Fault::padding_repeats_border)) return std::clamp<std::int64_t>(at, 0, c_.input[d] - 1);
    return is(Fault::padding_only_at_begin) ? std::min(at, c_.input[d] - 1) : at;
  }

  [[nodiscard]] std::int64_t activation(std::int64_t n, std::int64_t channel, const Place& at) const {
    if (is(Fault::batch_first_only)) n = 0;
    const std::int64_t images = is(Fault::batch_distance_of_group) ? channels_ : c_.in_channels;
    const std::int64_t row = is(Fault::input_row_of_width) ? std::min(c_.input[2], c_.output_size[2]) : c_.input[2];
    const std::int64_t plane = ((n * images + channel) * c_.input[0] + at[0]) * c_.input[1];
    const std::uint8_t x = c_.activation[plane * c_.input[2] + at[1] * row + at[2]];
    if (is(Fault::activation_signed)) return static_cast<std::int8_t>(x);
    if (is(Fault::activation_max_is_254)) return std::min<std::int64_t>(x, 254);
    return x;
  }

  [[nodiscard]] std::int64_t weight(std::int64_t k, std::int64_t channel, const Place& t) const {
    std::int64_t at = (t[0] * c_.kernel[1] + t[1]) * c_.kernel[2] + t[2];
    if (is(Fault::kernel_transposed)) at = (t[0] * c_.kernel[2] + t[2]) * c_.kernel[1] + t[1];
    if (is(Fault::kernel_depth_first_only)) at = t[1] * c_.kernel[2] + t[2];
    const std::int8_t w = weights_[(k * channels_ + channel) * taps_ + at];
    if (is(Fault::weight_unsigned)) return static_cast<std::uint8_t>(w);
    if (is(Fault::weight_min_is_minus_127)) return std::max<std::int64_t>(w, -127);
    return w;
  }

  // Returns input channel i of the group that output channel k belongs to.
  [[nodiscard]] std::int64_t channel_of(std::int64_t k, std::int64_t i) const {
    std::int64_t group = k / outputs_;
    if (is(Fault::group_by_remainder)) group = k % c_.groups;
    if (is(Fault::group_depthwise_multiplier) && channels_ == 1 && outputs_ == 2) group = k % c_.groups;
    return is(Fault::group_interleaved) ? i * c_.groups + group : group * channels_ + i;
  }

  // Gathers the window and sums up its products.
  Sums sums(std::int64_t n, std::int64_t k, const Place& o) {
    SumUp sum(fault_, length_);
    const std::int64_t flat = (o[0] * c_.output_size[1] + o[1]) * c_.output_size[2] + o[2];
    const Block block{.position = flat, .row = o[1], .column = o[2], .channel = k};
    const std::int64_t of_channel = is(Fault::strip_of_256_columns) && o[2] >= 256 && k >= 8 ? k - 8 : k;
    const std::int64_t whole = is(Fault::channel_tail_of_8) && channels_ > 8 ? channels_ / 8 * 8 : channels_;
    std::int64_t i = 0;
    for (std::int64_t channel = 0; channel < channels_; ++channel) {
      Place t{};
      for (t[0] = 0; t[0] < c_.kernel[0]; ++t[0]) {
        for (t[1] = 0; t[1] < c_.kernel[1]; ++t[1]) {
          for (t[2] = 0; t[2] < c_.kernel[2]; ++t[2], ++i) {
            Place at{position(0, o[0], t[0]), position(1, o[1], t[1]), position(2, o[2], t[2])};
            if (is(Fault::strip_of_512_columns) && o[2] >= 512 && o[1] >= 1) ++at[2];
            bool inside = true;
            for (std::size_t d = 0; d < 3; ++d) inside = inside && 0 <= at[d] && at[d] < c_.input[d];
            std::int64_t& x = window_[static_cast<std::size_t>(i)];
            if (inside) {
              x = activation(n, channel_of(k, channel), at);
            } else if (!is(Fault::stale_padding)) {
              x = is(Fault::padding_is_raw_zero) ? 0 : activation_zero_point();
            }
            const bool counted = inside || !is(Fault::padding_not_in_zero_point_sum);
            const std::int64_t times = times_counted(block, i, fault_);
            if (channel < whole) sum.add(i, counted ? x * times : 0, counted ? weight(of_channel, channel, t) : 0);
          }
        }
      }
    }
    return sum.finish();
  }

  // ---- quantization

  [[nodiscard]] std::int64_t activation_zero_point() const {
    if (is(Fault::activation_zero_point_signed)) return static_cast<std::int8_t>(c_.activation_zero_point);
    return c_.activation_zero_point;
  }

  // Returns the index of output channel k's weight parameters.
  [[nodiscard]] std::int64_t parameter(std::int64_t k) const {
    if (c_.per_channel == 0 || is(Fault::scale_of_first_channel)) return 0;
    if (is(Fault::scale_of_neighbour)) return std::min(k + 1, c_.out_channels - 1);
    if (is(Fault::scale_index_within_group)) return k % outputs_;
    if (is(Fault::scale_beyond_32) && k >= 32) return k - 32;
    const std::int64_t blocks = c_.out_channels / 16 * 16;
    return is(Fault::scale_in_tail) && blocks > 0 && k >= blocks ? blocks - 1 : k;
  }

  [[nodiscard]] std::int64_t take_zero_points_out(const Sums& s, std::int64_t k) const {
    const std::int64_t xz = activation_zero_point();
    std::int64_t wz = c_.weight_zero_points[c_.per_channel != 0 ? k : 0];
    if (is(Fault::weight_zero_point_of_first_channel)) wz = c_.weight_zero_points[0];
    if (is(Fault::weight_zero_point_ignored)) wz = 0;
    if (is(Fault::weight_zero_point_added)) wz = -wz;
    std::int64_t n = length_;
    if (is(Fault::zero_points_product_missing)) n = 0;
    if (is(Fault::zero_points_product_all_channels)) n = c_.in_channels * taps_;
    const std::int64_t weights = kept_weight_sum(c_, k, s.weights, fault_);
    const std::int64_t correction = -xz * weights - wz * s.activations + n * xz * wz;
    if (is(Fault::sum_correction_in_float)) {
      return static_cast<std::int32_t>(
          static_cast<std::int64_t>(static_cast<float>(s.products) + static_cast<float>(correction)));
    }
    if (is(Fault::sum_saturates)) return saturated(s.products + correction);
    if (is(Fault::sum_not_wrapped)) return s.products + correction;
    // The conversion wraps modulo 2^32.
    return static_cast<std::int32_t>(s.products + correction);
  }

  [[nodiscard]] float bias(std::int64_t k) const {
    if (is(Fault::bias_of_first_channel)) return c_.bias[0];
    if (is(Fault::bias_index_within_group)) return c_.bias[k % outputs_];
    if (is(Fault::bias_lost_in_tail) && c_.out_channels > 8 && k >= c_.out_channels / 8 * 8) return 0;
    return c_.bias[k];
  }

  std::uint8_t element(std::int64_t n, std::int64_t k, const Place& o, std::int64_t offset) {
    const std::int64_t at = is(Fault::position_in_16_bits) ? static_cast<std::int16_t>(offset) : offset;
    Sums s = at < 0 ? Sums{} : sums(n, k, o);
    s.products += carried_over(n, s.products, fault_);
    std::int64_t raw = take_zero_points_out(s, k);
    if (is(Fault::relu_before_bias) && c_.relu != 0) raw = std::max<std::int64_t>(raw, 0);

    const bool inner = o[1] >= 8 && o[2] >= 32 && k >= 8;
    const std::int64_t scaled_as = is(Fault::tile_of_8_rows_by_32_columns_by_8_channels) && inner ? k - 8 : k;
    const double ws = c_.weight_scales[parameter(scaled_as)];
    const float unit = static_cast<float>(c_.activation_scale) * static_cast<float>(ws);
    const float multiplier = kept_multiplier(c_, k, multiplier_of(c_, ws, fault_), fault_);
    float scaled = to_float(raw, fault_);
    if (is(Fault::bias_in_units_of_activation) && c_.bias != nullptr) {
      scaled += bias(k) / static_cast<float>(c_.activation_scale);
    } else if (c_.bias != nullptr) {
      scaled = with_bias(raw, bias(k), unit, c_.per_channel != 0, fault_);
    }
    scaled = scale(raw, scaled, multiplier, c_, fault_);
    if (is(Fault::bias_after_multiplier) && c_.bias != nullptr) {
      scaled = static_cast<float>(raw) * multiplier + bias(k) / static_cast<float>(c_.output_scale);
    }
    const std::int64_t zero_point = kept_zero_point(c_, fault_);
    return clamp(scaled, zero_point, c_.relu != 0, fault_);
  }

  const tieout_conv& c_;
  Fault fault_;
  // Numbers of input and output channels of a group.
  std::int64_t channels_, outputs_;
  // Numbers of positions and of products of a window.
  std::int64_t taps_, length_;
  const std::int8_t* weights_;
  std::int64_t* window_;
};

template <Fault F>
const char* kernel(const tieout_conv* c) {
  return run_faulty(F, *c);
}

constexpr FaultyKernel kFaults[]{
#define X(name, wrong) {Fault::name, #name, wrong, kernel<Fault::name>, {}},
#define X_CONDUCT(name, wrong, named) {Fault::name, #name, wrong, kernel<Fault::name>, named},
#include "props/selftest/fault_list.def"
#undef X
};

}  // namespace

std::span<const FaultyKernel> faulty_kernels() { return kFaults; }

const char* correct_kernel(const tieout_conv* c) { return run_faulty(Fault::none, *c); }

void compute(Fault fault, const tieout_conv& c) {
  const tieout_conv mixed = with_kept_parameter(c, fault);
  Kernel(mixed, fault).run();
}

}  // namespace tieout
