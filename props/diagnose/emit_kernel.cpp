#include "props/diagnose/emit_kernel.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/strings/lines.h"

namespace tieout {
namespace {

// Replaces a word by a text, where the word is not part of another.
std::string replaced(std::string code, std::string_view word, std::string_view by) {
  const auto is_part = [](char c) {
    return c == '_' || ('0' <= c && c <= '9') || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
  };
  for (std::size_t at = code.find(word); at != std::string::npos; at = code.find(word, at)) {
    const bool begins = at == 0 || !is_part(code[at - 1]);
    const std::size_t end = at + word.size();
    const bool ends = end == code.size() || !is_part(code[end]);
    if (begins && ends) {
      code.replace(at, word.size(), by);
      at += by.size();
    } else {
      at = end;
    }
  }
  return code;
}

std::string in_parentheses(const std::string& code) {
  return code.find(' ') == std::string::npos ? code : "(" + code + ")";
}

// ---- functions that the emitted kernel defines if it uses them

struct Helper {
  std::string_view name, code;
};

constexpr std::array<Helper, 22> kHelpers{{
    {"min", "static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }"},
    {"max", "static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }"},
    {"signed_bits",
     "// The low bits as a signed number.\n"
     "static int64_t signed_bits(int64_t v, int bits) { return (int64_t)((uint64_t)v << (64 - bits)) >> (64 - bits); "
     "}"},
    {"unsigned_bits", "static int64_t unsigned_bits(int64_t v, int bits) { return v & (((int64_t)1 << bits) - 1); }"},
    {"saturate",
     "// To the range of a signed number of so many bits.\n"
     "static int64_t saturate(int64_t v, int bits) {\n"
     "  const int64_t end = (int64_t)1 << (bits - 1);\n"
     "  return v < -end ? -end : v > end - 1 ? end - 1 : v;\n"
     "}"},
    {"taps_inside",
     "// The number of taps that lie in the input.\n"
     "static int64_t taps_inside(const struct tieout_conv* c, const int64_t o[3]) {\n"
     "  int64_t t, product = 1;\n"
     "  for (int d = 0; d < 3; ++d) {\n"
     "    int64_t count = 0;\n"
     "    for (t = 0; t < c->kernel[d]; ++t) {\n"
     "      const int64_t at = o[d] * c->stride[d] + t * c->dilation[d] - c->padding[d];\n"
     "      count += at >= 0 && at < c->input[d];\n"
     "    }\n"
     "    product *= count;\n"
     "  }\n"
     "  return product;\n"
     "}"},
    {"exponent_of",
     "// e, where v is f * 2^e with f in 0.5 .. 1; 1000 if v is not finite, -1000 if it is 0.\n"
     "static int exponent_of(float v) {\n"
     "  int e = 0;\n"
     "  if (!isfinite(v)) return 1000;\n"
     "  if (v == 0) return -1000;\n"
     "  (void)frexpf(v, &e);\n"
     "  return e;\n"
     "}"},
    {"toward_zero",
     "// float32 that is not larger in magnitude than v.\n"
     "static float toward_zero(int64_t v) {\n"
     "  const float f = (float)v;\n"
     "  return fabs((double)f) > fabs((double)v) ? nextafterf(f, 0.0F) : f;\n"
     "}"},
    {"int32_of",
     "static int64_t int32_of(double v) {\n"
     "  return isnan(v) ? 0 : v < -0x1p31 ? INT32_MIN : v > 0x1p31 - 1 ? INT32_MAX : (int64_t)v;\n"
     "}"},
    {"symmetric_int32_of",
     "static int64_t symmetric_int32_of(double v) {\n"
     "  return isnan(v) ? 0 : v < -0x1p31 + 1 ? -INT32_MAX : v > 0x1p31 - 1 ? INT32_MAX : (int64_t)v;\n"
     "}"},
    {"cast_to_int32",
     "static int64_t cast_to_int32(double v) { return v >= -0x1p31 && v < 0x1p31 ? (int64_t)v : INT32_MIN; }"},
    {"int64_of", "static int64_t int64_of(double v) { return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN; }"},
    {"int16_of",
     "static int64_t int16_of(double v) { return isnan(v) ? 0 : v < -32768 ? -32768 : v > 32767 ? 32767 : (int64_t)v; "
     "}"},
    {"limited",
     "// v with so many significant bits, nearest or cut off; half: with the exponents of float16.\n"
     "static float limited(float v, int bits, int cut, int half) {\n"
     "  int e = 0;\n"
     "  if (!isfinite(v) || v == 0) return v;\n"
     "  (void)frexpf(v, &e);\n"
     "  e = half && e - bits < -24 ? -24 : e - bits;\n"
     "  if (e < -149) return v;\n"
     "  const double unit = ldexp(1.0, e), units = (double)v / unit;\n"
     "  const double kept = (cut ? trunc(units) : nearbyint(units)) * unit;\n"
     "  return half && fabs(kept) >= 65520 ? copysignf(INFINITY, v) : (float)kept;\n"
     "}"},
    {"weight_sum",
     "// The sum of the weights of an output channel without their zero points.\n"
     "static int64_t weight_sum(const struct tieout_conv* c, int64_t k) {\n"
     "  const int64_t count = c->in_channels / c->groups * volume(c->kernel);\n"
     "  int64_t i, sum = 0;\n"
     "  for (i = 0; i < count; ++i) sum += c->weight[k * count + i] - c->weight_zero_points[c->per_channel ? k : 0];\n"
     "  return sum;\n"
     "}"},
    {"magic",
     "// The low bits of v + 1.5 * 2^23, which are v rounded if |v| < 2^22.\n"
     "static int64_t magic(float v) {\n"
     "  const float moved = v + 12582912.0F;\n"
     "  uint32_t bits;\n"
     "  memcpy(&bits, &moved, sizeof bits);\n"
     "  return (int32_t)(bits - 0x4B400000U);\n"
     "}"},
    {"round_to_odd",
     "static double round_to_odd(double v) {\n"
     "  const double even = nearbyint(v);\n"
     "  return v - floor(v) == 0.5 ? floor(v) + ceil(v) - even : even;\n"
     "}"},
    {"shifted",
     "// v / 2^shift, rounded: 'e' ties to even, 'o' to odd, 'a' away from zero, 'z' toward zero, 'd' down, 'u' up;\n"
     "// 't' truncated, 'f' floor, 'c' ceiling.\n"
     "__extension__ typedef __int128 wide;\n"
     "static wide shifted(wide v, int shift, char rounding) {\n"
     "  if (shift <= 0) return v * ((wide)1 << (shift < -60 ? 60 : -shift));\n"
     "  if (shift > 126) shift = 126;\n"
     "  const wide floor = v >> shift, rest = v - (floor << shift), half = (wide)1 << (shift - 1);\n"
     "  const int tie = rest == half;\n"
     "  int up = rest > half;\n"
     "  switch (rounding) {\n"
     "    case 'e': up |= tie && (floor & 1); break;\n"
     "    case 'o': up |= tie && !(floor & 1); break;\n"
     "    case 'a': up |= tie && v >= 0; break;\n"
     "    case 'z': up |= tie && v < 0; break;\n"
     "    case 'd': break;\n"
     "    case 't': up = rest != 0 && v < 0; break;\n"
     "    case 'f': up = 0; break;\n"
     "    case 'c': up = rest != 0; break;\n"
     "    default: up |= tie;\n"
     "  }\n"
     "  return floor + up;\n"
     "}"},
    {"mantissa_of",
     "// The integer of so many bits and the exponent e of m. mode 0: nearest; 1: cut off; 2: of one of 31 bits.\n"
     "static int64_t mantissa_of(double m, int bits, int mode, int limits, int* e) {\n"
     "  const double fraction = frexp(m, e), scaled = ldexp(fraction, bits);\n"
     "  int64_t mantissa = (int64_t)(mode == 1 ? floor(scaled) : round(scaled));\n"
     "  if (mode == 2) {\n"
     "    mantissa = (int64_t)round(ldexp(fraction, 31));\n"
     "    mantissa = mantissa < 0x7FFF0000 ? (mantissa + 0x8000) >> 16 : mantissa < 0x80000000 ? 0x7FFF : 0x8000;\n"
     "  }\n"
     "  if (mantissa == (int64_t)1 << bits) mantissa /= 2, ++*e;\n"
     "  if (limits == 1 && *e > 30) *e = 30, mantissa = ((int64_t)1 << bits) - 1;\n"
     "  return mantissa;\n"
     "}"},
    {"fixed_point",
     "// sum * m, where m is an integer of so many bits and a power of two.\n"
     "static double fixed_point(int64_t sum, double m, int bits, int mode, int limits, char rounding) {\n"
     "  if (!(m > 0) || isinf(m)) return limits ? 0 : (double)(float)sum * m;\n"
     "  int e = 0;\n"
     "  const int64_t mantissa = mantissa_of(m, bits, mode, limits, &e);\n"
     "  if (limits == 1 && e < -31) return 0;\n"
     "  return (double)shifted((wide)sum * mantissa, bits - e, rounding);\n"
     "}"},
    {"fixed_point_twice",
     "// The same, rounded to the high half first and then again.\n"
     "static double fixed_point_twice(int64_t sum, double m, int bits, int mode, int limits, char first, char second, "
     "int saturates) {\n"
     "  if (!(m > 0) || isinf(m)) return limits ? 0 : (double)(float)sum * m;\n"
     "  int e = 0;\n"
     "  const int64_t mantissa = mantissa_of(m, bits, mode, limits, &e);\n"
     "  if (limits == 1 && e < -31) return 0;\n"
     "  if (e < -31) return 0;\n"
     "  const int left = e < 0 ? 0 : e > 32 ? 32 : e;\n"
     "  wide moved = (wide)(int32_t)(uint32_t)((uint64_t)sum << left);\n"
     "  if (saturates) moved = (wide)saturate((int64_t)sum * ((int64_t)1 << left), 32);\n"
     "  const wide high = shifted(moved * mantissa, bits, first);\n"
     "  return (double)shifted(high, e < 0 ? -e : 0, second);\n"
     "}"},
    {"power_of_two",
     "static double power_of_two(int64_t sum, double m, char rounding) {\n"
     "  if (!(m > 0) || isinf(m)) return (double)(float)sum * m;\n"
     "  return (double)shifted(sum, -(int)nearbyint(log2(m)), rounding);\n"
     "}"},
}};

// Returns the helpers that the code uses, directly or through another, in the order in which they must stand.
std::string helpers_of(const std::string& code) {
  std::string all = code;
  std::array<bool, kHelpers.size()> used{};
  for (std::size_t i = kHelpers.size(); i-- > 0;) {
    used[i] = replaced(all, std::string(kHelpers[i].name), "") != all;
    if (used[i]) all += kHelpers[i].code;
  }
  std::string text;
  for (std::size_t i = 0; i < kHelpers.size(); ++i) {
    if (used[i]) text += std::string(kHelpers[i].code) + "\n\n";
  }
  return text;
}

// ---- the kernel

// How the kernel is laid out, so that the contract's kernel in the same layout differs in the edits only.
struct Form {
  bool differences = false;                                    // (x - xz) * (w - wz) is summed up, and not x * w
  Accumulator::Factors factors = Accumulator::Factors::plain;  // of products other than these two
  bool real = false;                                           // dequantized values are summed up
  bool innermost = false;                                      // the channels are the innermost loop
  bool in_double = false;                                      // the value before rounding is a double
};

Form form_of(const KernelModel& model) {
  Form form;
  for (const Edit& edit : model) {
    form.differences = form.differences || edit.slot == Slot::activation_difference ||
                       edit.slot == Slot::weight_difference ||
                       edit.accumulator.factors == Accumulator::Factors::differences;
    if (edit.slot == Slot::accumulator) form.factors = edit.accumulator.factors;
    form.real = form.real || edit.accumulator.kind >= Accumulator::Kind::real;
    form.innermost = form.innermost || edit.accumulator.channels_innermost;
    form.in_double =
        form.in_double || scales_in_double(edit.requantization, true) || scales_in_double(edit.requantization, false);
  }
  return form;
}

class Emitter {
 public:
  Emitter(const KernelModel& model, const Form& form) : model_(model), form_(form) {}

