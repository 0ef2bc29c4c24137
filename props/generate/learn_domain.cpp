#include "props/generate/learn_domain.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cases/case_predicates.h"
#include "cases/contents.h"
#include "cases/machine/shared_memory.h"
#include "cases/strings/digest.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "props/generate/conform.h"
#include "props/generate/fit_lists.h"
#include "props/generate/strategy.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

// The seed of the ordinary cases.
constexpr std::uint64_t kSeed = 0x646f6d61696e;
// The limit of products of one case.
constexpr std::int64_t kMostProducts = 3'000'000;
constexpr std::size_t kMostQuestions = 6'000;
constexpr std::size_t kMostAlternatives = 5;

// Describes a list of values through which one parameter is moved.
struct Sweep {
  // The name of the parameter in a condition.
  std::string name;
  std::vector<std::int64_t> values;
  std::function<void(ConvCase&, std::int64_t)> move;
};

// Holds which values of a sweep were taken and which were declined.
struct Observed {
  std::vector<std::int64_t> taken, declined;
};

std::vector<std::int64_t> up_to(std::int64_t last, std::vector<std::int64_t> further) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(last));
  std::iota(values.begin(), values.end(), 1);
  values.insert(values.end(), further.begin(), further.end());
  return values;
}

std::string condition(const std::string& name, const char* relation, std::int64_t value) {
  return " " + name + relation + std::to_string(value);
}

// Returns the simplest conditions that hold for all values taken and for none that was declined, or the nearest ones
// that can be expressed.
std::string conditions(const std::string& name, const Observed& observed) {
  const auto& [taken, declined] = observed;
  if (declined.empty() || taken.empty()) return {};
  const auto none_declined = [&](auto fits) { return std::ranges::none_of(declined, fits); };
  const auto [least, most] = std::ranges::minmax(taken);
  const std::int64_t low = least;
  // g++ 12 does not let a lambda capture a structured binding by reference.
  const std::int64_t high = most;
  if (low == high) return condition(name, "=", low);
  if (declined.size() == 1 && low < declined.front() && declined.front() < high) {
    return condition(name, "!=", declined.front());
  }
  const auto within = [low, high](std::int64_t v) { return low <= v && v <= high; };
  std::string bounds;
  if (std::ranges::min(declined) < low) bounds += condition(name, ">=", low);
  if (std::ranges::max(declined) > high) bounds += condition(name, "<=", high);
  if (none_declined(within)) return bounds;
  std::int64_t divisor = 0;
  for (const std::int64_t v : taken) divisor = std::gcd(divisor, v);
  const auto multiple = [&](std::int64_t v) { return v % divisor == 0; };
  if (divisor > 1 && none_declined(multiple)) return " " + name + "%" + std::to_string(divisor) + "=0";
  if (divisor > 1 && none_declined([&](std::int64_t v) { return within(v) && multiple(v); })) {
    return bounds + " " + name + "%" + std::to_string(divisor) + "=0";
  }
  std::string list = " " + name + "=";
  for (const std::int64_t v : taken) list += (list.back() == '=' ? "" : "|") + std::to_string(v);
  return list;
}

// ---- moves

void set_axes(Spatial& spatial, int dims, std::int64_t value) {
  for (int d = 3 - dims; d < 3; ++d) spatial[static_cast<std::size_t>(d)] = value;
}

void set_dims(ConvCase& c, std::int64_t dims) {
  const auto neutral = [&](Spatial& spatial, std::int64_t absent) {
    const std::int64_t value = spatial[2];
    spatial.fill(absent);
    set_axes(spatial, static_cast<int>(dims), value);
  };
  neutral(c.input, 1);
  neutral(c.kernel, 1);
  neutral(c.stride, 1);
  neutral(c.dilation, 1);
  neutral(c.padding, 0);
  c.dims = static_cast<int>(dims);
}

void set_channels(ConvCase& c, std::int64_t in, std::int64_t out, std::int64_t groups) {
  c.in_channels = in;
  c.out_channels = out;
  c.groups = groups;
}

