// Implements the quantized operators as a textbook does, one output element after the other. Beside each expression are
// the faulty ones that are written in its place in practice. Without the statements under is(...), the kernel is
// correct.
//
// Numbers are double and rounded to float32 by fl() after every step. For +, -, *, / and the square root this gives the
// bits of float32 arithmetic, because double has more than twice its digits.

#include "props/selftest/faulty_operator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tieout {
namespace {

class TextbookOperator {
 public:
  // tail: 0, or the fault occurs only in the elements behind the last whole block of that many.
  TextbookOperator(const tieout_operator& c, Change fault, std::int64_t tail) : c_(c), fault_(fault), tail_(tail) {}

  const char* run() {
    const Element element = element_of(c_.name);
    if (element == nullptr) return "unknown operator";
    for (std::int64_t i = 0; i < c_.output_count; ++i) {
      active_ = tail_ == 0 || i >= c_.output_count - c_.output_count % tail_;
      const double y = (this->*element)(i);
      if (c_.output_floats != nullptr) {
        c_.output_floats[i] = static_cast<float>(y);
      } else {
        c_.output[i] = static_cast<std::uint8_t>(y);
      }
    }
    return nullptr;
  }

 private:
  using Element = double (TextbookOperator::*)(std::int64_t);
  using Index = std::array<std::int64_t, 5>;

  [[nodiscard]] bool is(Change fault) const { return active_ && fault_ == fault; }

  // ---- numbers

  [[nodiscard]] double fl(double v) const { return is(Change::float64) ? v : static_cast<float>(v); }

  [[nodiscard]] double round(double v, bool exact) const {
    if (is(Change::ties_away)) return std::round(v);
    if (is(Change::ties_up)) return std::floor(exact ? v + 0.5 : fl(v + 0.5));
    if (is(Change::truncated)) return std::trunc(v);
    if (is(Change::rounded_down)) return std::floor(v);
    return std::nearbyint(v);
  }

  // Returns the byte of a number that is rounded and has the zero point.
  [[nodiscard]] double clamp_byte(double v) const {
    if (is(Change::wraps)) {
      return static_cast<std::uint8_t>(static_cast<std::int32_t>(std::min(std::max(v, -0x1p31), 0x1p31 - 1)));
    }
    if (is(Change::largest_254)) v = std::min(v, 254.0);
    if (is(Change::largest_127)) v = std::min(v, 127.0);
    if (is(Change::smallest_1)) v = std::max(v, 1.0);
    return std::min(std::max(v, 0.0), 255.0);
  }

  [[nodiscard]] double output_zero_point() const {
    if (is(Change::output_zero_point_missing)) return 0;
    if (is(Change::output_zero_point_of_input)) return static_cast<double>(c_.inputs[0].zero_point);
    return static_cast<double>(c_.output_zero_point);
  }

  // Returns the byte of a number of output steps. exact: it is a float64, so that sums with it are, too.
  [[nodiscard]] double byte_of_steps(double v, bool exact = false) const {
    if (std::isnan(v)) return 0;
    if (is(Change::overflow_to_minimum) && std::fabs(v) >= 0x1p31) v = -0x1p31;
    const double z = output_zero_point();
    if (is(Change::zero_point_before_rounding)) return clamp_byte(round(exact ? v + z : fl(v + z), exact));
    double whole = round(v, exact);
    if (is(Change::clamped_before_zero_point)) whole = std::min(std::max(whole, 0.0), 255.0);
    return clamp_byte(whole + z);
  }

  // Returns a real number times the inverse of the output's scale. exact: the number, not rounded.
  [[nodiscard]] double per_output_scale(double v) const {
    const double scale = fl(c_.output_scale);
    if (is(Change::divides_by_scale)) return fl(v / scale);
    if (is(Change::inverse_in_float64)) return fl(v * fl(1 / c_.output_scale));
    return fl(v * fl(1 / scale));
  }
  [[nodiscard]] double byte_of_real(double v) const { return byte_of_steps(per_output_scale(v)); }

  // ---- the call

