#include "props/shrink.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>

#include "cases/contents.h"
#include "cases/traits.h"
#include "cases/validate.h"
#include "props/subproblem.h"

namespace tieout {
namespace {

// Where candidates go: to a visitor, until it takes one. Invalid ones are dropped here.
class Candidates {
 public:
  using Visitor = std::function<bool(ConvCase&&)>;  // true: taken, no more are wanted

  explicit Candidates(Visitor visitor) : visitor_(std::move(visitor)) {}

  void add(ConvCase c) {
    if (!taken_ && validate(c)) taken_ = visitor_(std::move(c));
  }
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Visitor visitor_;
  bool taken_ = false;
};

// The halves of a list, its quarters, ..., and last the list without each single one (long lists: every step-th).
std::vector<Indices> parts(const Indices& whole) {
  std::vector<Indices> found;
  const std::size_t n = whole.size();
  for (std::size_t piece = n / 2; piece >= 1 && found.size() < 24; piece /= 2) {
    for (std::size_t begin = 0; begin < n && found.size() < 24; begin += piece) {
      const auto from = whole.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = whole.begin() + static_cast<std::ptrdiff_t>(std::min(n, begin + piece));
      if (piece * 2 >= n) found.emplace_back(from, to);
      Indices rest(whole.begin(), from);
      rest.insert(rest.end(), to, whole.end());
      if (!rest.empty()) found.push_back(std::move(rest));
    }
  }
  return found;
}

// One output element alone: the input that its window sees, padding included, with stride, padding and dilation gone.
// whole_channels keeps all channels and groups, because some code paths exist only for many of them.
void add_single_elements(Candidates& out, const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const Spatial size = output_size(c);
  const std::int64_t positions = c.batch * volume(size);
  if (positions * c.out_channels <= 1) return;
  const std::int64_t step = std::max<std::int64_t>(1, positions / 64);
  for (const bool whole_channels : {false, true}) {
    for (std::int64_t position = 0; position < positions; position += step) {
      Selection kept = everything(c);
      kept.batch = {position / volume(size)};
      const std::array<std::int64_t, 3> at{position / (size[1] * size[2]) % size[0], position / size[2] % size[1],
                                           position % size[2]};
      for (std::size_t d = 0; d < 3; ++d) {
        kept.input[d].clear();
        for (std::int64_t tap = 0; tap < c.kernel[d]; ++tap) {
          kept.input[d].push_back(at[d] * c.stride[d] + tap * c.dilation[d] - c.padding[d]);
        }
      }
      if (out.taken()) return;
      const auto alone = [&](const Selection& selection) {
        ConvCase part = select(problem, selection);
        part.stride = part.dilation = {1, 1, 1};
        part.padding = {0, 0, 0};
        out.add(std::move(part));
      };
      if (whole_channels) {
        alone(kept);
        continue;
      }
      const std::int64_t channels = std::min<std::int64_t>(c.out_channels, std::max<std::int64_t>(1, 256 / positions));
      for (std::int64_t k = 0; k < channels; ++k) {
        kept.groups = {k / (c.out_channels / c.groups)};
        kept.group_outputs = {k % (c.out_channels / c.groups)};
        alone(kept);
      }
    }
  }
}

// The part as it is, and with an output scale and bias that shrink with its sums: fewer products make smaller sums, and a
// difference that needs a value between the clamps would be lost.
void add_part(Candidates& out, const ConvProblem& problem, const Selection& kept) {
  if (out.taken()) return;
  ConvCase part = select(problem, kept);
  const auto products = static_cast<double>(reduction_length(part));
  const double ratio = products / static_cast<double>(reduction_length(problem.spec));
  out.add(part);
  if (ratio >= 1 || out.taken()) return;
  part.output_scale *= ratio;
  for (float& bias : part.bias) bias = static_cast<float>(static_cast<double>(bias) * ratio);
  out.add(std::move(part));
}

// Fewer of everything, one dimension at a time.
void add_smaller_shapes(Candidates& out, const ConvProblem& problem) {
  const Selection whole = everything(problem.spec);
  const auto try_parts = [&](Indices Selection::* dimension) {
    for (Indices& part : parts(whole.*dimension)) {
      Selection kept = whole;
      kept.*dimension = std::move(part);
      add_part(out, problem, kept);
    }
  };
  try_parts(&Selection::batch);
  try_parts(&Selection::groups);
  try_parts(&Selection::group_outputs);
  try_parts(&Selection::group_inputs);
  for (std::size_t d = 0; d < 3; ++d) {
    // A tap and the column under it together, where the input is just the window.
    const bool window = whole.input[d].size() == whole.kernel[d].size();
    for (const Indices& part : parts(whole.kernel[d])) {
      Selection kept = whole;
      kept.kernel[d] = part;
      if (window) kept.input[d] = part;
      add_part(out, problem, kept);
      if (!window) continue;
      kept.input[d] = whole.input[d];
      add_part(out, problem, kept);
    }
    for (Indices& part : parts(whole.input[d])) {
      Selection kept = whole;
      kept.input[d] = std::move(part);
      add_part(out, problem, kept);
    }
  }
}

// Away from what hides differences: no bias, no relu, and the zero point in the middle, where both signs show.
void add_open_range(Candidates& out, const ConvCase& c) {
  if (c.bias.empty() && c.relu == Relu::off) return;
  ConvCase open = c;
  open.bias.clear();
  open.relu = Relu::off;
  out.add(open);
  open.output_zero_point = 128;
  out.add(std::move(open));
}

// Whether the case does nothing along an axis.
bool is_neutral(const ConvCase& c, std::size_t d) {
  return c.input[d] == 1 && c.kernel[d] == 1 && c.stride[d] == 1 && c.dilation[d] == 1 && c.padding[d] == 0;
}

// An axis exchanged with the next one, which is neutral: contents stay as they are, and 3-d cases become 2-d ones.
ConvCase with_axis_moved(ConvCase c, std::size_t d) {
  for (Spatial ConvCase::* const of :
       {&ConvCase::input, &ConvCase::kernel, &ConvCase::stride, &ConvCase::dilation, &ConvCase::padding}) {
    std::swap((c.*of)[d], (c.*of)[d + 1]);
  }
  return c;
}

// Neutral stride, padding and dilation, or less of them; fewer dimensions.
void add_plainer_geometry(Candidates& out, const ConvCase& c) {
  const auto with = [&](auto change) {
    ConvCase simpler = c;
    change(simpler);
    if (simpler != c) out.add(std::move(simpler));
  };
  for (std::size_t d = 0; d < 3; ++d) {
    with([d](ConvCase& s) { s.stride[d] = 1; });
    with([d](ConvCase& s) { s.dilation[d] = 1; });
    with([d](ConvCase& s) { s.padding[d] = 0; });
    with([d](ConvCase& s) { s.stride[d] = (s.stride[d] + 1) / 2; });
    with([d](ConvCase& s) { s.dilation[d] = (s.dilation[d] + 1) / 2; });
    with([d](ConvCase& s) { s.padding[d] /= 2; });
    with([d](ConvCase& s) { s.padding[d] -= s.padding[d] > 0 ? 1 : 0; });
    if (d < 2 && !is_neutral(c, d) && is_neutral(c, d + 1)) out.add(with_axis_moved(c, d));
  }
  with([](ConvCase& s) {
    if (s.dims != 2) s.dims = 2;
  });
  with([](ConvCase& s) { s.execution.threads = 1; });
  with([](ConvCase& s) { s.execution.memory_format = MemoryFormat::contiguous; });
}

// Values nearer to `calm`: all at once, then one by one: calm itself, then half of the way.
template <typename T>
void add_calmer(Candidates& out, const ConvCase& c, Contents<T> ConvCase::* which, T calm) {
  const std::vector<T>& values = (c.*which).values;
  const auto with_values = [&](std::vector<T> calmer) {
    if (calmer == values) return;
    ConvCase simpler = c;
    (simpler.*which).values = std::move(calmer);
    out.add(std::move(simpler));
  };
  with_values(std::vector<T>(values.size(), calm));
  const std::size_t n = values.size();
  // One value for all that is next to calm, where that is nearer than what is there.
  const auto distance_of = [&](std::int64_t sum, T value) { return sum + std::abs(static_cast<int>(value) - calm); };
  const auto beside = static_cast<T>(calm == std::numeric_limits<T>::max() ? calm - 1 : calm + 1);
  if (std::accumulate(values.begin(), values.end(), std::int64_t{0}, distance_of) > std::ssize(values)) {
    with_values(std::vector<T>(n, beside));
  }
  for (std::size_t piece = n / 2; piece > 1 && n / piece <= 128; piece /= 2) {
    for (std::size_t begin = 0; begin < n && !out.taken(); begin += piece) {
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = values.begin() + static_cast<std::ptrdiff_t>(std::min(n, begin + piece));
      if (std::all_of(from, to, [&](T value) { return value == calm; })) continue;
      std::vector<T> calmer = values;
      std::fill(calmer.begin() + (from - values.begin()), calmer.begin() + (to - values.begin()), calm);
      with_values(std::move(calmer));
    }
  }
  if (n > 64 || out.taken()) return;
  for (std::size_t i = 0; i < n; ++i) {
    const int distance = static_cast<int>(values[i]) - calm;
    for (int step : {distance, distance / 2, distance / 4, distance > 0 ? 1 : -1}) {
      if (distance == 0 || step == 0) continue;
      std::vector<T> calmer = values;
      calmer[i] = static_cast<T>(values[i] - step);
      with_values(std::move(calmer));
    }
  }
}

double with_digits(double value, int digits) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.*e", digits - 1, value);
  return std::strtod(text.data(), nullptr);
}

// The same number with fewer decimal digits, shortest first.
void add_shorter(std::vector<double>& found, double value) {
  for (int digits = 1; digits <= 5 && with_digits(value, digits) != value; ++digits) {
    found.push_back(with_digits(value, digits));
  }
}

// Simpler scales: 1, half of the way to 1 by its exponent, fewer digits.
std::vector<double> simpler_scales(double value) {
  std::vector<double> found;
  if (value != 1.0) found.push_back(1.0);
  const double nearer = with_digits(std::sqrt(value), 1);
  if (std::fabs(std::log2(value)) > 2 && nearer != value) found.push_back(nearer);
  add_shorter(found, value);
  return found;
}

// Simpler biases: 0, smaller ones, fewer digits.
std::vector<double> simpler_biases(double value) {
  std::vector<double> found;
  if (value == 0) return found;
  found.push_back(0);
  for (const double factor : {1e-12, 1e-6, 1e-3, 1e-2, 0.1, 0.3, 0.5}) {
    const double smaller = with_digits(value * factor, 1);
    if (std::fabs(smaller) < std::fabs(value) && (std::fabs(smaller) >= 1 || std::fabs(value) < 1)) {
      found.push_back(smaller);
    }
  }
  add_shorter(found, value);
  return found;
}

// Zero points taken into the values that they belong to, where these keep their range.
void add_zero_points_absorbed(Candidates& out, const ConvCase& c) {
  const std::int64_t xz = c.activation_zero_point;
  const auto [least, most] = std::ranges::minmax(c.activation.values);
  if (xz > 0 && least >= xz) {
    ConvCase shifted = c;
    shifted.activation_zero_point = 0;
    for (std::uint8_t& x : shifted.activation.values) x = static_cast<std::uint8_t>(x - xz);
    out.add(std::move(shifted));
  }
  const bool negatable = std::ranges::none_of(c.weight.values, [](std::int8_t w) { return w == -128; });
  if (xz > 0 && most <= xz && negatable && !has_weight_zero_point(c)) {
    ConvCase mirrored = c;
    mirrored.activation_zero_point = 0;
    for (std::uint8_t& x : mirrored.activation.values) x = static_cast<std::uint8_t>(xz - x);
    for (std::int8_t& w : mirrored.weight.values) w = static_cast<std::int8_t>(-w);
    out.add(std::move(mirrored));
  }
  if (!has_weight_zero_point(c) || c.granularity == Granularity::per_channel) return;
  const std::int64_t wz = c.weight_zero_points.front();
  const auto [lowest, highest] = std::ranges::minmax(c.weight.values);
  if (lowest - wz < -128 || highest - wz > 127) return;
  ConvCase shifted = c;
  shifted.weight_zero_points.front() = 0;
  for (std::int8_t& w : shifted.weight.values) w = static_cast<std::int8_t>(w - wz);
  out.add(std::move(shifted));
}

// Negative weights as positive ones.
void add_positive_weights(Candidates& out, const ConvCase& c) {
  const auto negate = [](std::int8_t& w) { w = static_cast<std::int8_t>(w == -128 ? 127 : -w); };
  const auto negative = [](std::int8_t w) { return w < 0; };
  const auto count = std::ranges::count_if(c.weight.values, negative);
  if (count == 0) return;
  ConvCase positive = c;
  for (std::int8_t& w : positive.weight.values) {
    if (w < 0) negate(w);
  }
  out.add(std::move(positive));
  if (count == 1 || c.weight.values.size() > 16) return;
  for (std::size_t i = 0; i < c.weight.values.size() && !out.taken(); ++i) {
    if (c.weight.values[i] >= 0) continue;
    ConvCase one = c;
    negate(one.weight.values[i]);
    out.add(std::move(one));
  }
}

// Many parameters at once, which one after the other lead through cases that do not fail: all scales 1; the same with the
// multiplier kept; without bias, relu and zero points, or with the output's zero point in the middle.
void add_plain_parameters(Candidates& out, const ConvCase& c) {
  const bool scaled = c.activation_scale != 1 || c.output_scale != 1 || c.granularity == Granularity::per_channel ||
                      c.weight_scales.front() != 1;
  if (!scaled && c.bias.empty() && c.relu == Relu::off) return;
  ConvCase plain = c;
  plain.activation_scale = plain.output_scale = 1;
  plain.granularity = Granularity::per_tensor;
  plain.weight_scales = {1};
  plain.weight_zero_points.resize(1);
  if (scaled) {
    ConvCase same_multiplier = plain;
    const double unit = c.activation_scale * c.weight_scales.front();
    same_multiplier.output_scale = c.output_scale / unit;
    for (float& bias : same_multiplier.bias) bias = static_cast<float>(static_cast<double>(bias) / unit);
    if (c.activation_scale != 1 || c.weight_scales.front() != 1) out.add(std::move(same_multiplier));
    out.add(plain);
  }
  plain.bias.clear();
  plain.relu = Relu::off;
  out.add(plain);
  plain.output_zero_point = 128;
  out.add(plain);
  plain.activation_zero_point = plain.weight_zero_points.front() = 0;
  out.add(plain);
  plain.output_zero_point = 0;
  out.add(std::move(plain));
}

void add_simpler_parameters(Candidates& out, const ConvCase& c) {
  const auto with = [&](auto change) {
    ConvCase simpler = c;
    change(simpler);
    if (simpler != c) out.add(std::move(simpler));
  };
  with([](ConvCase& s) { s.bias.clear(); });
  with([](ConvCase& s) { s.relu = Relu::off; });
  with([](ConvCase& s) {
    s.granularity = Granularity::per_tensor;
    s.weight_scales.resize(1);
    s.weight_zero_points.resize(1);
  });
  const auto calmer = [](std::int64_t value) { return value / 2; };
  for (const bool to_zero : {true, false}) {
    with([&](ConvCase& s) { s.activation_zero_point = to_zero ? 0 : calmer(s.activation_zero_point); });
    with([&](ConvCase& s) { s.output_zero_point = to_zero ? 0 : calmer(s.output_zero_point); });
    with([&](ConvCase& s) {
      for (std::int64_t& zero_point : s.weight_zero_points) zero_point = to_zero ? 0 : calmer(zero_point);
    });
  }
  for (const double scale : simpler_scales(c.activation_scale)) with([&](ConvCase& s) { s.activation_scale = scale; });
  for (const double scale : simpler_scales(c.output_scale)) with([&](ConvCase& s) { s.output_scale = scale; });
  for (std::size_t k = 0; k < c.weight_scales.size() && k < 8; ++k) {
    for (const double scale : simpler_scales(c.weight_scales[k]))
      with([&](ConvCase& s) { s.weight_scales[k] = scale; });
  }
  for (std::size_t k = 0; k < c.bias.size() && k < 8; ++k) {
    for (const double bias : simpler_biases(static_cast<double>(c.bias[k]))) {
      with([&](ConvCase& s) { s.bias[k] = static_cast<float>(bias); });
    }
  }
}

// One way to make a case simpler. base: the problem's case, contents listed.
using Pass = void (*)(Candidates& out, const ConvProblem& problem, const ConvCase& base);

constexpr std::array<Pass, 7> kPasses{
    [](Candidates& out, const ConvProblem& problem, const ConvCase&) { add_single_elements(out, problem); },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_open_range(out, base);
      add_plain_parameters(out, base);
    },
    [](Candidates& out, const ConvProblem& problem, const ConvCase&) { add_smaller_shapes(out, problem); },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) { add_plainer_geometry(out, base); },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_calmer(out, base, &ConvCase::activation, static_cast<std::uint8_t>(base.activation_zero_point));
    },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_calmer(out, base, &ConvCase::weight, std::int8_t{0});
      add_positive_weights(out, base);
    },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_zero_points_absorbed(out, base);
      add_simpler_parameters(out, base);
    }};

