#include "cases/case_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <functional>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>

namespace tieout {
namespace {

using Done = tl::expected<void, CaseError>;

constexpr std::array kFills{
    std::pair{Fill::uniform, std::string_view{"uniform"}},   std::pair{Fill::edges, std::string_view{"edges"}},
    std::pair{Fill::extremes, std::string_view{"extremes"}}, std::pair{Fill::reduced, std::string_view{"reduced"}},
    std::pair{Fill::sparse, std::string_view{"sparse"}},     std::pair{Fill::small, std::string_view{"small"}}};
constexpr std::array kEngines{
    std::pair{Engine::fbgemm, std::string_view{"fbgemm"}}, std::pair{Engine::onednn, std::string_view{"onednn"}},
    std::pair{Engine::x86, std::string_view{"x86"}}, std::pair{Engine::qnnpack, std::string_view{"qnnpack"}}};
constexpr std::array kIsas{std::pair{Isa::native, std::string_view{"native"}},
                           std::pair{Isa::avx2, std::string_view{"avx2"}},
                           std::pair{Isa::avx512, std::string_view{"avx512"}},
                           std::pair{Isa::avx512_256, std::string_view{"avx512_256"}},
                           std::pair{Isa::avx512_vnni, std::string_view{"avx512_vnni"}},
                           std::pair{Isa::avx512_vnni_256, std::string_view{"avx512_vnni_256"}}};
constexpr std::array kFormats{std::pair{MemoryFormat::contiguous, std::string_view{"contiguous"}},
                              std::pair{MemoryFormat::channels_last, std::string_view{"channels_last"}}};

template <typename E>
constexpr const auto& names_of() {
  if constexpr (std::is_same_v<E, Fill>) {
    return kFills;
  } else if constexpr (std::is_same_v<E, Engine>) {
    return kEngines;
  } else if constexpr (std::is_same_v<E, Isa>) {
    return kIsas;
  } else {
    return kFormats;
  }
}

template <typename E>
std::string_view name_in_table(E value) {
  for (const auto& [known, name] : names_of<E>()) {
    if (known == value) return name;
  }
  return "listed";
}

// ---- printing

template <typename T>
void append_number(std::string& out, T value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

template <typename T>
bool same_bits(T a, T b) {
  // -0.0 and 0.0 are different contents; a NaN equals itself.
  if constexpr (std::is_floating_point_v<T>) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  } else {
    return a == b;
  }
}

template <typename T>
void append_list(std::string& out, const std::vector<T>& values) {
  out += '[';
  for (std::size_t i = 0; i < values.size();) {
    std::size_t run = 1;
    while (i + run < values.size() && same_bits(values[i], values[i + run])) ++run;
    if (i != 0) out += ',';
    // A run of one is shorter by itself, and reads better.
    if (run > 1) {
      append_number(out, run);
      out += '*';
    }
    append_number(out, values[i]);
    i += run;
  }
  out += ']';
}

void append_spatial(std::string& out, const Spatial& spatial, int dims) {
  for (auto d = static_cast<std::size_t>(3 - dims); d < 3; ++d) {
    if (d != static_cast<std::size_t>(3 - dims)) out += 'x';
    append_number(out, spatial[d]);
  }
}

template <typename T>
void print_contents(std::string& out, std::string_view key, const Contents<T>& contents) {
  out.append(" ").append(key).append("=");
  if (contents.fill == Fill::listed) {
    append_list(out, contents.values);
  } else {
    out += name(contents.fill);
  }
}

// ---- parsing

tl::unexpected<CaseError> bad(std::string_view field, std::string message) {
  return tl::unexpected(CaseError{std::string(field), std::move(message)});
}

template <typename T>
Done read_number(std::string_view field, std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return {};
  std::string wanted = "a number";
  if constexpr (std::is_integral_v<T>) {
    using Limits = std::numeric_limits<T>;
    wanted = "a whole number " + std::to_string(Limits::min()) + ".." + std::to_string(Limits::max());
  }
  return bad(field, "must be " + wanted + ", is '" + std::string(text) + "'");
}

// One item of a list. Bytes are read as int, so that 256 is out of range and not a wrapped 0.
template <typename T>
Done read_item(std::string_view field, std::string_view text, T& value) {
  if constexpr (sizeof(T) == 1) {
    using Limits = std::numeric_limits<T>;
    int wide = 0;
    if (Done r = read_number(field, text, wide); !r) return r;
    if (wide < Limits::min() || wide > Limits::max()) {
      return bad(field, "values must be " + std::to_string(Limits::min()) + ".." + std::to_string(Limits::max()) +
                            ", one is " + std::to_string(wide));
    }
    value = static_cast<T>(wide);
    return {};
  } else {
    return read_number(field, text, value);
  }
}

std::string_view cut(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view head = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return head;
}

template <typename T>
Done read_list(std::string_view field, std::string_view text, std::vector<T>& values) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    return bad(field, "must be a list in brackets such as [1,2,3*0], is '" + std::string(text) + "'");
  }
  values.clear();
  for (std::string_view rest = text.substr(1, text.size() - 2); !rest.empty();) {
    if (rest.back() == ',') return bad(field, "ends with a comma");
    std::string_view item = cut(rest, ',');
    std::int64_t run = 1;
    if (item.find('*') != std::string_view::npos) {
      if (Done r = read_number(field, cut(item, '*'), run); !r) return r;
      if (run < 1 || run > kMaxElements) return bad(field, "N*V needs N in 1..2^28");
    }
    T value{};
    if (Done r = read_item(field, item, value); !r) return r;
    if (static_cast<std::int64_t>(values.size()) + run > kMaxElements) return bad(field, "lists more than 2^28 values");
    values.insert(values.end(), static_cast<std::size_t>(run), value);
  }
  return {};
}