  [[nodiscard]] static Index index_of(std::int64_t i, const std::int64_t* shape, std::int64_t rank) {
    Index index{};
    for (std::int64_t d = rank - 1; d >= 0; i /= shape[d--]) index[static_cast<std::size_t>(d)] = i % shape[d];
    return index;
  }
  [[nodiscard]] Index output_index(std::int64_t i) const { return index_of(i, c_.output_shape, c_.output_rank); }

  [[nodiscard]] static std::int64_t offset_of(const Index& index, const tieout_tensor& x) {
    std::int64_t offset = 0;
    for (std::int64_t d = 0; d < x.rank; ++d) offset = offset * x.shape[d] + index[static_cast<std::size_t>(d)];
    return offset;
  }

  [[nodiscard]] double attribute_of(const char* name, std::int64_t i = 0) const {
    return tieout_attribute_values(&c_, name)[i];
  }
  [[nodiscard]] std::int64_t extent_of(const char* name, std::int64_t d) const {
    return static_cast<std::int64_t>(attribute_of(name, d));
  }

  // ---- inputs

  [[nodiscard]] double zero_point(std::int64_t input) const {
    if (is(Change::input_zero_points_missing)) return 0;
    if (is(Change::second_zero_point_missing) && input != 0) return 0;
    if (is(Change::second_zero_point_of_first)) input = 0;
    return static_cast<double>(c_.inputs[input].zero_point);
  }
  [[nodiscard]] double exact_scale(std::int64_t input) const {
    return c_.inputs[is(Change::second_scale_of_first) ? 0 : input].scale;
  }
  [[nodiscard]] double scale(std::int64_t input) const { return fl(exact_scale(input)); }

  [[nodiscard]] double stored(std::int64_t input, std::int64_t offset) const {
    const std::uint8_t q = c_.inputs[input].bytes[offset];
    return is(Change::signed_bytes) ? static_cast<std::int8_t>(q) : q;
  }
  [[nodiscard]] double real_of(std::int64_t input, double q) const {
    const double s = scale(input), z = zero_point(input);
    if (is(Change::fused_dequantization)) {
      return std::fma(static_cast<float>(s), static_cast<float>(q), static_cast<float>(-s * z));
    }
    if (is(Change::dequantized_by_products)) return fl(fl(s * q) - fl(s * z));
    return fl(s * (q - z));
  }
  [[nodiscard]] double real(std::int64_t input, std::int64_t offset) const {
    return real_of(input, stored(input, offset));
  }

  // Returns the offset of the element of an input that is broadcast to element i of the output.
  [[nodiscard]] std::int64_t broadcast(std::int64_t input, std::int64_t i) const {
    const tieout_tensor& x = c_.inputs[input];
    const Index index = output_index(i);
    std::int64_t offset = 0;
    for (std::int64_t d = 0; d < x.rank; ++d) {
      const std::int64_t at = index[static_cast<std::size_t>(c_.output_rank - x.rank + d)];
      offset = offset * x.shape[d] + std::min(at, x.shape[d] - 1);
    }
    return offset;
  }

  // ---- relu

  [[nodiscard]] bool has_relu() const {
    if (is(Change::relu_missing)) return false;
    return is(Change::relu_always) || (attribute_of("relu") != 0 && !is(Change::relu_of_inputs));
  }
  [[nodiscard]] double relu_of_real(double v) const { return has_relu() ? std::max(v, 0.0) : v; }
  [[nodiscard]] double relu_of_byte(double y) const {
    return has_relu() ? std::max(y, static_cast<double>(c_.output_zero_point)) : y;
  }
  [[nodiscard]] double relu_of_input(double v) const {
    return is(Change::relu_of_inputs) && attribute_of("relu") != 0 ? std::max(v, 0.0) : v;
  }

  // ---- multipliers of 31 bits, as gemmlowp has them