  std::vector<std::string> lines() {
    sum();
    requantization();
    loops();
    return std::move(lines_);
  }

 private:
  template <typename... T>
  void line(fmt::format_string<T...> format, T&&... values) {
    std::string text(static_cast<std::size_t>(2 * depth_), ' ');
    text += fmt::format(format, std::forward<T>(values)...);
    lines_.push_back(text == std::string(text.size(), ' ') ? std::string() : text);
  }
  // Opens and closes a block.
  template <typename... T>
  void open(fmt::format_string<T...> format, T&&... values) {
    line(format, std::forward<T>(values)...);
    ++depth_;
  }
  void close() {
    --depth_;
    line("}}");
  }

  [[nodiscard]] std::vector<const Edit*> edits_of(Slot slot) const {
    std::vector<const Edit*> edits;
    for (const Edit& edit : model_) {
      if (edit.slot == slot) edits.push_back(&edit);
    }
    return edits;
  }
  [[nodiscard]] const Edit* edit_of(Slot slot) const {
    const auto edits = edits_of(slot);
    return edits.empty() ? nullptr : edits.front();
  }

  // Returns the condition of an edit as C code, with its axis; empty if it always holds.
  static std::string condition_of(const Edit& edit) {
    std::string code = edit.axis < 0 ? "" : fmt::format("d == {}", edit.axis);
    for (const EditCondition* condition : {&edit.condition, &edit.when}) {
      if (!condition->always()) code += (code.empty() ? "" : " && ") + condition->c_code();
    }
    return code;
  }

  // Returns the expression of a slot: the usual one, or the edits of which `applies` holds, each as text_of() writes
  // it.
  template <typename TextOf, typename Applies>
  [[nodiscard]] std::string chosen_edit(Slot slot, const std::string& usual, TextOf text_of, Applies applies) const {
    std::string code = usual;
    const auto edits = edits_of(slot);
    for (std::size_t i = edits.size(); i-- > 0;) {
      if (!applies(*edits[i])) continue;
      const std::string condition = condition_of(*edits[i]);
      code = condition.empty() ? text_of(*edits[i]) : fmt::format("{} ? {} : {}", condition, text_of(*edits[i]), code);
    }
    return code;
  }
  static bool every_edit(const Edit& /*edit*/) { return true; }

  // Returns the expression of a slot. value: what `value` stands for in its formulas.
  [[nodiscard]] std::string expression(Slot slot, const std::string& usual, const std::string& value) const {
    return chosen_edit(
        slot, usual, [&](const Edit& edit) { return replaced(edit.formula.c_code(), "value", value); }, every_edit);
  }
  [[nodiscard]] std::string expression(Slot slot, const std::string& usual) const {
    return expression(slot, usual, in_parentheses(usual));
  }
  // The same in parentheses, where it is part of another expression.
  [[nodiscard]] std::string part(Slot slot, const std::string& usual) const {
    const std::string code = expression(slot, usual);
    return code == usual ? code : in_parentheses(code);
  }

  // Returns what begins a statement that holds under a condition only.
  static std::string if_holds(const std::string& condition) {
    return condition.empty() ? "" : "if (" + condition + ") ";
  }

  // Writes `if (condition) name = f(name);` for each edit of a slot.
  void change(Slot slot, const std::string& name) {
    for (const Edit* edit : edits_of(slot)) {
      const std::string formula = replaced(edit->formula.c_code(), "value", name);
      line("{}{} = {};", if_holds(condition_of(*edit)), name, formula);
    }
  }

