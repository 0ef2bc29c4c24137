#include "cases/case_advice.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cases/nearest_word.h"

namespace tieout {
namespace {

constexpr std::array<std::string_view, 5> kSpatialWords{"input", "kernel", "stride", "padding", "dilation"};
constexpr std::array<std::string_view, 5> kListWords{"ws", "wz", "bias", "x", "w"};

// Lists the names that other notations have for the words of a case.
constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kOtherNames{{
    {"kernel_size", "kernel"},
    {"kernel_shape", "kernel"},
    {"filter", "kernel"},
    {"strides", "stride"},
    {"pad", "padding"},
    {"pads", "padding"},
    {"dilations", "dilation"},
    {"size", "input"},
    {"shape", "input"},
    {"input_size", "input"},
    {"input_channels", "in_channels"},
    {"channels", "in_channels"},
    {"ic", "in_channels"},
    {"cin", "in_channels"},
    {"output_channels", "out_channels"},
    {"oc", "out_channels"},
    {"cout", "out_channels"},
    {"n", "batch"},
    {"batch_size", "batch"},
    {"weight", "w"},
    {"weights", "w"},
    {"activation", "x"},
    {"input_scale", "xs"},
    {"weight_scale", "ws"},
    {"output_scale", "os"},
    {"memory_format", "format"},
}};

template <typename Words>
bool has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Joins the parts of a list, which may have any brackets and spaces, commas or semicolons as separators.
std::string joined(std::string_view list, std::string_view separators, char between) {
  std::string text;
  while (true) {
    const std::size_t begin = list.find_first_not_of(separators);
    if (begin == std::string_view::npos) return text;
    list.remove_prefix(begin);
    const std::string_view part = list.substr(0, list.find_first_of(separators));
    if (!text.empty()) text += between;
    text += part;
    list.remove_prefix(part.size());
  }
}

std::string as_list(std::string_view value) { return "[" + joined(value, " \t,;[](){}", ',') + "]"; }
std::string as_extents(std::string_view value) { return joined(value, " \t,;[](){}*X", 'x'); }

std::string write(std::string_view word, const std::string& value) {
  return "; write " + std::string(word) + "=" + excerpt(value);
}

bool is_number_like(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eExX,; []()*") == std::string_view::npos;
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t kMost = 60;
  std::string shown(text.substr(0, kMost));
  std::ranges::replace_if(shown, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text.size() > kMost ? shown + "..." : shown;
}

std::string advice_on_word(std::string_view word) {
  if (word == "relu6" || word == "hardtanh" || word == "clamp" || word == "clip") {
    return "; write relu: the upper end of a clamp is that of the output's range, os * (255 - oz)";
  }
  if (word == "scale" || word == "zero_point" || word == "zp") {
    return "; write xs and xz for the activation's, ws and wz for the weight's, os and oz for the output's";
  }
  if (word == "no_relu" || word == "norelu") return "; leave the word relu out";
  for (const auto& [other, ours] : kOtherNames) {
    if (word == other) return "; write " + std::string(ours);
  }
  static const std::vector<std::string> words{"batch",  "in_channels", "out_channels", "groups", "input",  "kernel",
                                              "stride", "dilation",    "padding",      "xs",     "xz",     "ws",
                                              "wz",     "os",          "oz",           "bias",   "relu",   "x",
                                              "w",      "seed",        "engine",       "isa",    "format", "threads"};
  const auto nearest = nearest_word(word, words);
  return nearest ? "; did you mean " + *nearest + "?" : "; see `tieout check --help`";
}

std::string advice_on_value(std::string_view word, std::string_view value) {
  if (word == "padding" && value == "same") {
    return "; with stride 1 that is dilation * (kernel - 1) / 2: write padding=1 for kernel=3";
  }
  if (word == "padding" && value == "valid") return write(word, "0");
  if (word == "bias" && (value == "none" || value == "false" || value == "off" || value == "0")) {
    return "; leave the word out where there is no bias";
  }
  if (!is_number_like(value)) return {};
  if (has(kSpatialWords, word)) {
    return value.find_first_of(",;[](){}*X") == std::string_view::npos ? std::string() : write(word, as_extents(value));
  }
  const bool listed = value.find_first_of("[](){}") != std::string_view::npos;
  if (has(kListWords, word)) return listed ? std::string() : write(word, as_list(value));
  const std::string parts = joined(value, "[](){} ", ',');
  if (listed && parts.find(',') == std::string::npos) return write(word, parts);
  if (std::ranges::count(parts, ',') == 1 && (word == "xs" || word == "os")) {
    return write(word, joined(parts, ",", '.'));  // The comma was a decimal comma.
  }
  return {};
}

std::string advice_on_int8(std::string_view word, std::int64_t value) {
  const bool is_weight = word == "w" || word == "wz";
  if (is_weight && value > 127 && value <= 255) return "; weights are int8: of uint8 ones subtract 128 from w and wz";
  if (is_weight || value >= 0 || value < -128) return {};
  if (word == "oz")
    return "; the output is uint8: of an int8 one add 128 to oz: write oz=" + std::to_string(value + 128);
  std::string advice = "; the activation is uint8: of an int8 one add 128 to x and xz";
  if (word == "xz") advice += ": write xz=" + std::to_string(value + 128);
  return advice;
}

std::string advice_on_spaces(std::string_view word, std::string_view value) {
  return write(word, has(kSpatialWords, word) ? as_extents(value) : as_list(value));
}

}  // namespace tieout