void pad_same(ConvCase& c) {
  for (std::size_t d = 0; d < 3; ++d) c.padding[d] = c.dilation[d] * (c.kernel[d] - 1) / 2;
}

// Returns an ordinary layer, at which the search for a case that is taken begins.
ConvCase ordinary_layer() {
  ConvCase c;
  c.in_channels = c.out_channels = 16;
  c.input = {1, 8, 8};
  c.kernel = {1, 3, 3};
  c.padding = {0, 1, 1};
  c.activation_scale = 0.05;
  c.activation_zero_point = 128;
  c.granularity = Granularity::per_channel;
  c.weight_scales.assign(16, 0.01);
  c.weight_zero_points.assign(16, 0);
  c.output_scale = 0.5;
  c.bias.assign(16, 0.25F);
  return c;
}

using Move = std::function<void(ConvCase&)>;

// Returns moves that each change one property of a layer, for the search.
std::vector<Move> search_moves() {
  std::vector<Move> moves;
  const auto add = [&](Move move) { moves.push_back(std::move(move)); };
  for (const std::int64_t dims : {1, 2, 3}) add([=](ConvCase& c) { set_dims(c, dims); });
  for (const std::int64_t n : {1, 2, 3, 4, 8}) add([=](ConvCase& c) { c.batch = n; });
  for (const std::int64_t n : {1, 2, 3, 4, 8, 16, 32, 48, 64, 128, 256}) {
    add([=](ConvCase& c) { set_channels(c, n, n, 1); });
    add([=](ConvCase& c) { set_channels(c, n, n, n); });
    add([=](ConvCase& c) { set_channels(c, n, 2 * n, n); });
    add([=](ConvCase& c) { set_channels(c, n, c.out_channels, 1); });
    add([=](ConvCase& c) { set_channels(c, c.in_channels, n, 1); });
    add([=](ConvCase& c) { set_channels(c, c.in_channels / c.groups * n, c.out_channels / c.groups * n, n); });
  }
  for (const std::int64_t k : {1, 2, 3, 4, 5, 7, 9, 11}) {
    add([=](ConvCase& c) {
      set_axes(c.kernel, c.dims, k);
      pad_same(c);
    });
    add([=](ConvCase& c) { set_axes(c.kernel, c.dims, k); });
    add([=](ConvCase& c) { c.kernel[2] = k; });
    if (k <= 4) add([=](ConvCase& c) { set_axes(c.stride, c.dims, k); });
    if (k <= 4) add([=](ConvCase& c) { set_axes(c.dilation, c.dims, k); });
    if (k <= 5) add([=](ConvCase& c) { set_axes(c.padding, c.dims, k - 1); });
  }
  for (const std::int64_t n : {1, 2, 3, 4, 7, 14, 16, 28, 32, 56, 64, 112, 128, 224}) {
    add([=](ConvCase& c) { set_axes(c.input, c.dims, n); });
    add([=](ConvCase& c) { c.input[2] = n; });
  }
  for (const Granularity g : {Granularity::per_tensor, Granularity::per_channel}) {
    add([=](ConvCase& c) { c.granularity = g; });
  }
  for (const std::int64_t z : {0, 1, 127, 128, 255}) {
    add([=](ConvCase& c) { c.activation_zero_point = z; });
    add([=](ConvCase& c) { c.output_zero_point = z; });
    add([=](ConvCase& c) { c.activation_zero_point = c.output_zero_point = z; });
  }
  for (const std::int64_t z : {0, 3}) add([=](ConvCase& c) { std::ranges::fill(c.weight_zero_points, z); });
  for (const Relu relu : {Relu::on, Relu::off}) add([=](ConvCase& c) { c.relu = relu; });
  add([](ConvCase& c) { c.bias.clear(); });
  add([](ConvCase& c) { c.bias.assign(static_cast<std::size_t>(c.out_channels), 0.25F); });
  for (const double scale : {0.0005, 0.5, 5.0}) add([=](ConvCase& c) { c.output_scale = scale; });
  return moves;
}