  void for_loop(const std::string& index, const std::string& count) {
    open("for ({} = 0; {} < {}; ++{}) {{", index, index, count, index);
  }

  void sum() {
    if (form_.real) {
      line("// The sum of dequantized values over one window, with the bias.");
    } else {
      line("// The sum over one window without the contributions of the zero points. It wraps in int32.");
    }
    open("static {} sum(const struct tieout_conv* c, int64_t n, int64_t k, const int64_t o[3]) {{",
         form_.real ? "float" : "int64_t");
    line("const int64_t channels = c->in_channels / c->groups;");
    line("const int64_t group = k / (c->out_channels / c->groups);");
    line("const int64_t xz = {};", expression(Slot::activation_zero_point, "c->activation_zero_point"));
    line("const int64_t wz = {};",
         expression(Slot::weight_zero_point, fmt::format("c->weight_zero_points[c->per_channel ? {} : 0]",
                                                         expression(Slot::zero_point_channel, "k"))));
    if (form_.real) {
      declare_real();
    } else {
      line("int64_t products = 0, sum_x = 0, sum_w = 0;");
    }
    declare_accumulator();
    line("int64_t i, t[3];");
    if (!form_.innermost) for_loop("i", "channels");
    for (int d = 0; d < 3; ++d) for_loop(fmt::format("t[{}]", d), fmt::format("c->kernel[{}]", d));
    if (form_.innermost) for_loop("i", "channels");
    product();
    for (int d = 0; d < 4; ++d) close();
    finish_accumulator();
    if (form_.real) {
      line("return real;");
      close();
      line("");
      return;
    }
    change(Slot::sum_of_activations, "sum_x");
    change(Slot::sum_of_weights, "sum_w");
    const auto correction = [](const Edit& edit) {
      return replaced(replaced(edit.formula.c_code(), "c->weight_zero_points[c->per_channel ? k : 0]", "wz"),
                      "c->activation_zero_point", "xz");
    };
    line("int64_t raw = {};", chosen_edit(Slot::zero_points_out, usual_correction(), correction, every_edit));
    if (const Edit* edit = edit_of(Slot::accumulator);
        edit != nullptr && edit->accumulator.kind == Accumulator::Kind::raw_float32) {
      line("{}raw = (int64_t)((float)products + (float)(raw - products));", if_holds(condition_of(*edit)));
    }
    line("return {};", expression(Slot::raw, "(int32_t)(uint32_t)raw", "raw"));
    close();
    line("");
  }

  // Whether a sum needs the number of products that were counted.
  [[nodiscard]] bool counts_products() const {
    const Edit* const edit = edit_of(Slot::times);
    return edit != nullptr && edit->times.count && !form_.differences;
  }

  // Returns the sum without the contributions of the zero points.
  [[nodiscard]] std::string usual_correction() const {
    const std::string count = counts_products() ? "count" : "channels * volume(c->kernel)";
    const bool of_channel = !edits_of(Slot::correction_channel).empty();
    const std::string sum =
        form_.differences ? fmt::format("(weight_sum(c, k))") : fmt::format("(sum_w - {} * wz)", count);
    const std::string channel =
        of_channel ? fmt::format("weight_sum(c, {})", expression(Slot::correction_channel, "k")) : sum;
    const std::string changed = expression(Slot::weight_correction, channel);
    if (changed == sum) {
      return form_.differences ? "products" : fmt::format("products - xz * sum_w - wz * sum_x + {} * xz * wz", count);
    }
    if (form_.differences) return fmt::format("products + xz * {} - xz * {}", sum, in_parentheses(changed));
    return fmt::format("products - wz * sum_x - xz * {}", in_parentheses(changed));
  }

  void declare_real() {
    line("const float xs = (float)c->activation_scale;");
    line("const float ws = (float)c->weight_scales[c->per_channel ? k : 0];");
    const Edit* const edit = edit_of(Slot::accumulator);
    const bool begins = edit != nullptr && edit->accumulator.kind == Accumulator::Kind::real_after_bias;
    line("float real = {};",
         begins ? fmt::format("c->bias ? c->bias[{}] : 0.0F", expression(Slot::bias_channel, "k")) : "0.0F");
  }

  void declare_accumulator() {
    using Kind = Accumulator::Kind;
    const Edit* const edit = edit_of(Slot::accumulator);
    if (counts_products()) line("int64_t count = 0;");
    if (edit == nullptr) return;
    const Kind kind = edit->accumulator.kind;
    if (kind == Kind::lanes_float32) line("float lane[{}] = {{0}};", edit->accumulator.block);
    if (kind == Kind::lanes_wrap || kind == Kind::lanes_saturate) {
      line("int64_t lane[{}] = {{0}};", edit->accumulator.block);
    }
    if (kind >= Kind::lanes_wrap) line("int64_t index = 0;");
    if (kind == Kind::float32) line("float in_float = 0;");
    if (kind == Kind::blocks_wrap || kind == Kind::blocks_saturate) line("int64_t part = 0, index = 0;");
    if (kind == Kind::pairs_saturate) line("int64_t part = 0, pair = 0, index = 0;");
    if (kind == Kind::replaced_once || kind == Kind::replaced_each) line("int64_t index = 0;");
  }

  // Returns the begin or the end of the positions of axis d that are read.
  [[nodiscard]] std::string bound(bool begin, const std::string& usual) const {
    return chosen_edit(
        Slot::inside, usual, [](const Edit& edit) { return edit.formula.c_code(); },
        [&](const Edit& edit) { return edit.begin == begin; });
  }
  static std::string in_parentheses_if_chosen(const std::string& code) {
    return code.find('?') == std::string::npos ? code : "(" + code + ")";
  }

  // Writes the check of a position by its offset.
  void check_in_plane() {
    for (const Edit* edit : edits_of(Slot::in_plane)) {
      const std::string prefix = if_holds(edit->condition.c_code());
      const std::string_view offset = "(at[0] * c->input[1] + at[1]) * c->input[2] + at[2]";
      if (edit->axis < 0) {
        line("{}inside = {} >= 0 && {} < volume(c->input);", prefix, offset, offset);
      } else {
        line("{}inside = at[0] >= 0 && at[0] < c->input[0] && at[1] >= 0 && at[1] < c->input[1] &&", prefix);
        line("  at[1] * c->input[2] + at[2] >= 0 && at[1] * c->input[2] + at[2] < c->input[1] * c->input[2];");
      }
    }
  }

