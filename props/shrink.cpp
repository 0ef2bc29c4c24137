#include "props/shrink.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "cases/contents.h"
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

// Neutral stride, padding and dilation; fewer dimensions.
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
  for (std::size_t piece = n / 2; piece > 1 && n / piece <= 32; piece /= 2) {
    for (std::size_t begin = 0; begin < n && !out.taken(); begin += piece) {
      std::vector<T> calmer = values;
      std::fill(calmer.begin() + static_cast<std::ptrdiff_t>(begin),
                calmer.begin() + static_cast<std::ptrdiff_t>(std::min(n, begin + piece)), calm);
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

// The same number with fewer decimal digits, shortest first; 1 before all.
std::vector<double> shorter(double value) {
  std::vector<double> found;
  if (value != 1.0) found.push_back(1.0);
  for (int digits = 1; digits <= 5; ++digits) {
    const std::string text = [&] {
      std::array<char, 40> buffer{};
      const int length = std::snprintf(buffer.data(), buffer.size(), "%.*e", digits - 1, value);
      return std::string(buffer.data(), static_cast<std::size_t>(length));
    }();
    const double rounded = std::stod(text);
    if (rounded == value) break;
    found.push_back(rounded);
  }
  return found;
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
  for (const double scale : shorter(c.activation_scale)) with([&](ConvCase& s) { s.activation_scale = scale; });
  for (const double scale : shorter(c.output_scale)) with([&](ConvCase& s) { s.output_scale = scale; });
  for (std::size_t k = 0; k < c.weight_scales.size() && k < 8; ++k) {
    for (const double scale : shorter(c.weight_scales[k])) with([&](ConvCase& s) { s.weight_scales[k] = scale; });
  }
  for (std::size_t k = 0; k < c.bias.size() && k < 8; ++k) {
    if (c.bias[k] != 0) with([&](ConvCase& s) { s.bias[k] = 0; });
    for (const double bias : shorter(static_cast<double>(c.bias[k]))) {
      with([&](ConvCase& s) { s.bias[k] = static_cast<float>(bias); });
    }
  }
}

void visit_candidates(const ConvCase& c, const Candidates::Visitor& visitor) {
  const ConvProblem problem = with_contents(c);
  const ConvCase base = listed(problem);
  Candidates out(visitor);
  add_single_elements(out, problem);
  add_open_range(out, base);
  add_smaller_shapes(out, problem);
  add_plainer_geometry(out, base);
  add_calmer(out, base, &ConvCase::activation, static_cast<std::uint8_t>(base.activation_zero_point));
  add_calmer(out, base, &ConvCase::weight, std::int8_t{0});
  add_simpler_parameters(out, base);
}

}  // namespace

std::vector<ConvCase> shrink_candidates(const ConvCase& c) {
  std::vector<ConvCase> candidates;
  visit_candidates(c, [&](ConvCase&& candidate) {
    candidates.push_back(std::move(candidate));
    return false;
  });
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
  for (bool smaller = true; smaller && !out_of_budget;) {
    smaller = false;
    const ConvCase base = smallest;
    visit_candidates(base, [&](ConvCase&& candidate) {
      products += element_count(output_shape(candidate)) * reduction_length(candidate);
      out_of_budget = ++tries > limits.tries || products > limits.products || Clock::now() > deadline;
      if (out_of_budget) return true;
      if (candidate == base || !still_fails(candidate)) return false;
      smallest = std::move(candidate);
      smaller = true;
      out_of_budget = ++steps >= limits.steps;
      return true;
    });
  }
  return smallest;
}

}  // namespace tieout