  // Returns x * 2^left * multiplier, by integers.
  [[nodiscard]] static std::int64_t by_fixed_point(std::int64_t x, double multiplier) {
    if (multiplier == 0) return 0;
    int exponent = 0;
    std::int64_t m = std::llround(std::frexp(multiplier, &exponent) * 0x1p31);
    if (m == std::int64_t{1} << 31) m = std::int64_t{1} << 30, ++exponent;
    if (exponent < -31) return 0;
    if (exponent > 0) x <<= exponent;
    // SaturatingRoundingDoublingHighMul: a nudge, then a division that truncates.
    const std::int64_t product = x * m;
    const std::int64_t nudge = product >= 0 ? std::int64_t{1} << 30 : 1 - (std::int64_t{1} << 30);
    const std::int64_t high = (product + nudge) / (std::int64_t{1} << 31);
    // RoundingDivideByPOT: a shift, plus 1 if what it drops is more than half.
    const int shift = exponent < 0 ? -exponent : 0;
    const std::int64_t mask = (std::int64_t{1} << shift) - 1;
    const std::int64_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
    return (high >> shift) + ((high & mask) > threshold ? 1 : 0);
  }
  [[nodiscard]] float narrow_scale(std::int64_t input) const { return static_cast<float>(exact_scale(input)); }
  [[nodiscard]] float narrow_output_scale() const { return static_cast<float>(c_.output_scale); }
  [[nodiscard]] std::int64_t difference(std::int64_t input, std::int64_t offset) const {
    return static_cast<std::int64_t>(stored(input, offset) - zero_point(input));
  }
  [[nodiscard]] double byte_of_integer(std::int64_t steps) const {
    return clamp_byte(static_cast<double>(steps) + output_zero_point());
  }

  [[nodiscard]] std::int64_t tflite_sum(std::int64_t a, std::int64_t b) const {
    const double twice = 2.0 * std::max(narrow_scale(0), narrow_scale(1));
    const std::int64_t sum =
        by_fixed_point(a << 20, narrow_scale(0) / twice) + by_fixed_point(b << 20, narrow_scale(1) / twice);
    return by_fixed_point(sum, twice / (double{1 << 20} * narrow_output_scale()));
  }
  [[nodiscard]] std::int64_t xnnpack_sum(std::int64_t a, std::int64_t b) const {
    const float first = narrow_scale(0) / narrow_output_scale(), second = narrow_scale(1) / narrow_output_scale();
    int exponent = 0;
    (void)std::frexp(std::max(first, second), &exponent);
    const int shift = 21 - exponent;
    const std::int64_t m = std::lrint(first * std::exp2(shift)), n = std::lrint(second * std::exp2(shift));
    return (m * a + n * b + (std::int64_t{1} << (shift - 1))) >> shift;
  }

  // ---- operators of elements

  double add(std::int64_t i) {
    const std::int64_t a = broadcast(0, i), b = broadcast(1, i);
    if (is(Change::tflite)) return relu_of_byte(byte_of_integer(tflite_sum(difference(0, a), difference(1, b))));
    if (is(Change::xnnpack)) return relu_of_byte(byte_of_integer(xnnpack_sum(difference(0, a), difference(1, b))));
    return byte_of_real(relu_of_real(fl(relu_of_input(real(0, a)) + relu_of_input(real(1, b)))));
  }

  double mul(std::int64_t i) {
    const std::int64_t a = broadcast(0, i), b = broadcast(1, i);
    if (is(Change::through_reals)) return byte_of_real(relu_of_real(fl(real(0, a) * real(1, b))));
    const double product =
        relu_of_input(static_cast<double>(difference(0, a))) * relu_of_input(static_cast<double>(difference(1, b)));
    if (is(Change::tflite)) {
      const float multiplier = narrow_scale(0) * narrow_scale(1) / narrow_output_scale();
      return relu_of_byte(byte_of_integer(by_fixed_point(static_cast<std::int64_t>(product), multiplier)));
    }
    double multiplier = per_output_scale(fl(scale(0) * scale(1)));
    if (is(Change::inverse_in_float64)) multiplier = fl(exact_scale(0) * exact_scale(1) / c_.output_scale);
    return relu_of_byte(byte_of_steps(fl(product * multiplier)));
  }

  double add_scalar(std::int64_t i) {
    const double value = is(Change::number_subtracted) ? -attribute_of("value") : attribute_of("value");
    if (is(Change::through_reals)) return byte_of_real(relu_of_real(fl(real(0, i) + fl(value))));
    const double quotient = value / c_.inputs[0].scale;
    const double steps = is(Change::number_truncated) ? std::trunc(quotient) : std::nearbyint(quotient);
    const bool moved =
        static_cast<double>(c_.inputs[0].zero_point) - steps == static_cast<double>(c_.output_zero_point);
    if (moved || is(Change::always_copied)) return relu_of_byte(c_.inputs[0].bytes[i]);
    double multiplier = per_output_scale(scale(0));
    if (is(Change::inverse_in_float64)) multiplier = fl(exact_scale(0) / c_.output_scale);
    return relu_of_byte(byte_of_steps(fl(fl(stored(0, i) - zero_point(0) + steps) * multiplier)));
  }