Done read_spatial(std::string_view field, std::string_view text, int dims, Spatial& spatial) {
  std::vector<std::int64_t> extents;
  const std::string whole(text);
  while (!text.empty()) {
    if (text.back() == 'x') return bad(field, "ends with an x");
    std::int64_t extent = 0;
    if (Done r = read_number(field, cut(text, 'x'), extent); !r) return r;
    extents.push_back(extent);
  }
  if (extents.size() == 1) extents.assign(static_cast<std::size_t>(dims), extents.front());
  if (extents.size() != static_cast<std::size_t>(dims)) {
    return bad(field, "must be " + std::to_string(dims) + " numbers joined by x, or one for all, is '" + whole + "'");
  }
  std::copy(extents.begin(), extents.end(), spatial.end() - dims);
  return {};
}

template <typename T>
Done read_contents(std::string_view field, std::string_view text, Contents<T>& contents) {
  if (!text.empty() && text.front() == '[') {
    contents.fill = Fill::listed;
    return read_list(field, text, contents.values);
  }
  const auto fill = from_name<Fill>(field, text);
  if (!fill) return bad(field, fill.error().message + ", or a list in brackets");
  contents = {*fill, {}};
  return {};
}

// A number, or a list of them in brackets: which of both decides the granularity.
template <typename T>
Done read_parameter(std::string_view field, std::string_view text, std::vector<T>& values, bool& is_list) {
  is_list = !text.empty() && text.front() == '[';
  if (is_list) return read_list(field, text, values);
  values.assign(1, T{});
  return read_number(field, text, values.front());
}

struct Reader {
  ConvCase c;
  std::set<std::string, std::less<>> seen;
  bool scales_listed = false, zero_points_listed = false;

  Done read(std::string_view key, std::string_view value) {
    if (!seen.emplace(key).second) return bad(key, "is given twice");
    if (key == "batch") return read_number(key, value, c.batch);
    if (key == "in_channels") return read_number(key, value, c.in_channels);
    if (key == "out_channels") return read_number(key, value, c.out_channels);
    if (key == "groups") return read_number(key, value, c.groups);
    if (key == "input") return read_spatial(key, value, c.dims, c.input);
    if (key == "kernel") return read_spatial(key, value, c.dims, c.kernel);
    if (key == "stride") return read_spatial(key, value, c.dims, c.stride);
    if (key == "padding") return read_spatial(key, value, c.dims, c.padding);
    if (key == "dilation") return read_spatial(key, value, c.dims, c.dilation);
    if (key == "xs") return read_number(key, value, c.activation_scale);
    if (key == "xz") return read_number(key, value, c.activation_zero_point);
    if (key == "ws") return read_parameter(key, value, c.weight_scales, scales_listed);
    if (key == "wz") return read_parameter(key, value, c.weight_zero_points, zero_points_listed);
    if (key == "os") return read_number(key, value, c.output_scale);
    if (key == "oz") return read_number(key, value, c.output_zero_point);
    if (key == "bias") return read_bias(value);
    if (key == "x") return read_contents(key, value, c.activation);
    if (key == "w") return read_contents(key, value, c.weight);
    if (key == "seed") return read_number(key, value, c.seed);
    if (key == "threads") return read_number(key, value, c.execution.threads);
    if (key == "engine") return read_enum(key, value, c.execution.engine);
    if (key == "isa") return read_enum(key, value, c.execution.isa);
    if (key == "format") return read_enum(key, value, c.execution.memory_format);
    return bad(key, "is not a word of a case line; see `tieout check --help`");
  }

  Done read_bias(std::string_view value) {
    Done read = read_list("bias", value, c.bias);
    if (read && c.bias.empty()) return bad("bias", "lists nothing; leave the word out where there is no bias");
    return read;
  }

  template <typename E>
  static Done read_enum(std::string_view key, std::string_view value, E& target) {
    const auto parsed = from_name<E>(key, value);
    if (!parsed) return tl::unexpected(parsed.error());
    target = *parsed;
    return {};
  }

