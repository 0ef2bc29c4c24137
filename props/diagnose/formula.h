#pragma once
// Provides integer formulas over the variables of a convolution's loops, such as "k / 8 * 8" or "stride of the width".
// A diagnosis describes where a kernel departs from the contract by formulas: which position it reads, which
// parameter it takes, how often it counts a product.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// The variables that formulas and conditions may use. Each group is known from one loop on: a formula inside an inner
// loop may use the variables of all outer ones.
enum class Variable : std::uint8_t {
  // The case.
  dims,
  batch,
  in_channels,
  out_channels,
  groups,
  group_inputs,   // C / groups
  group_outputs,  // K / groups
  input_d,
  input_h,
  input_w,
  kernel_d,
  kernel_h,
  kernel_w,
  stride_d,
  stride_h,
  stride_w,
  padding_d,
  padding_h,
  padding_w,
  dilation_d,
  dilation_h,
  dilation_w,
  output_d,
  output_h,
  output_w,
  taps,         // volume of the kernel
  length,       // products of one sum
  positions,    // output positions of one image and channel
  per_channel,  // 0 or 1
  has_bias,     // 0 or 1
  relu,         // 0 or 1
  xz,
  oz,
  // The output element.
  image,
  k,
  wz,
  od,
  oh,
  ow,
  position,  // of the element in its image and channel, row-major
  inside,    // number of taps that lie in the input
  // In requantization only: of the value before rounding, and of the multiplier.
  scaled_is_negative,   // 0 or 1
  sum_is_negative,      // 0 or 1; of the sum without the bias
  bias_is_negative,     // 0 or 1
  scaled_exponent,      // e, where the magnitude of the value before rounding is f * 2^e and f in 0.5 .. 1
  multiplier_exponent,  // e, where the multiplier is f * 2^e and f in 0.5 .. 1
  // One axis of the window.
  axis,  // 0 depth, 1 height, 2 width
  o,     // position of the output on the axis
  t,     // tap of the kernel on the axis
  stride,
  dilation,
  padding,
  input,
  kernel,
  output,
  other_stride,  // of the width if the axis is the height, and otherwise of the height
  other_dilation,
  other_padding,
  // One product of the sum.
  channel,              // input channel within the group
  tap,                  // position in the kernel, row-major
  product,              // index of the product, channels outermost
  product_by_position,  // index of the product, channels innermost
  padded,               // 1 if the tap lies outside of the input
  before,               // 1 if it lies before the begin of an axis
  behind,               // 1 if it lies behind the end of an axis
  before_d,             // ... of the axis
  before_h,
  before_w,
  behind_d,
  behind_h,
  behind_w,
  x,  // the activation and the weight of the product, as they are stored
  w,
  // The value that a formula changes.
  value,
  sum_products,
  sum_x,
  sum_w,
};
inline constexpr std::size_t kVariables = static_cast<std::size_t>(Variable::sum_w) + 1;

// The values of all variables; those of loops that are not entered are unspecified.
using Variables = std::array<std::int64_t, kVariables>;

[[nodiscard]] inline std::int64_t& at(Variables& v, Variable name) { return v[static_cast<std::size_t>(name)]; }
[[nodiscard]] inline std::int64_t at(const Variables& v, Variable name) { return v[static_cast<std::size_t>(name)]; }

// Return the low bits of a value as a signed number, and the value saturated to the range of a signed number of so many
// bits. bits: 1..63 (64 for the former).
[[nodiscard]] std::int64_t low_signed_bits(std::int64_t value, std::int64_t bits);
[[nodiscard]] std::int64_t saturated_to(std::int64_t value, std::int64_t bits);

// Returns whether a variable is 0 or 1.
[[nodiscard]] bool is_flag(Variable name);

// Returns the variable as C code of an emitted kernel (emit_kernel.h), and in words of a report.
[[nodiscard]] std::string_view c_text(Variable name);
[[nodiscard]] std::string_view words(Variable name);

// An integer expression. Division truncates toward zero as in C; the divisor 0 leaves the dividend.
class Formula {
 public:
  enum class Op : std::uint8_t {
    constant,
    variable,
    add,
    subtract,
    multiply,
    divide,
    remainder,
    minimum,
    maximum,
    signed_bits,    // the low bits as a signed number: (int8_t)a for 8 bits
    unsigned_bits,  // the low bits as an unsigned number
    saturate,       // to the range of a signed number of so many bits
  };

  Formula(std::int64_t constant);  // NOLINT(google-explicit-constructor): formulas are written like expressions
  Formula(Variable variable);      // NOLINT(google-explicit-constructor)
  static Formula of(Op op, const Formula& left, const Formula& right);

  [[nodiscard]] std::int64_t evaluate(const Variables& variables) const;

  // Bits of depends(): whether the value depends on the input channel, the tap, the padding, or the changed value of
  // one product. A formula without them is constant for an output element.
  static constexpr unsigned kOnChannel = 1;
  static constexpr unsigned kOnTap = 2;
  static constexpr unsigned kOnPadding = 4;
  static constexpr unsigned kOnValue = 8;
  [[nodiscard]] unsigned depends() const { return depends_; }

  // Returns the number of variables, constants and operators, which ranks formulas that fit equally well.
  [[nodiscard]] int size() const;

  // Return the number or the variable that the formula is, if it is only that.
  [[nodiscard]] std::optional<std::int64_t> constant() const;
  [[nodiscard]] std::optional<Variable> variable() const;

  // Returns the formula as C code, or in words for reports.
  [[nodiscard]] std::string c_code() const;
  [[nodiscard]] std::string text() const;

  bool operator==(const Formula&) const = default;

 private:
  struct Node {
    Op op;
    std::int64_t constant = 0;  // for signed_bits, unsigned_bits and saturate: their number
    Variable variable = Variable::value;

    bool operator==(const Node&) const = default;
  };
  Formula() = default;
  template <typename Name>
  [[nodiscard]] std::string print(Name name, bool words) const;

  std::vector<Node> nodes_;  // in postfix order
  unsigned depends_ = 0;
};

[[nodiscard]] inline Formula operator+(const Formula& a, const Formula& b) {
  return Formula::of(Formula::Op::add, a, b);
}
[[nodiscard]] inline Formula operator-(const Formula& a, const Formula& b) {
  return Formula::of(Formula::Op::subtract, a, b);
}
[[nodiscard]] inline Formula operator*(const Formula& a, const Formula& b) {
  return Formula::of(Formula::Op::multiply, a, b);
}
[[nodiscard]] inline Formula operator/(const Formula& a, const Formula& b) {
  return Formula::of(Formula::Op::divide, a, b);
}
[[nodiscard]] inline Formula operator%(const Formula& a, const Formula& b) {
  return Formula::of(Formula::Op::remainder, a, b);
}

}  // namespace tieout
