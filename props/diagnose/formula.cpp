#include "props/diagnose/formula.h"

#include <fmt/format.h>

#include <algorithm>

namespace tieout {
namespace {

struct VariableText {
  std::string_view c, words;
};

// In the order of the enumeration.
constexpr std::array<VariableText, kVariables> kTexts{{
    {"c->dims", "number of dimensions"},
    {"c->batch", "batch size"},
    {"c->in_channels", "C"},
    {"c->out_channels", "K"},
    {"c->groups", "groups"},
    {"(c->in_channels / c->groups)", "C / groups"},
    {"(c->out_channels / c->groups)", "K / groups"},
    {"c->input[0]", "input depth"},
    {"c->input[1]", "input height"},
    {"c->input[2]", "input width"},
    {"c->kernel[0]", "kernel depth"},
    {"c->kernel[1]", "kernel height"},
    {"c->kernel[2]", "kernel width"},
    {"c->stride[0]", "stride of the depth"},
    {"c->stride[1]", "stride of the height"},
    {"c->stride[2]", "stride of the width"},
    {"c->padding[0]", "padding of the depth"},
    {"c->padding[1]", "padding of the height"},
    {"c->padding[2]", "padding of the width"},
    {"c->dilation[0]", "dilation of the depth"},
    {"c->dilation[1]", "dilation of the height"},
    {"c->dilation[2]", "dilation of the width"},
    {"c->output_size[0]", "output depth"},
    {"c->output_size[1]", "output height"},
    {"c->output_size[2]", "output width"},
    {"volume(c->kernel)", "kernel volume"},
    {"(c->in_channels / c->groups * volume(c->kernel))", "products of a sum"},
    {"volume(c->output_size)", "output positions"},
    {"c->per_channel", "per channel"},
    {"(c->bias != NULL)", "bias present"},
    {"c->relu", "relu"},
    {"c->activation_zero_point", "xz"},
    {"c->output_zero_point", "oz"},
    {"n", "image"},
    {"k", "k"},
    {"c->weight_zero_points[c->per_channel ? k : 0]", "wz"},
    {"o[0]", "od"},
    {"o[1]", "oh"},
    {"o[2]", "ow"},
    {"((o[0] * c->output_size[1] + o[1]) * c->output_size[2] + o[2])", "output position"},
    {"taps_inside(c, o)", "taps inside the input"},
    {"negative", "value before rounding is negative"},
    {"(raw < 0)", "sum is negative"},
    {"(b < 0)", "bias is negative"},
    {"exponent_of(usual * (unit / os))", "exponent of the value before rounding"},
    {"exponent_of(unit / os)", "exponent of the multiplier"},
    {"d", "axis"},
    {"o[d]", "output position on the axis"},
    {"t[d]", "tap on the axis"},
    {"c->stride[d]", "stride"},
    {"c->dilation[d]", "dilation"},
    {"c->padding[d]", "padding"},
    {"c->input[d]", "input size"},
    {"c->kernel[d]", "kernel size"},
    {"c->output_size[d]", "output size"},
    {"c->stride[d == 1 ? 2 : 1]", "stride of the other axis"},
    {"c->dilation[d == 1 ? 2 : 1]", "dilation of the other axis"},
    {"c->padding[d == 1 ? 2 : 1]", "padding of the other axis"},
    {"i", "input channel of the group"},
    {"tap", "tap"},
    {"(i * volume(c->kernel) + tap)", "product"},
    {"(tap * (c->in_channels / c->groups) + i)", "product, channels fastest"},
    {"(inside == 0)", "tap lies in the padding"},
    {"(at[0] < 0 || at[1] < 0 || at[2] < 0)", "tap lies before the input"},
    {"(at[0] >= c->input[0] || at[1] >= c->input[1] || at[2] >= c->input[2])", "tap lies behind the input"},
    {"(at[0] < 0)", "tap lies before the input in depth"},
    {"(at[1] < 0)", "tap lies above the input"},
    {"(at[2] < 0)", "tap lies left of the input"},
    {"(at[0] >= c->input[0])", "tap lies behind the input in depth"},
    {"(at[1] >= c->input[1])", "tap lies below the input"},
    {"(at[2] >= c->input[2])", "tap lies right of the input"},
    {"x", "x"},
    {"w", "w"},
    {"value", "value"},
    {"products", "sum of x * w"},
    {"sum_x", "sum of x"},
    {"sum_w", "sum of w"},
}};

// Division of 32 bits takes a third of the time of one of 64.
bool fits_32_bits(std::int64_t a, std::int64_t b) {
  return ((static_cast<std::uint64_t>(a) | static_cast<std::uint64_t>(b)) >> 32U) == 0;
}
std::int64_t quotient_32(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
}

unsigned dependence_of(Variable v) {
  switch (v) {
    case Variable::channel: return Formula::kOnChannel;
    case Variable::tap: return Formula::kOnTap;
    case Variable::product:
    case Variable::product_by_position: return Formula::kOnChannel | Formula::kOnTap;
    case Variable::x:
    case Variable::w:
    case Variable::padded:
    case Variable::before:
    case Variable::behind:
    case Variable::before_d:
    case Variable::before_h:
    case Variable::before_w:
    case Variable::behind_d:
    case Variable::behind_h:
    case Variable::behind_w: return Formula::kOnPadding;
    case Variable::value: return Formula::kOnValue;
    default: return 0;
  }
}

std::int64_t apply(Formula::Op op, std::int64_t a, std::int64_t b) {
  // Wrapping arithmetic, because formulas that do not fit are evaluated, too.
  const auto ua = static_cast<std::uint64_t>(a);
  const auto ub = static_cast<std::uint64_t>(b);
  switch (op) {
    case Formula::Op::add: return static_cast<std::int64_t>(ua + ub);
    case Formula::Op::subtract: return static_cast<std::int64_t>(ua - ub);
    case Formula::Op::multiply: return static_cast<std::int64_t>(ua * ub);
    case Formula::Op::divide: return b == 0 || b == -1 ? a : fits_32_bits(a, b) ? quotient_32(a, b) : a / b;
    case Formula::Op::remainder: return b == 0 || b == -1 ? a : fits_32_bits(a, b) ? a - quotient_32(a, b) * b : a % b;
    case Formula::Op::minimum: return std::min(a, b);
    case Formula::Op::maximum: return std::max(a, b);
    case Formula::Op::signed_bits: return low_signed_bits(a, b);
    case Formula::Op::unsigned_bits: return static_cast<std::int64_t>(ua & ((std::uint64_t{1} << ub) - 1));
    case Formula::Op::saturate: return saturated_to(a, b);
    case Formula::Op::constant:
    case Formula::Op::variable: break;
  }
  return a;
}

// Describes how an operator is written: its C text, and how strongly it binds.
struct Spelling {
  std::string_view c;
  int precedence;
};

Spelling spelling(Formula::Op op) {
  switch (op) {
    case Formula::Op::add: return {" + ", 1};
    case Formula::Op::subtract: return {" - ", 1};
    case Formula::Op::multiply: return {" * ", 2};
    case Formula::Op::divide: return {" / ", 2};
    case Formula::Op::remainder: return {" % ", 2};
    case Formula::Op::minimum: return {"min", 3};
    case Formula::Op::maximum: return {"max", 3};
    case Formula::Op::signed_bits: return {"signed_bits", 3};
    case Formula::Op::unsigned_bits: return {"unsigned_bits", 3};
    case Formula::Op::saturate: return {"saturate", 3};
    case Formula::Op::constant:
    case Formula::Op::variable: break;
  }
  return {"", 3};
}

std::string in_words(Formula::Op op, const std::string& a, const std::string& b) {
  if (op == Formula::Op::signed_bits) return fmt::format("int{}({})", b, a);
  if (op == Formula::Op::unsigned_bits) return fmt::format("uint{}({})", b, a);
  if (op == Formula::Op::saturate) return fmt::format("saturated to int{}({})", b, a);
  return fmt::format("{}({}, {})", op == Formula::Op::minimum ? "min" : "max", a, b);
}

}  // namespace

std::int64_t low_signed_bits(std::int64_t value, std::int64_t bits) {
  const auto shift = static_cast<unsigned>(64 - bits);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << shift) >> shift;
}