  void product() {
    line("const int64_t tap = (t[0] * c->kernel[1] + t[1]) * c->kernel[2] + t[2];");
    std::string tap = part(Slot::kernel_tap, "t[d]");
    if (edit_of(Slot::input_tap) != nullptr) {
      line("const int64_t from = {};", expression(Slot::input_tap, "tap"));
      line("const int64_t u[3] = {{from / (c->kernel[1] * c->kernel[2]), from / c->kernel[2] % c->kernel[1],");
      line("                      from % c->kernel[2]}};");
      tap = replaced(tap, "t[d]", "u[d]");
    }
    line("int64_t at[3];");
    line("int inside = 1;");
    open("for (int d = 0; d < 3; ++d) {{");
    line("at[d] = {} * {} + {} * {} - {};", part(Slot::output_position, "o[d]"), part(Slot::stride, "c->stride[d]"),
         tap, part(Slot::dilation, "c->dilation[d]"), part(Slot::padding, "c->padding[d]"));
    change(Slot::read_position, "at[d]");
    const std::string begin = in_parentheses_if_chosen(bound(true, "0"));
    const std::string end = in_parentheses_if_chosen(bound(false, "c->input[d]"));
    line("inside = inside && at[d] >= {} && at[d] < {};", begin, end);
    close();
    check_in_plane();
    line("int64_t x = {};", expression(Slot::padding_value, "xz"));
    open("if (inside) {{");
    line("const int64_t image = {};", expression(Slot::image, "n"));
    line("const int64_t channel = {};", expression(Slot::input_channel, "group * channels + i"));
    const Edit* const layout = edit_of(Slot::layout);
    if (layout != nullptr && layout->layout.activation_channels_last) {
      line(
          "x = c->activation[(((image * c->input[0] + at[0]) * c->input[1] + at[1]) * c->input[2] + at[2]) * "
          "c->in_channels + channel];");
    } else {
      line("const int64_t plane = (image * {} + channel) * c->input[0] + at[0];",
           part(Slot::image_channels, "c->in_channels"));
      line("x = c->activation[plane * c->input[1] * c->input[2] + at[1] * {} + at[2]];",
           part(Slot::row_distance, "c->input[2]"));
    }
    change(Slot::activation, "x");
    close();
    if (layout != nullptr && layout->layout.weight_outputs_last) {
      line("int64_t w = c->weight[({} * channels + {}) * c->out_channels + {}];", part(Slot::weight_tap, "tap"),
           part(Slot::weight_input, "i"), part(Slot::weight_channel, "k"));
    } else if (layout != nullptr && layout->layout.weight_channels_last) {
      line("int64_t w = c->weight[({} * volume(c->kernel) + {}) * channels + {}];", part(Slot::weight_channel, "k"),
           part(Slot::weight_tap, "tap"), part(Slot::weight_input, "i"));
    } else {
      line("int64_t w = c->weight[({} * channels + {}) * volume(c->kernel) + {}];", part(Slot::weight_channel, "k"),
           part(Slot::weight_input, "i"), part(Slot::weight_tap, "tap"));
    }
    change(Slot::weight, "w");
    accumulate();
  }

  // NOLINTNEXTLINE(readability-function-size): one case for each kind of accumulator
  void accumulate() {
    using Kind = Accumulator::Kind;
    std::string product(factors_text(form_.differences ? Accumulator::Factors::plain : form_.factors));
    if (form_.differences) {
      const auto difference = [&](Slot slot, const std::string& usual) {
        return in_parentheses(expression(slot, usual));
      };
      product =
          difference(Slot::activation_difference, "x - xz") + " * " + difference(Slot::weight_difference, "w - wz");
    }
    const auto times = [&](bool Times::* of) {
      const Edit* const edit = edit_of(Slot::times);
      return std::string(edit != nullptr && edit->times.*of ? "times * " : "");
    };
    if (const Edit* const edit = edit_of(Slot::times)) {
      line("const int64_t times = {} ? {} : 1;", condition_of(*edit), edit->times.times);
      if (edit->times.products) product = times(&Times::products) + (form_.differences ? product : "(" + product + ")");
    }
    const Edit* const edit = edit_of(Slot::accumulator);
    const Accumulator how = edit == nullptr ? Accumulator{} : edit->accumulator;
    const std::string condition = edit == nullptr ? "" : condition_of(*edit);
    // Where the edit holds under a condition, the usual addition stands beside it.
    const auto choose = [&](const std::string& changed, const std::string& usual) {
      line("{}", condition.empty() ? changed : fmt::format("if ({}) {} else {}", condition, changed, usual));
    };
    const std::string usual = fmt::format("products += {};", product);
    switch (how.kind) {
      case Kind::product_wraps:
        choose(fmt::format("products += signed_bits({}, {});", product, how.bits), usual);
        break;
      case Kind::product_saturates:
        choose(fmt::format("products += saturate({}, {});", product, how.bits), usual);
        break;
      case Kind::saturates_each:
        choose(fmt::format("products = saturate(products + {}, {});", product, how.bits), usual);
        break;
      case Kind::float32: choose(fmt::format("in_float += (float)({});", product), usual); break;
      case Kind::pairs_saturate: {
        const std::string_view at = !how.restarts ? "index" : how.channels_innermost ? "i" : "t[2]";
        const std::string_view run = !how.restarts            ? "volume(c->kernel) * channels"
                                     : how.channels_innermost ? "channels"
                                                              : "c->kernel[2]";
        line("if ({} % {} == 0) products += part, part = 0;", at, how.block);
        line("pair = {0} % 2 == 1 ? saturate(pair + {1}, {2}) : {1};", at, product, how.bits);
        line("const int ends = {0} % 2 == 1 || {0} + 1 == {1};", at, run);
        choose(fmt::format("part = ends ? saturate(part + saturate(pair, {0}), {0}) : part;", how.bits), usual);
        line("++index;");
        break;
      }
      case Kind::blocks_wrap:
      case Kind::blocks_saturate:
        line("if ({} % {} == 0) products += part, part = 0;",
             !how.restarts            ? "index"
             : how.channels_innermost ? "i"
                                      : "t[2]",
             how.block);
        choose(fmt::format("part = {}(part + {}, {});", how.kind == Kind::blocks_wrap ? "signed_bits" : "saturate",
                           product, how.bits),
               usual);
        line("++index;");
        break;
      case Kind::replaced_once:
      case Kind::replaced_each:
        line("if ({}{}) products = 0;", condition.empty() ? "" : condition + " && ",
             how.kind == Kind::replaced_once ? fmt::format("index == {}", how.block)
                                             : fmt::format("index > 0 && index % {} == 0", how.block));
        line("{}", usual);
        line("++index;");
        break;
      case Kind::lanes_wrap:
      case Kind::lanes_saturate: {
        const std::string_view function = how.kind == Kind::lanes_wrap ? "signed_bits" : "saturate";
        const std::string lane = fmt::format("lane[index % {}]", how.block);
        choose(fmt::format("{0} = {1}({0} + {2}, {3});", lane, function, product, how.bits), usual);
        line("++index;");
        break;
      }
      case Kind::lanes_float32:
        choose(fmt::format("lane[index % {}] += (float)({});", how.block, product), usual);
        line("++index;");
        break;
      case Kind::real:
      case Kind::real_after_bias: {
        line("{}", how.fused ? "real = fmaf((float)(x - xz) * xs, (float)(w - wz) * ws, real);"
                             : "real += ((float)(x - xz) * xs) * ((float)(w - wz) * ws);");
        return;
      }
      default: line("{}", usual); break;
    }
    if (form_.differences) return;
    line("sum_x += {}x;", times(&Times::x));
    line("sum_w += {}w;", times(&Times::w));
    if (counts_products()) line("count += times;");
  }

  void finish_accumulator() {
    using Kind = Accumulator::Kind;
    const Edit* const edit = edit_of(Slot::accumulator);
    if (edit == nullptr) return;
    const Accumulator& how = edit->accumulator;
    const std::string condition = if_holds(condition_of(*edit));
    if (how.kind == Kind::real) line("if (c->bias) real += c->bias[{}];", expression(Slot::bias_channel, "k"));
    if (how.kind == Kind::wraps) line("{}products = signed_bits(products, {});", condition, how.bits);
    if (how.kind == Kind::saturates) line("{}products = saturate(products, {});", condition, how.bits);
    if (how.kind == Kind::lanes_wrap || how.kind == Kind::lanes_saturate) {
      line("for (index = 0; index < {}; ++index) products += lane[index];", how.block);
    }
    if (how.kind == Kind::lanes_float32) {
      open("for (int half = {}; half > 0; half /= 2) {{", how.block / 2);
      line("for (index = 0; index < half; ++index) lane[index] += lane[index + half];");
      close();
      line("{}products = (int64_t)lane[0];", condition);
    }
    if (how.kind == Kind::float32) line("{}products = (int64_t)in_float;", condition);
    if (how.kind == Kind::blocks_wrap || how.kind == Kind::blocks_saturate || how.kind == Kind::pairs_saturate) {
      line("products += part;");
    }
    restore_factors();
  }