class Learner {
 public:
  Learner(const std::function<Reply(const ConvCase&)>& ask, const KernelTypes& types) : ask_(ask), types_(types) {}

  Domain learn() {
    if (takes_nearly_all()) return {};
    const auto first = search();
    if (!first) return {};
    std::deque<ConvCase> bases{*first};
    std::string text;
    std::size_t alternatives = 0;
    Domain domain;
    while (!bases.empty() && alternatives < kMostAlternatives) {
      const ConvCase base = bases.front();
      bases.pop_front();
      if (alternatives > 0 && domain.contains(typed(base))) continue;
      std::string around = conditions_around(base);
      if (around.empty()) continue;
      text += (alternatives == 0 ? "" : " or") + around;
      ++alternatives;
      domain = *Domain::parse(text);
      if (alternatives == 1) bases = further_bases(base);
    }
    return domain;
  }

 private:
  // Returns the case with the subject's types.
  [[nodiscard]] ConvCase typed(ConvCase c) const {
    c.activation_type = types_.activation;
    c.output_type = types_.output;
    if (types_.int32_bias && !c.bias.empty()) c.int32_bias.assign(c.bias.size(), 3);
    if (types_.int32_bias) c.bias.clear();
    settle_types(c);
    return c;
  }

  // Returns the subject's reply, and calls it once for each different case. Returns nothing for cases that are not
  // valid or cost too much.
  std::optional<Reply> reply(ConvCase c) {
    fit_lists(c);
    c = typed(std::move(c));
    if (!validate(c) || product_count(c) > kMostProducts) return {};
    const std::string line = print(c);
    if (const auto known = known_.find(line); known != known_.end()) return known->second;
    if (known_.size() >= kMostQuestions) return {};
    return known_[line] = ask_(c);
  }

  bool takes(const ConvCase& c) {
    const auto answer = reply(c);
    return answer && answer->taken;
  }