std::int64_t saturated_to(std::int64_t value, std::int64_t bits) {
  const std::int64_t end = std::int64_t{1} << (bits - 1);
  return std::clamp(value, -end, end - 1);
}

bool is_flag(Variable name) {
  switch (name) {
    case Variable::per_channel:
    case Variable::has_bias:
    case Variable::relu:
    case Variable::scaled_is_negative:
    case Variable::sum_is_negative:
    case Variable::bias_is_negative: return true;
    default: return Variable::padded <= name && name <= Variable::behind_w;
  }
}

std::string_view c_text(Variable name) { return kTexts[static_cast<std::size_t>(name)].c; }
std::string_view words(Variable name) { return kTexts[static_cast<std::size_t>(name)].words; }

Formula::Formula(std::int64_t constant) : nodes_{{.op = Op::constant, .constant = constant}} {}
Formula::Formula(Variable variable)
    : nodes_{{.op = Op::variable, .constant = 0, .variable = variable}}, depends_(dependence_of(variable)) {}

Formula Formula::of(Op op, const Formula& left, const Formula& right) {
  Formula result;
  result.nodes_.reserve(left.nodes_.size() + right.nodes_.size() + 1);
  result.nodes_ = left.nodes_;
  result.nodes_.insert(result.nodes_.end(), right.nodes_.begin(), right.nodes_.end());
  result.nodes_.push_back({.op = op});
  result.depends_ = left.depends_ | right.depends_;
  return result;
}