  // Writes what the sum of x * w has beyond the sum of other products.
  void restore_factors() {
    using Factors = Accumulator::Factors;
    const std::string count = counts_products() ? "count" : "channels * volume(c->kernel)";
    switch (form_.differences ? Factors::plain : form_.factors) {
      case Factors::plain:
      case Factors::differences: break;
      case Factors::signed_activation: line("products += 128 * sum_w;"); break;
      case Factors::swapped_signs: line("products += 128 * sum_w - 128 * sum_x + {} * 128 * 128;", count); break;
      case Factors::activation_difference: line("products += xz * sum_w;"); break;
      case Factors::weight_difference: line("products += wz * sum_x;"); break;
    }
  }

  // ---- requantization

  // A requantization that counts under a condition; later ones count before earlier ones.
  struct Alternative {
    std::string condition;
    Requantization r;
  };

  [[nodiscard]] std::vector<Alternative> alternatives() const {
    std::vector<Alternative> all;
    Requantization so_far;
    for (const Edit* edit : edits_of(Slot::requantization)) {
      const Requantization r = combine(so_far, edit->requantization);
      if (edit->condition.always()) so_far = r;
      all.push_back({edit->condition.c_code(), r});
    }
    return all;
  }

  // Returns the expression f(requantization), chosen by the conditions.
  template <typename F>
  [[nodiscard]] std::string chosen(F f) const {
    std::string code = f(Requantization{});
    for (const auto& [condition, r] : alternatives()) {
      const std::string other = f(r);
      if (other == code) continue;
      code = condition.empty() ? other : fmt::format("{} ? {} : {}", condition, other, in_parentheses(code));
    }
    return code;
  }

  // Returns the function that converts a bias to an integer.
  static std::string conversion_of(IntegerAddition addition) {
    switch (addition) {
      case IntegerAddition::int32:
      case IntegerAddition::saturates: return "int32_of";
      case IntegerAddition::int32_symmetric: return "symmetric_int32_of";
      case IntegerAddition::int32_cast:
      case IntegerAddition::in_float_cast: return "cast_to_int32";
      default: return "int64_of";
    }
  }

  // Returns the integer bias of a rule.
  static std::string integer_bias(const Requantization& r) {
    const std::string to = conversion_of(r.addition);
    constexpr std::string_view kDouble = "(double)b / ((double)xs * (double)ws)";
    switch (r.bias) {
      case BiasRule::int32_nearest: return to + "(nearbyintf(b / unit))";
      case BiasRule::int32_away: return to + "(roundf(b / unit))";
      case BiasRule::int32_reciprocal: return to + "(roundf(b * (1.0F / unit)))";
      case BiasRule::int32_double: return fmt::format("{}(nearbyint({}))", to, kDouble);
      case BiasRule::int32_double_away: return fmt::format("{}(round({}))", to, kDouble);
      case BiasRule::int32_float_unit: return to + "(nearbyint((double)b / (double)unit))";
      case BiasRule::int32_float_unit_away: return to + "(round((double)b / (double)unit))";
      case BiasRule::int32_exact_scales:
        return to + "(nearbyint((double)b / (c->activation_scale * c->weight_scales[c->per_channel ? k : 0])))";
      case BiasRule::int32_exact_away:
        return to + "(round((double)b / (c->activation_scale * c->weight_scales[c->per_channel ? k : 0])))";
      case BiasRule::int32_reciprocal_even: return to + "(nearbyintf(b * (1.0F / unit)))";
      case BiasRule::int32_truncated: return to + "(truncf(b / unit))";
      case BiasRule::int32_floor: return to + "(floorf(b / unit))";
      case BiasRule::int16_wraps: return "(int16_t)int64_of(nearbyintf(b / unit))";
      case BiasRule::int16_wraps_double: return fmt::format("(int16_t)int64_of(nearbyint({}))", kDouble);
      case BiasRule::int16_saturates_double: return fmt::format("int16_of(nearbyint({}))", kDouble);
      default:
        if (to == "cast_to_int32") return "int16_of((double)cast_to_int32(nearbyintf(b / unit)))";
        return "int16_of(nearbyintf(b / unit))";
    }
  }

  static std::string number_of(SumRule rule, const std::string& integer) {
    if (rule == SumRule::truncated) return "toward_zero(" + integer + ")";
    return (rule == SumRule::exact ? "(double)" : "(float)") + in_parentheses(integer);
  }

  [[nodiscard]] std::string s() const { return form_.in_double ? "(float)s" : "s"; }

  [[nodiscard]] std::string with_bias(const Requantization& r) const {
    std::string code = with_bias_in_units(r);
    if (r.of_bias != Precision::float32) code = replaced(code, "b", c_call_of_precision(r.of_bias, "b"));
    if (!has_bias_scale()) return code;
    code = replaced(replaced(code, "unit", "bias_unit"), "ws", "bias_ws");
    return replaced(code, "c->weight_scales[c->per_channel ? k : 0]", "bias_scale");
  }

  [[nodiscard]] std::string with_bias_in_units(const Requantization& r) const {
    const std::string f = s();
    const bool used = !is_fixed_point(r.multiplier) || !(has_integer_bias(r.bias) || r.bias == BiasRule::ignored);
    if (!used) return with_bias_in_units(Requantization{});  // the integer sum is used instead
    if (has_integer_bias(r.bias)) {
      const std::string bias = integer_bias(r);
      switch (r.addition) {
        case IntegerAddition::int32:
        case IntegerAddition::int32_symmetric:
        case IntegerAddition::int32_cast: return number_of(r.sum, "(int32_t)(uint32_t)(raw + " + bias + ")");
        case IntegerAddition::saturates: return number_of(r.sum, "saturate(raw + " + bias + ", 32)");
        case IntegerAddition::int64: return number_of(r.sum, "raw + " + bias);
        case IntegerAddition::in_float:
        case IntegerAddition::in_float_cast: return f + " + (float)" + bias;
      }
    }
    switch (r.bias) {
      case BiasRule::contract: return fmt::format("c->per_channel ? {} + b / unit : fmaf(b, 1.0F / unit, {})", f, f);
      case BiasRule::twice:
        return fmt::format("c->per_channel ? {} + 2 * b / unit : fmaf(2 * b, 1.0F / unit, {})", f, f);
      case BiasRule::zero: return fmt::format("c->per_channel ? {} + 0.0F / unit : fmaf(0.0F, 1.0F / unit, {})", f, f);
      case BiasRule::divided: return f + " + b / unit";
      case BiasRule::fused: return "fmaf(b, 1.0F / unit, " + f + ")";
      case BiasRule::by_reciprocal: return f + " + b * (1.0F / unit)";
      case BiasRule::in_double: return "(float)((double)raw + (double)b / (double)unit)";
      case BiasRule::kept_double: return "(double)raw + (double)b / (double)unit";
      case BiasRule::kept_double_exact:
        return "(double)raw + (double)b / (c->activation_scale * c->weight_scales[c->per_channel ? k : 0])";
      case BiasRule::scales_in_turn: return f + " + b / xs / ws";
      case BiasRule::units_of_activation: return f + " + b / xs";
      case BiasRule::units_of_weight: return f + " + b / ws";
      default: return "s";
    }
  }

  static std::string multiplier(const Requantization& r) {
    return c_call_of_precision(r.of_multiplier, unlimited_multiplier(r));
  }

  static std::string reciprocal(const Requantization& r) { return c_call_of_precision(r.of_reciprocal, "(1.0F / os)"); }

  static std::string unlimited_multiplier(const Requantization& r) {
    const std::string ws_double = "c->weight_scales[c->per_channel ? k : 0]";
    switch (r.multiplier) {
      case MultiplierRule::weight_by_output: return "xs * (ws / os)";
      case MultiplierRule::activation_by_output: return "xs / os * ws";
      case MultiplierRule::reciprocal: return "unit * " + reciprocal(r);
      case MultiplierRule::double_scales: return "(float)(c->activation_scale * " + ws_double + " / c->output_scale)";
      case MultiplierRule::double_of_floats: return "(float)((double)xs * (double)ws / (double)os)";
      case MultiplierRule::double_unit: return "(float)(c->activation_scale * " + ws_double + ") / os";
      case MultiplierRule::below_one: return "fminf(unit / os, 1 - 0x1p-24F)";
      case MultiplierRule::no_denormals: return "(isnormal(unit / os) ? unit / os : 0.0F)";
      case MultiplierRule::factor_inside: return fmt::format("unit / os * (float){}", r.factor);
      default: return "unit / os";
    }
  }

