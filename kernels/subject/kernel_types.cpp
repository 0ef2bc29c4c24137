#include "kernels/subject/kernel_types.h"

#include <cstring>

#include "cases/text/case_words.h"

namespace tieout {

std::string_view refusal(const KernelTypes& types, const ConvCase& c) {
  if (!types.end_padding && !has_even_padding(c)) return "padding that differs between the sides";
  if (!types.int32_bias && !c.int32_bias.empty()) return "an int32 bias";
  if (types.int32_bias && !c.bias.empty()) return "a float bias";
  if (types.output == OutputType::int32 && c.output_type != OutputType::int32) return "a requantized output";
  if (types.output != OutputType::int32 && c.output_type == OutputType::int32) return "an int32 output";
  return {};
}

namespace {

// Returns the conditions on the bias and on the padding.
std::string conditions_of_rest(const KernelTypes& types) {
  std::string text = types.int32_bias ? " bias=off int32_bias=on|off" : " int32_bias=off";
  // A condition that always holds: cases that name the end's padding are drawn with and without a difference.
  text += types.end_padding ? " padding_end>=0" : " padding_end=padding";
  return text;
}

}  // namespace

std::string conditions_of(const KernelTypes& types) {
  if (types == KernelTypes{}) return {};
  return "xtype=" + std::string(name(types.activation)) + " ytype=" + std::string(name(types.output)) +
         conditions_of_rest(types);
}

std::string conditions_with_conversion(const KernelTypes& types) {
  if (types == KernelTypes{}) return {};
  return (types.output == OutputType::int32 ? "ytype=int32" : "ytype=uint8|int8") + conditions_of_rest(types);
}

void shift_by_128(std::vector<std::uint8_t>& bytes) {
  for (std::uint8_t& byte : bytes) byte ^= 0x80U;
}

std::vector<std::int32_t> values_of(std::span<const std::uint8_t> bytes, OutputType type) {
  if (type == OutputType::int32) {
    std::vector<std::int32_t> sums(bytes.size() / sizeof(std::int32_t));
    if (!sums.empty()) std::memcpy(sums.data(), bytes.data(), sums.size() * sizeof(std::int32_t));
    return sums;
  }
  std::vector<std::int32_t> values(bytes.begin(), bytes.end());
  for (std::int32_t& value : values) value ^= stored_shift(type);
  return values;
}

}  // namespace tieout