  double mul_scalar(std::int64_t i) {
    const double value = attribute_of("value");
    int q = c_.inputs[0].bytes[i];
    if (is(Change::relu_of_inputs) && attribute_of("relu") != 0) {
      q = std::max(q, static_cast<int>(c_.inputs[0].zero_point));
    }
    if (value == 0) return is(Change::zero_copied) ? q : 0;
    if (value < 0 && !is(Change::never_mirrored)) {
      q = is(Change::mirrored_by_256) ? static_cast<std::uint8_t>(-q) : 255 - q;
    }
    return relu_of_byte(q);
  }

  double hardswish(std::int64_t i) {
    const double x = real(0, i);
    double gate = fl(x + 3);
    if (gate < 0 && !is(Change::lower_bound_missing)) gate = 0;
    if (gate > 6 && !is(Change::upper_bound_missing)) gate = 6;
    if (is(Change::gate_divided_first)) return byte_of_real(fl(x * fl(gate / 6)));
    const double product = fl(x * gate);
    return byte_of_real(is(Change::sixth_by_inverse) ? fl(product * fl(1.0 / 6)) : fl(product / 6));
  }

  double hardsigmoid(std::int64_t i) {
    const double x = real(0, i);
    if (is(Change::slope_of_a_fifth)) return byte_of_real(std::clamp(fl(fl(x * fl(0.2F)) + 0.5), 0.0, 1.0));
    if (is(Change::sum_of_half)) return byte_of_real(std::clamp(fl(fl(x / 6) + 0.5), 0.0, 1.0));
    const double gate = std::clamp(fl(x + 3), 0.0, 6.0);
    return byte_of_real(is(Change::sixth_by_inverse) ? fl(gate * fl(1.0 / 6)) : fl(gate / 6));
  }

  double sigmoid(std::int64_t i) {
    const double x = real(0, i);
    const auto narrow = static_cast<float>(x);
    if (is(Change::by_tanh)) return byte_of_real(0.5F * std::tanh(0.5F * narrow) + 0.5F);
    if (is(Change::exponential_in_float32)) return byte_of_real(1.0F / (1.0F + std::exp(-narrow)));
    return byte_of_real(fl(1 / (1 + std::exp(-x))));
  }

  double leaky_relu(std::int64_t i) {
    const auto slope = static_cast<float>(attribute_of("slope"));
    if (is(Change::tflite)) {
      const std::int64_t d = difference(0, i);
      const float positive = narrow_scale(0) / narrow_output_scale();
      const float negative = narrow_scale(0) * slope / narrow_output_scale();
      return byte_of_integer(by_fixed_point(d, d < 0 ? negative : positive));
    }
    const double x = real(0, i);
    if (is(Change::larger_one)) return byte_of_real(std::max(x, fl(x * slope)));
    if (x > 0 && !is(Change::slope_everywhere)) return byte_of_real(x);
    return byte_of_real(is(Change::slope_missing) ? 0 : fl(x * slope));
  }

  double relu(std::int64_t i) {
    const double zero = is(Change::zero_point_128) ? 128 : static_cast<double>(c_.output_zero_point);
    const double q = stored(0, i);
    if (is(Change::relu_missing)) return q;
    if (is(Change::smaller_one)) return std::min(q, zero);
    if (q < zero) return is(Change::negative_to_byte_0) ? 0 : zero;
    return q;
  }

  double clamp(std::int64_t i) {
    const auto bound = [&](const char* name) {
      const double real = attribute_of(name);
      return is(Change::bounds_not_quantized) ? std::trunc(std::clamp(real, 0.0, 255.0)) : byte_of_real(fl(real));
    };
    double q = stored(0, i);
    if (!is(Change::lower_bound_missing)) q = std::max(q, bound("min"));
    if (!is(Change::upper_bound_missing)) q = std::min(q, bound("max"));
    return static_cast<std::uint8_t>(static_cast<int>(q));
  }