  static char letter_of(RoundingRule rule) {
    switch (rule) {
      case RoundingRule::even: return 'e';
      case RoundingRule::odd: return 'o';
      case RoundingRule::away:
      case RoundingRule::cast_of_half_away: return 'a';
      case RoundingRule::toward_zero_tie: return 'z';
      case RoundingRule::down:
      case RoundingRule::down_in_float: return 'd';
      case RoundingRule::truncated: return 't';
      case RoundingRule::floor: return 'f';
      case RoundingRule::ceiling: return 'c';
      default: return 'u';
    }
  }

  [[nodiscard]] std::string fixed(const Requantization& r) const {
    std::string sum = "raw";
    std::string integer = "int64_of(nearbyint(s))";
    if (has_integer_bias(r.bias)) {
      integer = r.addition == IntegerAddition::saturates ? "saturate(raw + " + integer_bias(r) + ", 32)"
                                                         : "(int32_t)(uint32_t)(raw + " + integer_bias(r) + ")";
    }
    if (r.bias != BiasRule::ignored) sum = fmt::format("c->bias ? {} : raw", integer);
    std::string m = "unit / os";
    if (r.multiplier == MultiplierRule::fixed31_double || r.multiplier == MultiplierRule::fixed15_double) {
      m = "(double)xs * (double)ws / (double)os";
    }
    if (r.multiplier == MultiplierRule::fixed31_float_unit) m = "(double)unit / (double)os";
    if (r.multiplier == MultiplierRule::fixed31_exact_scales || r.multiplier == MultiplierRule::fixed15_of_31) {
      m = "c->activation_scale * c->weight_scales[c->per_channel ? k : 0] / c->output_scale";
    }
    if (r.multiplier == MultiplierRule::power_of_two) {
      return fmt::format("power_of_two({}, {}, '{}')", sum, m, letter_of(r.rounding));
    }
    int bits = 31;
    switch (r.multiplier) {
      case MultiplierRule::fixed24: bits = 24; break;
      case MultiplierRule::fixed16: bits = 16; break;
      case MultiplierRule::fixed15:
      case MultiplierRule::fixed15_double:
      case MultiplierRule::fixed15_of_31: bits = 15; break;
      case MultiplierRule::fixed8: bits = 8; break;
      default: break;
    }
    const int limits = static_cast<int>(r.limit);
    const int mode = r.multiplier == MultiplierRule::fixed31_truncated ? 1
                     : r.multiplier == MultiplierRule::fixed15_of_31   ? 2
                                                                       : 0;
    if (r.rounding < RoundingRule::twice) {
      return fmt::format("fixed_point({}, {}, {}, {}, {}, '{}')", sum, m, bits, mode, limits, letter_of(r.rounding));
    }
    const char first = r.rounding == RoundingRule::truncated_then_away ? 'f' : 'u';
    const bool up = r.rounding == RoundingRule::twice_up || r.rounding == RoundingRule::twice_up_saturates;
    const int saturates = saturates_left(r.rounding) ? 1 : 0;
    return fmt::format("fixed_point_twice({}, {}, {}, {}, {}, '{}', '{}', {})", sum, m, bits, mode, limits, first,
                       up ? 'u' : 'a', saturates);
  }

  [[nodiscard]] std::string scaled(const Requantization& r) const {
    std::string code = unlimited(r);
    if (r.limit == MultiplierLimit::zero_if_not && !is_fixed_point(r.multiplier)) {
      code = fmt::format("unit / os > 0 && isfinite(unit / os) ? {} : 0", code);
    }
    if (r.of_bias != Precision::float32) code = replaced(code, "b", c_call_of_precision(r.of_bias, "b"));
    if (r.of_scaled == Precision::float32) return code;
    return c_call_of_precision(r.of_scaled, "(float)(" + code + ")");
  }

  // Returns the value before rounding in its full precision.
  [[nodiscard]] std::string unlimited(const Requantization& r) const {
    if (is_fixed_point(r.multiplier)) return fixed(r);
    const std::string f = s();
    const std::string m = multiplier(r);
    std::string plain = fmt::format("{} * ({})", f, m);
    switch (r.multiplier) {
      case MultiplierRule::product_in_double: plain = "(double)s * (double)(unit / os)"; break;
      case MultiplierRule::all_in_double: plain = "(double)s * ((double)xs * (double)ws / (double)os)"; break;
      case MultiplierRule::double_exact_scales:
        plain = "(double)s * (c->activation_scale * c->weight_scales[c->per_channel ? k : 0] / c->output_scale)";
        break;
      case MultiplierRule::dequantized: plain = f + " * unit / os"; break;
      case MultiplierRule::dequantized_reciprocal: plain = f + " * unit * " + reciprocal(r); break;
      case MultiplierRule::dequantized_inverse:
        plain = f + " * (1.0F / (1.0F / xs * (1.0F / ws))) * " + reciprocal(r);
        break;
      case MultiplierRule::divided: plain = f + " / (os / unit)"; break;
      case MultiplierRule::factor: plain = fmt::format("{} * (unit / os) * (float){}", f, r.factor); break;
      default:
        if (scales_in_double(r, false)) {
          plain = fmt::format("(double)s * (double)({})", m);
        } else if (scales_in_double(r, true)) {
          plain = fmt::format("c->bias ? (double)s * (double)({}) : {} * ({})", m, f, m);
        }
        break;
    }
    const auto late = [&](const std::string& code) { return fmt::format("c->bias ? {} : {}", code, plain); };
    switch (r.bias) {
      case BiasRule::after_multiplier: return late(fmt::format("{} * ({}) + b / os", f, m));
      case BiasRule::after_by_reciprocal: return late(fmt::format("{} * ({}) + b * {}", f, m, reciprocal(r)));
      case BiasRule::after_fused: return late(fmt::format("fmaf({}, {}, b / os)", f, m));
      case BiasRule::after_fused_reciprocal: return late(fmt::format("fmaf({}, {}, b * (1.0F / os))", f, m));
      case BiasRule::real:
      case BiasRule::real_fused: {
        const std::string unit =
            r.multiplier == MultiplierRule::dequantized_inverse ? "(1.0F / (1.0F / xs * (1.0F / ws)))" : "unit";
        const std::string real =
            r.bias == BiasRule::real ? fmt::format("({} * {} + b)", f, unit) : fmt::format("fmaf({}, {}, b)", f, unit);
        const bool by_reciprocal = r.multiplier != MultiplierRule::dequantized;
        return late(real + (by_reciprocal ? " * " + reciprocal(r) : " / os"));
      }
      default: return plain;
    }
  }