  bool takes_nearly_all() {
    constexpr int kCases = 100;
    int taken = 0;
    for (int i = 0; i < kCases; ++i) {
      const GeneratorOptions small{.products = 1'000, .audience = Audience::subject};
      taken += takes(case_of(kSeed, static_cast<std::uint64_t>(i), small)) ? 1 : 0;
    }
    return taken >= kCases * 9 / 10;
  }

  // Returns a case that is taken. The search is breadth first from an ordinary layer and continues from every case that
  // is declined for a new reason.
  std::optional<ConvCase> search() {
    const std::vector<Move> moves = search_moves();
    std::set<std::uint32_t> reasons;
    std::deque<ConvCase> open{ordinary_layer()};
    const auto first = reply(open.front());
    if (first && first->taken) return open.front();
    if (first) reasons.insert(first->reason);
    while (!open.empty()) {
      const ConvCase from = open.front();
      open.pop_front();
      for (const Move& move : moves) {
        ConvCase moved = from;
        move(moved);
        const auto answer = reply(moved);
        if (!answer) continue;
        fit_lists(moved);
        if (answer->taken) return moved;
        // The latest reason is the nearest to a case that is taken.
        if (reasons.insert(answer->reason).second) open.push_front(moved);
      }
    }
    return search_combinations();
  }

  // Returns a case that is taken by a subject that gives one reason for everything: it tries ordinary layers with all
  // combinations of properties.
  std::optional<ConvCase> search_combinations() {
    for (const std::int64_t dims : {2, 1, 3}) {
      for (const std::int64_t kernel : {3, 1, 5}) {
        for (const int channels : {0, 1, 2, 3}) {
          for (std::uint32_t quantization = 0; quantization < 96; ++quantization) {
            ConvCase c = ordinary_layer();
            set_dims(c, dims);
            set_axes(c.kernel, c.dims, kernel);
            pad_same(c);
            if (channels == 1) set_channels(c, 16, 16, 16);
            if (channels == 2) set_channels(c, 64, 64, 1);
            if (channels == 3) set_channels(c, 1, 1, 1);
            c.granularity = (quantization & 1U) != 0 ? Granularity::per_tensor : Granularity::per_channel;
            c.relu = (quantization & 2U) != 0 ? Relu::on : Relu::off;
            if ((quantization & 4U) != 0) c.bias.clear();
            if ((quantization & 8U) != 0) c.output_zero_point = 128;
            c.activation_zero_point = std::array<std::int64_t, 3>{128, 0, 1}[quantization / 16 % 3];
            if (quantization >= 48) set_axes(c.stride, c.dims, 2);
            if (!takes(c)) continue;
            fit_lists(c);
            return c;
          }
        }
      }
    }
    return {};
  }

  Observed observe(const ConvCase& base, const Sweep& sweep) {
    Observed observed;
    for (const std::int64_t value : sweep.values) {
      ConvCase moved = base;
      sweep.move(moved, value);
      if (const auto answer = reply(moved)) (answer->taken ? observed.taken : observed.declined).push_back(value);
    }
    return observed;
  }

  // Returns all conditions found around a case that is taken.
  std::string conditions_around(ConvCase base) {
    base = with_small_input(base);
    return dimension_conditions(base) + channel_conditions(base) + window_conditions(base) + input_conditions(base) +
           quantization_conditions(base);
  }

  // Returns the case with a small input if the subject takes that, so that further cases are cheap.
  ConvCase with_small_input(const ConvCase& base) {
    for (const std::int64_t extent : {3, 4, 5, 7, 8}) {
      ConvCase smaller = base;
      set_axes(smaller.input, smaller.dims, extent);
      if (extent < base.input[2] && takes(smaller)) return smaller;
    }
    return base;
  }

  std::string dimension_conditions(const ConvCase& base) {
    const Sweep dims{"dims", {1, 2, 3}, set_dims};
    const Sweep batch{"batch", {1, 2, 3, 4, 5, 8, 16}, [](ConvCase& c, std::int64_t n) { c.batch = n; }};
    return conditions("dims", observe(base, dims)) + conditions("batch", observe(base, batch));
  }

  std::string channel_conditions(const ConvCase& base) {
    const std::vector<std::int64_t> counts = up_to(
        20, {24, 30, 31, 32, 33, 36, 40, 48, 60, 63, 64, 65, 80, 96, 100, 127, 128, 129, 144, 160, 192, 256, 257, 512});
    const std::int64_t in = base.in_channels / base.groups;
    const std::int64_t out = base.out_channels / base.groups;
    const std::int64_t groups = base.groups;
    const auto sweep = [&](auto move) { return observe(base, {"", counts, move}); };
    // In a depthwise layer, all three numbers change together.
    if (groups > 1 && in == 1) {
      const Observed together = sweep([out](ConvCase& c, std::int64_t n) { set_channels(c, n, n * out, n); });
      const Observed outputs = observe(base, {"", {1, 2, 3, 4}, [groups](ConvCase& c, std::int64_t n) {
                                                set_channels(c, groups, n * groups, groups);
                                              }});
      return " groups=in_channels" + conditions("group_outputs", outputs) + conditions("groups", together);
    }
    std::string text = conditions("groups", observe(base, {"", {1, 2, 3, 4, 8}, [in, out](ConvCase& c, std::int64_t n) {
                                                             set_channels(c, in * n, out * n, n);
                                                           }}));
    const Observed inputs =
        sweep([out, groups](ConvCase& c, std::int64_t n) { set_channels(c, n * groups, out * groups, groups); });
    const Observed outputs =
        sweep([in, groups](ConvCase& c, std::int64_t n) { set_channels(c, in * groups, n * groups, groups); });
    const std::string inputs_name = groups > 1 ? "group_inputs" : "in_channels";
    const std::string outputs_name = groups > 1 ? "group_outputs" : "out_channels";
    if (inputs.taken.size() <= 1 && outputs.taken.size() <= 1) {
      const Observed together =
          sweep([groups](ConvCase& c, std::int64_t n) { set_channels(c, n * groups, n * groups, groups); });
      if (together.taken.size() > 1) return text + " in_channels=out_channels" + conditions(inputs_name, together);
    }
    return text + conditions(inputs_name, inputs) + conditions(outputs_name, outputs);
  }

  std::string window_conditions(const ConvCase& base) {
    const std::vector<std::int64_t> extents{1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13};
    const auto sweep = [&](Spatial ConvCase::* which, bool same, std::vector<std::int64_t> values) {
      return observe(base, {"", std::move(values), [which, same](ConvCase& c, std::int64_t v) {
                              set_axes(c.*which, c.dims, v);
                              if (same) pad_same(c);
                              // The input must be large enough for the window.
                              for (std::size_t d = 0; d < 3; ++d) {
                                c.input[d] =
                                    std::max(c.input[d], c.dilation[d] * (c.kernel[d] - 1) + 1 - 2 * c.padding[d]);
                              }
                            }});
    };
    const Observed padding = sweep(&ConvCase::padding, false, {0, 1, 2, 3, 4});
    const Observed kernel_alone = sweep(&ConvCase::kernel, false, extents);
    const Observed kernel_same = sweep(&ConvCase::kernel, true, {1, 3, 5, 7, 9, 11, 13});
    const bool same = padding.taken.size() == 1 && kernel_same.taken.size() > kernel_alone.taken.size();
    const Observed& kernel = same ? kernel_same : kernel_alone;
    const Observed stride = sweep(&ConvCase::stride, false, {1, 2, 3, 4});
    const Observed dilation = sweep(&ConvCase::dilation, same, {1, 2, 3, 4});
    std::string text = conditions("kernel", kernel) + (same ? " padding=same" : conditions("padding", padding)) +
                       conditions("stride", stride) + conditions("dilation", dilation);
    if (same && kernel.declined.empty()) text += " kernel%2=1";
    const std::array<std::tuple<const char*, Spatial ConvCase::*, const Observed*>, 4> all{
        {{"kernel", &ConvCase::kernel, &kernel},
         {"padding", &ConvCase::padding, &padding},
         {"stride", &ConvCase::stride, &stride},
         {"dilation", &ConvCase::dilation, &dilation}}};
    for (const auto& [name, which, observed] : all) {
      if (!(same && which == &ConvCase::padding)) text += equal_axes(base, name, which, *observed, same);
    }
    return text;
  }

  // Returns "kernel.h=kernel.w" if each of two extents is taken, but not a different one along each axis.
  std::string equal_axes(const ConvCase& base, const std::string& name, Spatial ConvCase::* which,
                         const Observed& observed, bool same) {
    if (base.dims == 1 || observed.taken.size() < 2) return {};
    for (const std::int64_t other : observed.taken) {
      ConvCase mixed = base;
      if (other == (base.*which)[2]) continue;
      (mixed.*which)[2] = other;
      if (same) pad_same(mixed);
      mixed.input[2] = std::max(mixed.input[2], mixed.dilation[2] * (mixed.kernel[2] - 1) + 1 - 2 * mixed.padding[2]);
      const auto answer = reply(mixed);
      if (answer && answer->taken) return {};
    }
    const std::string height_as_width = " " + name + ".h=" + name + ".w";
    return base.dims == 3 ? height_as_width + " " + name + ".d=" + name + ".w" : height_as_width;
  }

  std::string input_conditions(const ConvCase& base) {
    const std::vector<std::int64_t> extents = up_to(20, {24, 28, 31, 32, 33, 48, 56, 63, 64, 65, 112, 127, 128, 224});
    std::string text;
    constexpr std::array<const char*, 3> kNames{"input.d", "input.h", "input.w"};
    Observed width;
    for (auto d = static_cast<std::size_t>(3 - base.dims); d < 3; ++d) {
      width = observe(base, {"", extents, [d](ConvCase& c, std::int64_t v) { c.input[d] = v; }});
      if (width.taken.size() > 1) text += conditions(kNames[d], width);
    }
    if (width.taken.size() > 1 || base.dims == 1) return text;
    const Observed square =
        observe(base, {"", extents, [](ConvCase& c, std::int64_t v) { set_axes(c.input, c.dims, v); }});
    if (square.taken.size() < 2) return conditions("input", square);
    return " input.h=input.w" + std::string(base.dims == 3 ? " input.d=input.w" : "") + conditions("input.w", square);
  }

  std::string quantization_conditions(const ConvCase& base) {
    const auto sweep = [&](const char* name, std::vector<std::int64_t> values, auto move) {
      return conditions(name, observe(base, {name, std::move(values), move}));
    };
    // Zero points in the values that their type stores, which a domain compares.
    const auto sweep_zero_point = [&](const char* name, std::int64_t ConvCase::* zero_point, int shift) {
      std::vector<std::int64_t> stored{0, 1, 64, 127, 128, 254, 255};
      for (std::int64_t& value : stored) value -= shift;
      return sweep(name, std::move(stored), [=](ConvCase& c, std::int64_t v) { c.*zero_point = v + shift; });
    };
    std::string text = sweep_zero_point("xz", &ConvCase::activation_zero_point, stored_shift(types_.activation));
    text += sweep_zero_point("oz", &ConvCase::output_zero_point, stored_shift(types_.output));
    text += sweep("wz", {-128, -1, 0, 1, 127},
                  [](ConvCase& c, std::int64_t v) { std::ranges::fill(c.weight_zero_points, v); });
    const auto choice = [&](const char* name, std::array<const char*, 2> words, auto move) {
      const Observed observed = observe(base, {name, {0, 1}, move});
      if (observed.taken.size() != 1) return std::string();
      return std::string(" ") + name + "=" + words[static_cast<std::size_t>(observed.taken.front())];
    };
    text += choice("granularity", {"per_tensor", "per_channel"}, [](ConvCase& c, std::int64_t v) {
      c.granularity = v == 0 ? Granularity::per_tensor : Granularity::per_channel;
    });
    text += choice("relu", {"off", "on"}, [](ConvCase& c, std::int64_t v) { c.relu = v == 0 ? Relu::off : Relu::on; });
    text += choice(types_.int32_bias ? "int32_bias" : "bias", {"off", "on"}, [](ConvCase& c, std::int64_t v) {
      c.bias.assign(v == 0 ? 0 : static_cast<std::size_t>(c.out_channels), 0.25F);
    });
    // Output scales make the multiplier tiny, one half, one, two and huge.
    const double unit = base.activation_scale * base.weight_scales.front();
    const Observed multiplier = observe(base, {"", {0, 1, 2, 3, 4}, [unit](ConvCase& c, std::int64_t v) {
                                                 constexpr std::array<double, 5> kInverse{1e4, 2, 1, 0.5, 1e-3};
                                                 c.output_scale = unit * kInverse[static_cast<std::size_t>(v)];
                                               }});
    if (multiplier.taken == std::vector<std::int64_t>{0, 1}) text += " multiplier<1";
    if (multiplier.taken == std::vector<std::int64_t>{0, 1, 2}) text += " multiplier<=1";
    return text;
  }

  // Returns ordinary layers of other kinds with the same quantization, and ordinary cases, that are taken.
  std::deque<ConvCase> further_bases(const ConvCase& base) {
    std::deque<ConvCase> bases;
    const auto add = [&](ConvCase c) {
      if (!takes(c)) return;
      fit_lists(c);
      bases.push_back(std::move(c));
    };
    for (const std::int64_t dims : {1, 2, 3}) {
      for (const std::int64_t kernel : {1, 3, 5, 7}) {
        for (const std::int64_t stride : {1, 2}) {
          for (const bool depthwise : {false, true}) {
            for (const bool padded : {true, false}) {
              ConvCase c = base;
              c.dilation = {1, 1, 1};
              set_dims(c, dims);
              set_axes(c.kernel, c.dims, kernel);
              set_axes(c.stride, c.dims, stride);
              set_axes(c.padding, c.dims, padded ? kernel / 2 : 0);
              set_axes(c.input, c.dims, std::max<std::int64_t>(8, base.input[2]));
              const std::int64_t channels = std::max<std::int64_t>(16, std::min(base.in_channels, base.out_channels));
              if (depthwise) set_channels(c, channels, channels, channels);
              if (!depthwise && base.groups > 1) set_channels(c, channels, channels, 1);
              add(std::move(c));
            }
          }
        }
      }
    }
    return bases;
  }

  const std::function<Reply(const ConvCase&)>& ask_;
  KernelTypes types_;
  std::map<std::string, Reply> known_;
};

// ---- learning in a worker

// Holds the replies so far, in the order of the cases, in memory that survives the end of the worker. 0: none yet; 1:
// taken; other values: the hash of the reason for declining.
struct AnsweredCases {
  std::array<std::atomic<std::uint32_t>, kMostQuestions + 1> replies;
  std::atomic<std::size_t> asked;
};

// Thrown if a subject has died or hung too often.
struct TooManyFaults {};

std::uint32_t code_of(Subject& subject, const ConvCase& c, double seconds, int& faults) {
  constexpr int kMostFaults = 3;
  const auto y = subject.run(with_contents(c), {.seconds = seconds});
  const bool fault = !y && (y.error().kind == SubjectError::Kind::died || y.error().kind == SubjectError::Kind::hung);
  if (fault && ++faults >= kMostFaults) throw TooManyFaults();
  if (y || y.error().kind != SubjectError::Kind::declined) return 1;
  std::string reason = y.error().message;
  // Messages such as "17 channels" and "18 channels" give the same reason.
  std::erase_if(reason, [](char letter) { return '0' <= letter && letter <= '9'; });
  Digest digest;
  digest.add_bytes(reason);
  return static_cast<std::uint32_t>(digest.value()) | 2U;
}

}  // namespace