  double batch_norm(std::int64_t i) {
    const std::int64_t k = is(Change::first_channel) ? 0 : output_index(i)[1];
    const double eps = is(Change::eps_missing) ? 0 : attribute_of("eps"), variance = attribute_of("var", k);
    double deviation = fl(std::sqrt(fl(variance + eps)));
    if (is(Change::eps_after_root)) deviation = fl(fl(std::sqrt(variance)) + eps);
    const double mean = is(Change::mean_missing) ? 0 : attribute_of("mean", k);
    const double weight = attribute_of("weight", k), bias = attribute_of("bias", k);
    const double x = relu_of_input(real(0, i));
    double unit = fl(fl(x - mean) * fl(1 / deviation));
    if (is(Change::divides_by_deviation)) unit = fl(fl(x - mean) / deviation);
    double y = fl(fl(unit * weight) + bias);
    if (is(Change::folded)) {
      const double factor = fl(weight * fl(1 / deviation));
      y = fl(fl(x * factor) + fl(bias - fl(mean * factor)));
    }
    return byte_of_real(relu_of_real(y));
  }

  double quantize(std::int64_t i) { return byte_of_real(double{c_.inputs[0].floats[i]}); }

  double dequantize(std::int64_t i) { return real(0, i); }

  // ---- cat

  [[nodiscard]] double joined(std::int64_t input, std::int64_t offset, std::int64_t parameters) const {
    const double q = c_.inputs[input].bytes[offset];
    if (is(Change::always_copied)) return q;
    if (is(Change::tflite_cat)) {
      const float factor = narrow_scale(parameters) * (1.0F / narrow_output_scale());
      const float bias = static_cast<float>(-zero_point(parameters)) * factor;
      return relu_of_byte(byte_of_integer(std::lround(static_cast<float>(q) * factor + bias)));
    }
    return byte_of_real(relu_of_real(real_of(parameters, stored(input, offset))));
  }

  double cat(std::int64_t i) {
    const auto rank = c_.output_rank, given = static_cast<std::int64_t>(attribute_of("dim"));
    const auto dim = static_cast<std::size_t>(given < 0 ? given + rank : given);
    Index index = output_index(i);
    for (std::int64_t step = 0; step < c_.input_count; ++step) {
      const std::int64_t input = is(Change::inputs_reversed) ? c_.input_count - 1 - step : step;
      const tieout_tensor& x = c_.inputs[input];
      if (is(Change::joined_in_memory)) {
        if (i < x.count) return joined(input, i, input);
        i -= x.count;
        continue;
      }
      if (index[dim] < x.shape[dim]) {
        const bool late = is(Change::parameters_one_late) && index[dim] == 0 && input > 0;
        return joined(input, offset_of(index, x), late ? input - 1 : input);
      }
      index[dim] -= x.shape[dim];
    }
    return 0;
  }

  // ---- windows

  // A half-open range of positions along each dimension, which may reach into the padding, with a distance of steps.
  struct Box {
    Index begin{}, end{}, step{1, 1, 1, 1, 1};
  };

  // Calls visit(offset) for all positions of the box that are in the input.
  template <typename Visit>
  void for_each_position(const Box& box, Visit visit, std::int64_t d = 0, std::int64_t offset = 0) const {
    const tieout_tensor& x = c_.inputs[0];
    if (d == x.rank) return visit(offset);
    const auto axis = static_cast<std::size_t>(d);
    for (std::int64_t at = box.begin[axis]; at < box.end[axis]; at += box.step[axis]) {
      if (at >= 0 && at < x.shape[d]) for_each_position(box, visit, d + 1, offset * x.shape[d] + at);
    }
  }

  // Returns the box of one position for element i, whose spatial dimensions are to be widened.
  [[nodiscard]] Box box_of(std::int64_t i) const {
    Box box;
    box.begin = box.end = output_index(i);
    for (std::int64_t& end : box.end) ++end;
    return box;
  }