  // Returns the rounded value of `scaled`.
  [[nodiscard]] std::string rounded(const Requantization& r) const {
    if (is_fixed_point(r.multiplier)) return "scaled";
    const std::string suffix = form_.in_double ? "" : "f";
    const std::string f = form_.in_double ? "(float)scaled" : "scaled";
    switch (r.rounding) {
      case RoundingRule::away: return "round" + suffix + "(scaled)";
      case RoundingRule::up: return fmt::format("floor{0}(scaled) + (scaled - floor{0}(scaled) >= 0.5F)", suffix);
      case RoundingRule::up_in_float: return "floorf(" + f + " + 0.5F)";
      case RoundingRule::down: return fmt::format("floor{0}(scaled) + (scaled - floor{0}(scaled) > 0.5F)", suffix);
      case RoundingRule::down_in_float: return "ceilf(" + f + " - 0.5F)";
      case RoundingRule::toward_zero_tie: return "copysign(ceil(fabs((double)scaled) - 0.5), (double)scaled)";
      case RoundingRule::odd: return "round_to_odd(scaled)";
      case RoundingRule::truncated: return "trunc" + suffix + "(scaled)";
      case RoundingRule::floor: return "floor" + suffix + "(scaled)";
      case RoundingRule::ceiling: return "ceil" + suffix + "(scaled)";
      case RoundingRule::cast_of_half_more: return "truncf(" + f + " + 0.5F)";
      case RoundingRule::cast_of_half_away: return fmt::format("truncf({0} + copysignf(0.5F, {0}))", f);
      case RoundingRule::measured: {
        const std::string from = r.up_from == r.negative_up_from
                                     ? fmt::format("{}", r.up_from)
                                     : fmt::format("(scaled < 0 ? {} : {})", r.negative_up_from, r.up_from);
        return fmt::format("floor{0}(scaled) + ((double)(scaled - floor{0}(scaled)) >= {1})", suffix, from);
      }
      default: return "nearbyint" + suffix + "(scaled)";
    }
  }

  static std::string integer_of(const Requantization& r) {
    if (r.rounding == RoundingRule::magic && !is_fixed_point(r.multiplier)) return "magic((float)scaled)";
    std::string outside = "INT32_MIN";
    if (r.overflow == OverflowRule::saturates) outside = "rounded > 0 ? INT32_MAX : INT32_MIN";
    if (r.overflow == OverflowRule::wraps) outside = "(int32_t)(uint32_t)int64_of(rounded)";
    if (r.overflow == OverflowRule::infinity_saturates) {
      outside = "isinf(scaled) && scaled > 0 ? INT32_MAX : INT32_MIN";
    }
    const std::string of = r.overflow == OverflowRule::minimum_of_float ? "(float)rounded" : "rounded";
    std::string code = fmt::format("{0} >= -0x1p31F && {0} < 0x1p31F ? (int64_t){0} : {1}", of, outside);
    if (r.nan == NanRule::minimum && r.overflow == OverflowRule::wraps) code = "isnan(scaled) ? INT32_MIN : " + code;
    if (r.nan == NanRule::zero) code = "isnan(scaled) ? 0 : " + code;
    if (r.nan == NanRule::maximum) code = "isnan(scaled) ? INT32_MAX : " + code;
    return code;
  }

  static std::string low_of(const Requantization& r) {
    const std::string least = fmt::to_string(r.low);
    const std::string zero = r.low == 0 ? "oz" : fmt::format("max(oz, {})", least);
    switch (r.relu) {
      case ReluRule::contract: break;
      case ReluRule::ignored: return least;
      case ReluRule::always: return zero;
      case ReluRule::one_above: return fmt::format("c->relu ? max(oz + 1, {}) : {}", least, least);
    }
    return fmt::format("c->relu ? {} : {}", zero, least);
  }

  // Writes a statement for the alternatives of which `is` holds.
  template <typename Is>
  void statement_if(Is is, const std::string& statement) {
    for (const auto& [condition, r] : alternatives()) {
      if (!is(r)) continue;
      line("{}{}", if_holds(condition), statement);
      return;
    }
  }

  // Returns a weight scale with the precision that it has by each condition.
  [[nodiscard]] std::string scale_in_precision(const std::string& scale) const {
    return chosen([&](const Requantization& r) { return c_call_of_precision(r.of_scale, "(float)" + scale); });
  }

  void write_scale() {
    const std::string k = expression(Slot::multiplier_channel, expression(Slot::scale_channel, "k"));
    line("const float ws = {};", scale_in_precision(fmt::format("c->weight_scales[c->per_channel ? {} : 0]", k)));
  }

  // Whether the bias is divided by another scale than that of the multiplier.
  [[nodiscard]] bool has_bias_scale() const {
    return !edits_of(Slot::bias_scale_channel).empty() || !edits_of(Slot::multiplier_channel).empty();
  }

  void write_bias_scale() {
    if (!has_bias_scale()) return;
    const std::string k = expression(Slot::bias_scale_channel, expression(Slot::scale_channel, "k"));
    line("const double bias_scale = c->weight_scales[c->per_channel ? {} : 0];", k);
    line("const float bias_ws = {};", scale_in_precision("bias_scale"));
    line("const float bias_unit = xs * bias_ws;");
  }

  // Writes what is added to or taken from the rounded value.
  void change_rounded() {
    statement_if([](const Requantization& r) { return r.bias == BiasRule::output_nearest; },
                 "if (c->bias) q += int32_of(nearbyintf(b / os));");
    statement_if([](const Requantization& r) { return r.bias == BiasRule::output_away; },
                 "if (c->bias) q += int32_of(roundf(b / os));");
    for (const auto& [condition, r] : alternatives()) {
      if (r.cap == 0) continue;
      line("{0}q = min(q, int32_of(nearbyintf({1}F / os)));", if_holds(condition), in_decimal(r.cap));
      break;
    }
  }

  static std::string in_decimal(double v) {
    std::string text = fmt::format("{}", v);
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }

  void requantization() {
    line("// From the sum to the output.");
    open(
        "static uint8_t requantize(const struct tieout_conv* c, int64_t n, int64_t k, const int64_t o[3], {}) "
        "{{",
        form_.real ? "float real" : "int64_t raw");
    if (form_.real) {
      line("const float os = (float)c->output_scale;");
      line("const int64_t oz = {};", expression(Slot::output_zero_point, "c->output_zero_point"));
      const Edit* const edit = edit_of(Slot::accumulator);
      const bool by_reciprocal = edit != nullptr && edit->accumulator.by_reciprocal;
      line("const float scaled = {};", by_reciprocal ? "real * (1.0F / os)" : "real / os");
      from_scaled();
      return;
    }
    line("const float xs = (float)c->activation_scale;");
    write_scale();
    line("const float os = (float)c->output_scale;");
    line("const float unit = xs * ws;");
    write_bias_scale();
    line("const float b = c->bias ? c->bias[{}] : 0.0F;", expression(Slot::bias_channel, "k"));
    line("const int64_t oz = {};", expression(Slot::output_zero_point, "c->output_zero_point"));
    if (uses("negative") || uses("usual")) {
      line("const float f = (float)raw;");
      line("const float usual = !c->bias ? f : c->per_channel ? f + b / unit : fmaf(b, 1.0F / unit, f);");
      if (uses("negative")) line("const int negative = usual * (unit / os) < 0;");
    }
    line("{} s = {};", form_.in_double ? "double" : "float",
         chosen([&](const Requantization& r) { return number_of(r.sum, "raw"); }));
    const std::string sum_and_bias = chosen([&](const Requantization& r) { return with_bias(r); });
    if (sum_and_bias != "s") line("if (c->bias) s = {};", sum_and_bias);
    std::string value = chosen([&](const Requantization& r) { return scaled(r); });
    line("const {} scaled = {};", form_.in_double ? "double" : "float", value);
    from_scaled();
  }