  // ws and wz have one granularity: one list makes the other one a list of equal values.
  Done settle_granularity() {
    if (!scales_listed && !zero_points_listed) return {};
    if (c.out_channels < 1 || c.out_channels > kMaxElements) return bad("out_channels", "must be positive");
    c.granularity = Granularity::per_channel;
    const auto channels = static_cast<std::size_t>(c.out_channels);
    if (!scales_listed) c.weight_scales.assign(channels, c.weight_scales.front());
    if (!zero_points_listed) c.weight_zero_points.assign(channels, c.weight_zero_points.front());
    return {};
  }
};

}  // namespace

std::string_view name(Fill fill) { return name_in_table(fill); }
std::string_view name(Engine engine) { return name_in_table(engine); }
std::string_view name(Isa isa) { return name_in_table(isa); }
std::string_view name(MemoryFormat format) { return name_in_table(format); }
std::string_view name(Granularity granularity) {
  return granularity == Granularity::per_tensor ? "per_tensor" : "per_channel";
}

template <typename E>
tl::expected<E, CaseError> from_name(std::string_view field, std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names_of<E>()) {
    if (name == text) return value;
    known.append(known.empty() ? "" : ", ").append(name);
  }
  return bad(field, "must be one of " + known + ", is '" + std::string(text) + "'");
}

template tl::expected<Fill, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<Engine, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<Isa, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<MemoryFormat, CaseError> from_name(std::string_view, std::string_view);

std::string print(const ConvCase& c) {
  static const ConvCase defaults;
  std::string out = "conv" + std::to_string(c.dims) + "d";
  const auto word = [&](std::string_view key) -> std::string& { return out.append(" ").append(key).append("="); };
  const auto number = [&](std::string_view key, auto value, auto absent) {
    if (!same_bits(value, absent)) append_number(word(key), value);
  };
  const auto spatial = [&](std::string_view key, const Spatial& value, const Spatial& absent) {
    if (value != absent) append_spatial(word(key), value, c.dims);
  };
  number("batch", c.batch, defaults.batch);
  number("in_channels", c.in_channels, defaults.in_channels);
  number("out_channels", c.out_channels, defaults.out_channels);
  number("groups", c.groups, defaults.groups);
  spatial("input", c.input, defaults.input);
  spatial("kernel", c.kernel, defaults.kernel);
  spatial("stride", c.stride, defaults.stride);
  spatial("padding", c.padding, defaults.padding);
  spatial("dilation", c.dilation, defaults.dilation);
  number("xs", c.activation_scale, defaults.activation_scale);
  number("xz", c.activation_zero_point, defaults.activation_zero_point);
  if (c.granularity == Granularity::per_channel) {
    append_list(word("ws"), c.weight_scales);
    const auto& zero_points = c.weight_zero_points;
    if (std::any_of(zero_points.begin(), zero_points.end(), [](std::int64_t z) { return z != 0; })) {
      append_list(word("wz"), c.weight_zero_points);
    }
  } else {
    number("ws", c.weight_scales.front(), 1.0);
    number("wz", c.weight_zero_points.front(), std::int64_t{0});
  }
  number("os", c.output_scale, defaults.output_scale);
  number("oz", c.output_zero_point, defaults.output_zero_point);
  if (!c.bias.empty()) append_list(word("bias"), c.bias);
  if (c.relu == Relu::on) out += " relu";
  print_contents(out, "x", c.activation);
  print_contents(out, "w", c.weight);
  number("seed", c.seed, defaults.seed);
  const auto choice = [&](std::string_view key, auto value, auto absent) {
    if (value != absent) word(key) += name(value);
  };
  choice("engine", c.execution.engine, defaults.execution.engine);
  choice("isa", c.execution.isa, defaults.execution.isa);
  choice("format", c.execution.memory_format, defaults.execution.memory_format);
  number("threads", c.execution.threads, defaults.execution.threads);
  return out;
}

tl::expected<ConvCase, CaseError> parse(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  const std::string_view head = cut(line, ' ');
  Reader reader;
  if (head != "conv1d" && head != "conv2d" && head != "conv3d") {
    return bad("conv", "a case begins with conv1d, conv2d or conv3d, not with '" + std::string(head) + "'");
  }
  reader.c.dims = head[4] - '0';
  while (!line.empty()) {
    std::string_view word = cut(line, ' ');
    if (word.empty()) continue;
    if (word == "relu") {
      if (reader.c.relu == Relu::on) return bad("relu", "is given twice");
      reader.c.relu = Relu::on;
      continue;
    }
    const bool has_value = word.find('=') != std::string_view::npos;
    const std::string_view key = cut(word, '=');
    if (!has_value) return bad(key, "needs a value: " + std::string(key) + "=...");
    if (Done r = reader.read(key, word); !r) return tl::unexpected(r.error());
  }
  if (Done r = reader.settle_granularity(); !r) return tl::unexpected(r.error());
  if (Done r = validate(reader.c); !r) return tl::unexpected(r.error());
  return reader.c;
}

}  // namespace tieout