Domain learn_domain(const std::function<Reply(const ConvCase&)>& ask, const KernelTypes& types) {
  return Learner(ask, types).learn();
}

// Runs the learning in a worker. A worker that dies is replaced by one that gets the replies up to the fatal case from
// memory.
Domain learn_domain(Subject& subject, double seconds, const std::function<bool()>& go_on) {
  constexpr int kMostCrashes = 3;
  const SharedMemory<AnsweredCases> memory;
  if (!memory) return {};
  AnsweredCases& answers = *memory;
  Domain domain;
  bool done = false;
  for (int crashes = 0; crashes < kMostCrashes && !done && go_on(); ++crashes) {
    const auto learn = [&](std::int64_t) -> std::string {
      answers.asked = 0;
      int faults = 0;
      try {
        const auto ask = [&](const ConvCase& c) {
          const std::size_t number = answers.asked;
          std::atomic<std::uint32_t>& reply = answers.replies[number];
          if (reply == 0) reply = code_of(subject, c, seconds, faults);
          ++answers.asked;
          return Reply{.taken = reply == 1, .reason = reply};
        };
        return learn_domain(ask, subject.types()).text();
      } catch (const TooManyFaults&) {
        return Domain().text();
      }
    };
    run_task({.seconds = 60 + 3 * seconds,
              .work = learn,
              .answered =
                  [&](std::int64_t, const std::string& text) {
                    done = true;
                    if (auto parsed = Domain::parse(text)) domain = std::move(*parsed);
                  },
              .died = [&](std::int64_t, const ExitReason&) { answers.replies[answers.asked] = 1; }},
             go_on);
  }
  return domain;
}

}  // namespace tieout