  double max_pool(std::int64_t i) {
    Box box = box_of(i);
    const std::int64_t axes = c_.inputs[0].rank - 2;
    std::int64_t positions = 1, inside = 0;
    for (std::int64_t d = 0; d < axes; ++d) {
      const auto axis = static_cast<std::size_t>(d + 2);
      const std::int64_t stride = extent_of("stride", is(Change::strides_swapped) ? axes - 1 - d : d);
      const std::int64_t dilation = is(Change::dilation_ignored) ? 1 : extent_of("dilation", d);
      std::int64_t kernel = extent_of("kernel", d);
      if (is(Change::last_tap_missing)) kernel = std::max<std::int64_t>(1, kernel - 1);
      const std::int64_t begin = box.begin[axis] * stride - (is(Change::padding_ignored) ? 0 : extent_of("padding", d));
      box.begin[axis] = begin;
      box.end[axis] = begin + (kernel - 1) * dilation + 1;
      box.step[axis] = dilation;
      positions *= kernel;
    }
    const auto zero = static_cast<double>(c_.inputs[0].zero_point);
    double largest = is(Change::signed_bytes) ? -128 : 0;
    if (is(Change::maximum_from_zero_point)) largest = zero;
    for_each_position(box, [&](std::int64_t offset) {
      largest = std::max(largest, stored(0, offset));
      ++inside;
    });
    if (is(Change::padding_is_zero_point) && inside < positions) largest = std::max(largest, zero);
    if (inside == 0 && is(Change::signed_bytes)) return 0;
    return static_cast<std::uint8_t>(static_cast<int>(largest));
  }

  // Returns the average of a box with the padding that counts, divided by `count`.
  [[nodiscard]] double average(const Box& box, std::int64_t padding, std::int64_t count) const {
    double sum = is(Change::padding_is_byte_0) ? -static_cast<double>(padding) * zero_point(0) : 0;
    double real_sum = 0;
    for_each_position(box, [&](std::int64_t offset) {
      sum += stored(0, offset) - zero_point(0);
      real_sum = fl(real_sum + real(0, offset));
    });
    const auto divisor = static_cast<double>(count);
    if (is(Change::through_reals)) return byte_of_real(fl(real_sum / divisor));
    if (is(Change::count_by_inverse)) return byte_of_steps(fl(fl(sum) * fl(1 / divisor)));
    return byte_of_steps(sum / divisor, true);
  }

  double avg_pool(std::int64_t i) {
    Box box = box_of(i);
    std::int64_t padded = 1, whole = 1, inside = 0;
    for (std::int64_t d = 0; d + 2 < c_.inputs[0].rank; ++d) {
      const auto axis = static_cast<std::size_t>(d + 2);
      const std::int64_t begin = box.begin[axis] * extent_of("stride", d) - extent_of("padding", d);
      const std::int64_t limit = c_.inputs[0].shape[d + 2] + extent_of("padding", d);
      box.begin[axis] = begin;
      box.end[axis] = std::min(begin + extent_of("kernel", d), limit);
      padded *= box.end[axis] - begin;
      whole *= extent_of("kernel", d);
    }
    for_each_position(box, [&](std::int64_t) { ++inside; });
    if (is(Change::window_not_clipped)) padded = whole;
    bool counts_padding = attribute_of("exclude_pad") == 0;
    if (is(Change::padding_never_counted)) counts_padding = false;
    if (is(Change::padding_always_counted)) counts_padding = true;
    if (is(Change::exclude_pad_reversed)) counts_padding = !counts_padding;
    std::int64_t count = counts_padding ? padded : inside;
    if (attribute_of("divisor") != 0 && !is(Change::divisor_ignored)) count = extent_of("divisor", 0);
    return average(box, counts_padding ? padded - inside : 0, count);
  }

  double adaptive_avg_pool(std::int64_t i) {
    Box box = box_of(i);
    std::int64_t count = 1;
    for (std::int64_t d = 0; d + 2 < c_.inputs[0].rank; ++d) {
      const auto axis = static_cast<std::size_t>(d + 2);
      const std::int64_t in = c_.inputs[0].shape[d + 2], out = c_.output_shape[d + 2], at = box.begin[axis];
      std::int64_t begin = at * in / out, end = (in * (at + 1) + out - 1) / out;
      if (is(Change::windows_end_early)) end = std::max(begin + 1, in * (at + 1) / out);
      if (is(Change::equal_windows)) {
        begin = at * (in / out);
        end = begin + in - (out - 1) * (in / out);
      }
      box.begin[axis] = begin;
      box.end[axis] = end;
      count *= end - begin;
    }
    return average(box, 0, count);
  }