std::int64_t Formula::evaluate(const Variables& variables) const {
  if (nodes_.size() == 1) {
    const Node& node = nodes_.front();
    return node.op == Op::constant ? node.constant : at(variables, node.variable);
  }
  constexpr std::size_t kDeepest = 16;
  std::array<std::int64_t, kDeepest> stack;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled before it is read
  std::size_t depth = 0;
  for (const Node& node : nodes_) {
    if (node.op == Op::constant) {
      stack[depth++] = node.constant;
    } else if (node.op == Op::variable) {
      stack[depth++] = at(variables, node.variable);
    } else {
      --depth;
      stack[depth - 1] = apply(node.op, stack[depth - 1], stack[depth]);
    }
  }
  return stack[0];
}

int Formula::size() const {
  int size = 0;
  for (const Node& node : nodes_) {
    // Numbers that are neither tiny nor powers of two are less likely to be what a kernel has.
    const std::int64_t n = std::abs(node.constant);
    size += node.op == Op::constant && n > 2 && (n & (n - 1)) != 0 ? 2 : 1;
  }
  return size;
}

std::optional<std::int64_t> Formula::constant() const {
  if (nodes_.size() != 1 || nodes_.front().op != Op::constant) return {};
  return nodes_.front().constant;
}

std::optional<Variable> Formula::variable() const {
  if (nodes_.size() != 1 || nodes_.front().op != Op::variable) return {};
  return nodes_.front().variable;
}

template <typename Name>
std::string Formula::print(Name name, bool words) const {
  struct Part {
    std::string text;
    int precedence;
  };
  std::vector<Part> stack;
  for (const Node& node : nodes_) {
    if (node.op == Op::constant) {
      stack.push_back({fmt::to_string(node.constant), node.constant < 0 ? 1 : 3});
      continue;
    }
    if (node.op == Op::variable) {
      // Words such as "K / groups" are a quotient; the C code of a variable stands in parentheses.
      const std::string text(name(node.variable));
      stack.push_back({text, words && text.find(" / ") != std::string::npos ? 2 : 3});
      continue;
    }
    Part right = std::move(stack.back());
    stack.pop_back();
    Part& left = stack.back();
    const auto [text, precedence] = spelling(node.op);
    if (precedence == 3) {
      left = {words ? in_words(node.op, left.text, right.text) : fmt::format("{}({}, {})", text, left.text, right.text),
              3};
      continue;
    }
    if (left.precedence < precedence) left.text = "(" + left.text + ")";
    // The right operand of -, / and % needs parentheses at equal precedence, too.
    if (right.precedence <= precedence) right.text = "(" + right.text + ")";
    left = {left.text + std::string(text) + right.text, precedence};
  }
  return stack.front().text;
}

std::string Formula::c_code() const { return print(c_text, false); }
std::string Formula::text() const { return print(tieout::words, true); }

}  // namespace tieout