  // Writes the steps from the value before rounding to the output.
  void from_scaled() {
    const bool before = std::ranges::any_of(
        alternatives(), [](const Alternative& a) { return a.r.zero_point == ZeroPointRule::before_rounding; });
    if (before) {
      const std::string moved = form_.in_double ? moved_in_double() : "scaled + (float)oz";
      line("const {} moved = {};", form_.in_double ? "double" : "float", chosen([&](const Requantization& r) {
             return r.zero_point == ZeroPointRule::before_rounding ? moved : std::string("scaled");
           }));
    }
    const std::string what = before ? "moved" : "scaled";
    line("const {} rounded = {};", form_.in_double ? "double" : "float",
         replaced(chosen([&](const Requantization& r) { return rounded(r); }), "scaled", what));
    line("int64_t q = {};", replaced(chosen([&](const Requantization& r) { return integer_of(r); }), "scaled", what));
    statement_if([](const Requantization& r) { return r.zero_point == ZeroPointRule::before_rounding; }, "q -= oz;");
    change_rounded();
    const bool wraps = std::ranges::any_of(alternatives(),
                                           [](const Alternative& a) { return a.r.zero_point == ZeroPointRule::wraps; });
    statement_if([](const Requantization& r) { return r.zero_point == ZeroPointRule::wraps_16; }, "q = (int16_t)q;");
    if (!wraps) line("q = q < -32768 ? -32768 : q > 32767 ? 32767 : q;");
    statement_if([](const Requantization& r) { return r.clamp == ClampRule::before_zero_point; },
                 "q = q < 0 ? 0 : q > 255 ? 255 : q;");
    statement_if([](const Requantization& r) { return r.clamp == ClampRule::int8_before; },
                 "q = q < -128 ? -128 : q > 127 ? 127 : q;");
    line("q = {};", chosen([&](const Requantization& r) {
           if (r.zero_point == ZeroPointRule::signed_byte) return std::string("q + (int8_t)oz");
           return std::string(r.zero_point == ZeroPointRule::wraps ? "(int32_t)(uint32_t)(q + oz)" : "q + oz");
         }));
    statement_if([](const Requantization& r) { return r.clamp == ClampRule::low_8_bits; }, "return (uint8_t)q;");
    line("const int64_t low = {};", chosen([&](const Requantization& r) { return low_of(r); }));
    line("const int64_t high = {};", chosen([&](const Requantization& r) { return fmt::to_string(r.high); }));
    statement_if([](const Requantization& r) { return r.clamp == ClampRule::low_last; },
                 "return (uint8_t)(q < low || high < low ? low : q > high ? high : q);");
    statement_if([](const Requantization& r) { return r.clamp == ClampRule::low_first; },
                 "return (uint8_t)(q < low ? low : q > high ? high : q);");
    line("return (uint8_t)(q > high ? high : q < low ? (low < high ? low : high) : q);");
    close();
    line("");
  }

  // A value that is a float32 although it is held in a double is added as float32.
  [[nodiscard]] std::string moved_in_double() const {
    for (const auto& [condition, r] : alternatives()) {
      if (r.zero_point != ZeroPointRule::before_rounding) continue;
      const bool with = scales_in_double(r, true);
      const bool without = scales_in_double(r, false);
      if (with && without) break;
      if (!with) return "(float)scaled + (float)oz";
      return "c->bias ? scaled + (double)oz : (float)scaled + (float)oz";
    }
    return "scaled + (double)oz";
  }

  // Whether a condition of the requantization uses a variable.
  [[nodiscard]] bool uses(std::string_view variable) const {
    return std::ranges::any_of(alternatives(),
                               [&](const Alternative& a) { return a.condition.find(variable) != std::string::npos; });
  }

  // Writes the statement that computes one output, of its own element or of another.
  void write_element() {
    std::string channel = "k";
    std::string position = "o";
    if (!edits_of(Slot::written_channel).empty()) {
      line("const int64_t of_k = {};", expression_of_last(Slot::written_channel, "k"));
      channel = "of_k";
    }
    if (!edits_of(Slot::written_position).empty()) {
      const std::string usual(c_text(Variable::position));
      line("const int64_t p = {};", expression_of_last(Slot::written_position, usual));
      line("const int64_t row = p / c->output_size[2];");
      line("const int64_t of[3] = {{row / c->output_size[1], row % c->output_size[1], p % c->output_size[2]}};");
      position = "of";
    }
    line("*y++ = requantize(c, n, {0}, {1}, sum(c, n, {0}, {1}));", channel, position);
  }

  // Returns the expression of a slot of which the last edit counts whose condition holds.
  [[nodiscard]] std::string expression_of_last(Slot slot, const std::string& usual) const {
    std::string code = usual;
    for (const Edit* edit : edits_of(slot)) {
      const std::string condition = condition_of(*edit);
      code = condition.empty() ? edit->formula.c_code()
                               : fmt::format("{} ? {} : {}", condition, edit->formula.c_code(), code);
    }
    return code;
  }

  void loops() {
    open("const char* tieout_conv_relu(const struct tieout_conv* c) {{");
    line("uint8_t* y = c->output;");
    line("int64_t n, k, o[3];");
    const Edit* const layout = edit_of(Slot::layout);
    const bool last = layout != nullptr && layout->layout.output_channels_last;
    for_loop("n", "c->batch");
    if (!last) for_loop("k", "c->out_channels");
    for (int d = 0; d < 3; ++d) for_loop(fmt::format("o[{}]", d), fmt::format("c->output_size[{}]", d));
    if (last) for_loop("k", "c->out_channels");
    write_element();
    for (int d = 0; d < 5; ++d) close();
    line("return NULL;");
    close();
  }

  const KernelModel& model_;
  Form form_;
  int depth_ = 0;
  std::vector<std::string> lines_;
};

// Returns, for each line of a and b, whether it belongs to the longest common subsequence.
std::pair<std::vector<bool>, std::vector<bool>> common_lines(const std::vector<std::string>& a,
                                                             const std::vector<std::string>& b) {
  std::vector<std::vector<int>> length(a.size() + 1, std::vector<int>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      length[i][j] = a[i] == b[j] ? 1 + length[i + 1][j + 1] : std::max(length[i + 1][j], length[i][j + 1]);
    }
  }
  std::pair<std::vector<bool>, std::vector<bool>> common{std::vector<bool>(a.size()), std::vector<bool>(b.size())};
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (a[i] == b[j]) {
      common.first[i++] = common.second[j++] = true;
    } else if (length[i + 1][j] >= length[i][j + 1]) {
      ++i;
    } else {
      ++j;
    }
  }
  return common;
}

}  // namespace

std::string emit_kernel(const KernelModel& model, const std::string& note) {
  const std::string body = join_lines(Emitter(model, form_of(model)).lines());
  std::string comment = "// An int8 convolution with relu, against tieout_kernel.h.\n";
  for (const std::string& text : split_lines(note)) comment += text.empty() ? "//\n" : fmt::format("// {}\n", text);
  return comment +
         "//\n//   cc -O2 -ffp-contract=off -shared -fPIC -I DIRECTORY_OF_TIEOUT_KERNEL_H kernel.c -lm -o kernel.so\n\n"
         "#include <math.h>\n#include <stddef.h>\n#include <string.h>\n#include <tieout_kernel.h>\n\n"
         "static int64_t volume(const int64_t size[3]) { return size[0] * size[1] * size[2]; }\n\n" +
         helpers_of(body) + body;
}

std::string kernel_diff(const KernelModel& model, int context) {
  const Form form = form_of(model);
  Form of_contract = form;
  of_contract.factors = Accumulator::Factors::plain;
  of_contract.real = false;
  const std::vector<std::string> before = Emitter({}, of_contract).lines();
  const std::vector<std::string> after = Emitter(model, form).lines();
  const auto [kept, same] = common_lines(before, after);
  // The lines of both in one order, with their marks.
  std::vector<std::pair<char, std::string_view>> all;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && !kept[i]) {
      all.emplace_back('-', before[i++]);
    } else if (j < after.size() && !same[j]) {
      all.emplace_back('+', after[j++]);
    } else {
      all.emplace_back(' ', before[i]);
      ++i;
      ++j;
    }
  }
  const auto near_change = [&](std::size_t at) {
    const auto reach = static_cast<std::size_t>(context);
    for (std::size_t l = at > reach ? at - reach : 0; l <= std::min(at + reach, all.size() - 1); ++l) {
      if (all[l].first != ' ') return true;
    }
    return false;
  };
  std::string text;
  for (std::size_t l = 0; l < all.size(); ++l) {
    if (!near_change(l)) continue;
    const std::string_view code = all[l].second;
    const std::size_t indent = std::min(code.find_first_not_of(' '), code.size());
    text += fmt::format("{} {}\n", all[l].first, context == 0 ? code.substr(indent) : code);
  }
  return text;
}

}  // namespace tieout