  double mean(std::int64_t i) {
    const tieout_tensor& x = c_.inputs[0];
    const tieout_attribute& dims =
        *std::find_if(c_.attributes, c_.attributes + c_.attribute_count,
                      [](const tieout_attribute& one) { return std::string_view(one.name) == "dims"; });
    std::vector<std::int64_t> outer;  // the extents that remain
    std::array<bool, 5> averaged{};
    for (std::int64_t j = 0; j < dims.count; ++j) averaged[static_cast<std::size_t>(dims.values[j])] = true;
    for (std::int64_t d = 0; d < x.rank; ++d) outer.push_back(averaged[static_cast<std::size_t>(d)] ? 1 : x.shape[d]);
    Box box;
    box.begin = box.end = index_of(i, outer.data(), x.rank);
    std::int64_t count = 1, last = 1;
    for (std::int64_t d = 0; d < x.rank; ++d) {
      const auto axis = static_cast<std::size_t>(d);
      box.end[axis] += averaged[axis] ? x.shape[d] : 1;
      if (!averaged[axis]) continue;
      last = x.shape[d];
      count *= last;
    }
    if (is(Change::count_of_last_dimension)) count = last;
    if (is(Change::count_one_less) && count > 1) --count;
    return average(box, 0, count);
  }

  [[nodiscard]] static Element element_of(std::string_view name) {
    using T = TextbookOperator;
    constexpr std::array<std::pair<std::string_view, Element>, 18> kElements{
        {{"add", &T::add},
         {"mul", &T::mul},
         {"add_scalar", &T::add_scalar},
         {"mul_scalar", &T::mul_scalar},
         {"hardswish", &T::hardswish},
         {"hardsigmoid", &T::hardsigmoid},
         {"sigmoid", &T::sigmoid},
         {"leaky_relu", &T::leaky_relu},
         {"relu", &T::relu},
         {"clamp", &T::clamp},
         {"batch_norm", &T::batch_norm},
         {"quantize", &T::quantize},
         {"dequantize", &T::dequantize},
         {"cat", &T::cat},
         {"max_pool", &T::max_pool},
         {"avg_pool", &T::avg_pool},
         {"adaptive_avg_pool", &T::adaptive_avg_pool},
         {"mean", &T::mean}}};
    const auto* const found =
        std::find_if(kElements.begin(), kElements.end(), [&](const auto& one) { return one.first == name; });
    return found == kElements.end() ? nullptr : found->second;
  }

  const tieout_operator& c_;
  Change fault_;
  std::int64_t tail_;
  bool active_ = true;  // the fault occurs in the present element
};

template <Change fault, std::int64_t tail>
const char* run_with_fault(const tieout_operator* call) {
  return TextbookOperator(*call, fault, tail).run();
}

constexpr std::array kFaultyOperators{
#define X(name, operators, what, instead) FaultyOperator{#name, Change::name, run_with_fault<Change::name, 0>},
#include "oracle/variants/change_list.def"
#undef X
    FaultyOperator{"ties_away in tails of 16", Change::ties_away, run_with_fault<Change::ties_away, 16>},
    FaultyOperator{"wraps in tails of 16", Change::wraps, run_with_fault<Change::wraps, 16>},
    FaultyOperator{"relu_missing in tails of 16", Change::relu_missing, run_with_fault<Change::relu_missing, 16>},
    FaultyOperator{"maximum_from_zero_point in tails of 16", Change::maximum_from_zero_point,
                   run_with_fault<Change::maximum_from_zero_point, 16>},
    FaultyOperator{"dequantized_by_products in tails of 16", Change::dequantized_by_products,
                   run_with_fault<Change::dequantized_by_products, 16>},
};

}  // namespace

std::span<const FaultyOperator> faulty_operators() { return kFaultyOperators; }

const char* correct_operator(const tieout_operator* call) { return run_with_fault<Change::kCount, 0>(call); }

}  // namespace tieout
