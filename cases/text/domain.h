#pragma once
// Defines Domain, the set of cases that a kernel accepts, as conditions on a case's parameters. A domain converts to
// one line of text and back.
//
//   dims=2 kernel=3x3|5x5 stride=1 padding=same in_channels%16=0 wz=0
//
// All conditions must hold. The word `or` separates alternatives: a case is in the domain if all conditions of one
// alternative hold. The empty text is the domain of all cases.
//
//   NAME OPERATOR VALUE           OPERATOR is =, !=, <, <=, > or >=; several values for = and != are joined by |
//   NAME % N = M                  the remainder; also with != (without the spaces)
//
//   NAME                                                          VALUE
//   dims batch in_channels out_channels groups xz wz oz threads   integer; wz holds if it holds for every channel
//   in_features out_features      in_channels, out_channels       integer
//   group_inputs group_outputs    channels of one group           integer
//   taps products positions       kernel volume, length of one    integer
//                                 sum, output positions an image
//   input kernel stride dilation  padding_end: at the end of an   one number for every axis, or DxHxW, HxW or W;
//   padding padding_end output    axis                            padding=same: half of what the kernel reaches
//   input.h kernel.w ...          one axis: .d, .h or .w          integer
//   xs ws os multiplier           multiplier: xs * ws / os        number; ws holds if it holds for every channel
//   granularity relu bias         per_tensor | per_channel; on | off; bias is the float bias
//   int32_bias
//   call                                                          conv | linear
//   engine isa format xtype ytype the words of a case line; xz and oz are as these types store them
//
// A value may also be the name of another integer or spatial parameter: groups=in_channels, padding<kernel,
// input.h=input.w.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

enum class Parameter {
  dims,
  batch,
  in_channels,
  out_channels,
  groups,
  group_inputs,
  group_outputs,
  taps,
  products,
  positions,
  activation_zero_point,
  weight_zero_point,
  output_zero_point,
  threads,
  input,
  kernel,
  stride,
  dilation,
  padding,
  padding_end,
  output,
  activation_scale,
  weight_scale,
  output_scale,
  multiplier,
  granularity,
  relu,
  bias,
  int32_bias,
  engine,
  isa,
  format,
  activation_type,
  output_type,
  call,
};

// Holds a set of parameters, one bit each.
using ParameterSet = std::uint64_t;
[[nodiscard]] constexpr ParameterSet set_of(Parameter p) { return ParameterSet{1} << static_cast<unsigned>(p); }

[[nodiscard]] constexpr bool is_spatial(Parameter p) { return Parameter::input <= p && p <= Parameter::output; }

// Holds a parameter as a condition names it: all axes of a spatial parameter, or one of them.
struct Operand {
  Parameter parameter = Parameter::dims;
  int axis = -1;  // 0..2 for depth, height, width; -1: all axes.

  bool operator==(const Operand&) const = default;
};

// Holds the right-hand side of a condition.
struct ConditionValue {
  enum class Kind { number, extents, operand, same } kind = Kind::number;
  // Also holds the value of a choice such as relu=on.
  double number = 0;
  // One to three extents, the width last.
  std::vector<std::int64_t> extents;
  Operand operand;

  bool operator==(const ConditionValue&) const = default;
};

struct Condition {
  Operand left;
  std::int64_t modulus = 0;  // The N of NAME % N; 0: no remainder is taken.
  enum class Relation { equal, unequal, less, at_most, more, at_least } relation = Relation::equal;
  // Has more than one value only for equal and unequal.
  std::vector<ConditionValue> values;
  std::string text;

  bool operator==(const Condition& other) const { return text == other.text; }
};

// Returns the parameters of a case that decide whether the condition holds; derived parameters such as `output` are
// replaced by those that they depend on.
[[nodiscard]] ParameterSet parameters_of(const Condition& condition);

// True if the condition holds for the case. last_axis: spatial parameters are compared up to this axis only, so that a
// case whose later axes are not chosen yet can be tested; 2 for a complete case.
[[nodiscard]] bool holds(const Condition& condition, const ConvCase& c, int last_axis = 2);

class Domain {
 public:
  using Alternative = std::vector<Condition>;

  // Constructs the domain of all cases.
  Domain() = default;

  // Reads a domain. The error names the wrong condition and states what is allowed there.
  [[nodiscard]] static tl::expected<Domain, std::string> parse(std::string_view text);

  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool contains(const ConvCase& c) const;
  [[nodiscard]] bool is_everything() const { return alternatives_.empty(); }

  // Returns the domain of the cases that lie in both: each alternative of the one combined with each of the other.
  [[nodiscard]] Domain intersected_with(const Domain& other) const;
  [[nodiscard]] const std::vector<Alternative>& alternatives() const { return alternatives_; }

  bool operator==(const Domain&) const = default;

 private:
  std::vector<Alternative> alternatives_;
};

}  // namespace tieout
