// Writes conditions in words that follow "where".

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "props/diagnose/condition.h"

namespace tieout {
namespace {

using Relation = Literal::Relation;

// How a condition names a variable.
struct Phrase {
  std::string_view text;  // empty: as formulas do, with symbols
  enum class Kind { noun, number_of, sum } kind = Kind::noun;
  std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
};

Phrase phrase_of(Variable name) {
  using Kind = Phrase::Kind;
  switch (name) {
    case Variable::batch: return {"the batch size", Kind::noun, 0};
    case Variable::groups: return {"group", Kind::number_of, 1};
    case Variable::input_d: return {"the input depth", Kind::noun, 1};
    case Variable::input_h: return {"the input height", Kind::noun, 1};
    case Variable::input_w: return {"the input width", Kind::noun, 1};
    case Variable::kernel_d: return {"the kernel depth", Kind::noun, 1};
    case Variable::kernel_h: return {"the kernel height", Kind::noun, 1};
    case Variable::kernel_w: return {"the kernel width", Kind::noun, 1};
    case Variable::stride_d: return {"the stride of the depth", Kind::noun, 1};
    case Variable::stride_h: return {"the stride of the height", Kind::noun, 1};
    case Variable::stride_w: return {"the stride of the width", Kind::noun, 1};
    case Variable::padding_d: return {"the padding of the depth", Kind::noun, 0};
    case Variable::padding_h: return {"the padding of the height", Kind::noun, 0};
    case Variable::padding_w: return {"the padding of the width", Kind::noun, 0};
    case Variable::dilation_d: return {"the dilation of the depth", Kind::noun, 1};
    case Variable::dilation_h: return {"the dilation of the height", Kind::noun, 1};
    case Variable::dilation_w: return {"the dilation of the width", Kind::noun, 1};
    case Variable::output_d: return {"the output depth", Kind::noun, 1};
    case Variable::output_h: return {"the output height", Kind::noun, 1};
    case Variable::output_w: return {"the output width", Kind::noun, 1};
    case Variable::taps: return {"the kernel volume", Kind::noun, 1};
    case Variable::length: return {"product", Kind::sum, 1};
    case Variable::positions: return {"output position", Kind::number_of, 1};
    case Variable::image: return {"the index of the image", Kind::noun, 0};
    case Variable::inside: return {"the number of taps inside the input", Kind::noun, 0};
    case Variable::position: return {"the index of the output position", Kind::noun, 0};
    case Variable::channel: return {"the index of the input channel in its group", Kind::noun, 0};
    case Variable::tap: return {"the index of the tap", Kind::noun, 0};
    case Variable::product: return {"the index of the product", Kind::noun, 0};
    case Variable::product_by_position: return {"the index of the product, channels fastest,", Kind::noun, 0};
    default: return {};
  }
}

// Returns the relation in words: "at least 9", "below 9", "9", "not 9". lowest: of the values that are compared.
std::string bound_text(Relation relation, std::int64_t number, std::int64_t lowest) {
  switch (relation) {
    case Relation::equal: return fmt::to_string(number);
    case Relation::unequal: return fmt::format("not {}", number);
    case Relation::at_least: return fmt::format("at least {}", number);
    case Relation::below: break;
  }
  return number == lowest + 1 ? fmt::to_string(lowest) : fmt::format("below {}", number);
}

// Returns what a comparison of a variable with a number says, or nothing if symbols are shorter.
std::string number_text(const Phrase& phrase, Relation relation, std::int64_t number) {
  const std::string bound = bound_text(relation, number, phrase.lowest);
  const bool one = bound == "1" || bound == "at least 1" || bound == "not 1";
  switch (phrase.kind) {
    case Phrase::Kind::noun: return fmt::format("{} is {}", phrase.text, bound);
    case Phrase::Kind::number_of:
      if (relation == Relation::unequal) return fmt::format("the number of {}s is {}", phrase.text, bound);
      break;
    case Phrase::Kind::sum:
      if (relation == Relation::unequal) return fmt::format("a sum does not have {} {}s", number, phrase.text);
      break;
  }
  const std::string count =
      relation == Relation::below && bound.starts_with("below") ? fmt::format("fewer than {}", number) : bound;
  const std::string things = fmt::format("{} {}{}", count, phrase.text, one ? "" : "s");
  if (phrase.kind == Phrase::Kind::sum) return "a sum has " + things;
  return fmt::format("there {} {}", bound == "1" ? "is" : "are", things);
}

// Returns the text of a condition on a flag: "relu is on". holds: whether it must be 1.
std::string flag_text(Variable name, bool holds) {
  switch (name) {
    case Variable::relu: return holds ? "relu is on" : "relu is off";
    case Variable::per_channel:
      return holds ? "the weights are quantized per channel" : "the weights are quantized per tensor";
    case Variable::has_bias: return holds ? "there is a bias" : "there is no bias";
    case Variable::scaled_is_negative:
      return holds ? "the value before rounding is negative" : "the value before rounding is not negative";
    case Variable::sum_is_negative: return holds ? "the sum is negative" : "the sum is not negative";
    case Variable::bias_is_negative: return holds ? "the bias is negative" : "the bias is not negative";
    case Variable::padded: return holds ? "the tap lies in the padding" : "the tap lies in the input";
    case Variable::before:
    case Variable::before_d:
    case Variable::before_h:
    case Variable::before_w:
    case Variable::behind:
    case Variable::behind_d:
    case Variable::behind_h:
    case Variable::behind_w: {
      constexpr std::string_view kLies = "tap lies";  // all of their words begin so
      return (holds ? "the tap lies" : "the tap does not lie") + std::string(words(name).substr(kLies.size()));
    }
    default: return {};
  }
}

// Returns the operators for which the condition on the number of dimensions holds.
std::string operators_text(const Literal& literal, std::int64_t number) {
  std::vector<std::string> names;
  for (std::int64_t dims = 1; dims <= 3; ++dims) {
    if (literal.compares(dims, number)) names.push_back(fmt::format("conv{}d", dims));
  }
  return fmt::format("the operator is {}", fmt::join(names, " or "));
}

// Returns the condition that |value| is f * 2^e, f in 0.5 .. 1, with such an e.
std::string magnitude_text(std::string_view value, Relation relation, std::int64_t e) {
  constexpr std::int64_t kNoNumber = 900;  // exponents beyond are those of infinity and of 0
  if (relation == Relation::at_least && e > kNoNumber) return fmt::format("{} is not finite", value);
  if (relation == Relation::below && e < -kNoNumber) return fmt::format("{} is 0", value);
  switch (relation) {
    case Relation::equal: return fmt::format("{} is at least 2^{} and below 2^{}", value, e - 1, e);
    case Relation::unequal: return fmt::format("{} is not between 2^{} and 2^{}", value, e - 1, e);
    case Relation::at_least: return fmt::format("{} is at least 2^{}", value, e - 1);
    case Relation::below: break;
  }
  return fmt::format("{} is below 2^{}", value, e - 1);
}

// Returns a comparison of two variables: "the kernel height equals the kernel width".
std::string pair_text(const Phrase& left, Relation relation, const Phrase& right) {
  constexpr auto kNoun = Phrase::Kind::noun;
  if (left.text.empty() || right.text.empty() || left.kind != kNoun || right.kind != kNoun) return {};
  switch (relation) {
    case Relation::equal: return fmt::format("{} equals {}", left.text, right.text);
    case Relation::unequal: return fmt::format("{} differs from {}", left.text, right.text);
    case Relation::at_least: return fmt::format("{} is at least {}", left.text, right.text);
    case Relation::below: break;
  }
  return fmt::format("{} is below {}", left.text, right.text);
}

// Returns a comparison of a variable with a number in words, or nothing if it has none.
std::string words_of(const Literal& literal, Variable name, std::int64_t number) {
  if (name == Variable::dims) return operators_text(literal, number);
  if (name == Variable::scaled_exponent) {
    return magnitude_text("the magnitude of the value before rounding", literal.relation, number);
  }
  if (name == Variable::multiplier_exponent) return magnitude_text("the multiplier", literal.relation, number);
  if (literal.compares(0, number) != literal.compares(1, number)) {
    if (std::string text = flag_text(name, literal.compares(1, number)); !text.empty()) return text;
  }
  const Phrase phrase = phrase_of(name);
  return phrase.text.empty() ? "" : number_text(phrase, literal.relation, number);
}

std::string literal_text(const Literal& literal) {
  const auto left = literal.left.variable();
  if (const auto number = literal.right.constant(); left && number) {
    if (std::string text = words_of(literal, *left, *number); !text.empty()) return text;
  }
  if (const auto right = literal.right.variable(); left && right) {
    if (std::string text = pair_text(phrase_of(*left), literal.relation, phrase_of(*right)); !text.empty()) return text;
  }
  return fmt::format("{} {} {}", literal.left.text(), literal.symbol(), literal.right.text());
}

}  // namespace

std::string EditCondition::text() const {
  std::string text;
  for (const Literal& literal : literals) text += (text.empty() ? "" : " and ") + literal_text(literal);
  return text;
}

}  // namespace tieout