void visit_candidates(const ConvCase& c, Pass pass, const Candidates::Visitor& visitor) {
  const ConvProblem problem = with_contents(c);
  Candidates out(visitor);
  pass(out, problem, listed(problem));
}

}  // namespace

std::vector<ConvCase> shrink_candidates(const ConvCase& c) {
  std::vector<ConvCase> candidates;
  for (const Pass pass : kPasses) {
    visit_candidates(c, pass, [&](ConvCase&& candidate) {
      candidates.push_back(std::move(candidate));
      return false;
    });
  }
  return candidates;
}

ConvCase shrink(const ConvCase& c, const std::function<bool(const ConvCase&)>& still_fails,
                const ShrinkLimits& limits) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(limits.seconds);
  ConvCase smallest = listed(with_contents(c));
  int tries = 0;
  int steps = 0;
  std::int64_t products = 0;
  bool out_of_budget = false;
  // A pass is repeated while it gets somewhere. What failed before one of the others succeeded is tried again then.
  std::size_t in_vain = 0;  // passes, one after the other
  for (std::size_t pass = 0; in_vain < kPasses.size() && !out_of_budget;) {
    bool smaller = false;
    const ConvCase base = smallest;
    visit_candidates(base, kPasses[pass], [&](ConvCase&& candidate) {
      products += element_count(output_shape(candidate)) * reduction_length(candidate);
      out_of_budget = ++tries > limits.tries || products > limits.products || Clock::now() > deadline;
      if (out_of_budget) return true;
      if (candidate == base || !still_fails(candidate)) return false;
      smallest = std::move(candidate);
      smaller = true;
      out_of_budget = ++steps >= limits.steps;
      return true;
    });
    in_vain = smaller ? 0 : in_vain + 1;
    if (!smaller) pass = (pass + 1) % kPasses.size();
  }
  return smallest;
}

}  // namespace tieout
