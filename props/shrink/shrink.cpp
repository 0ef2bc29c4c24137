#include "props/shrink/shrink.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <utility>

#include "cases/case_predicates.h"
#include "cases/contents.h"
#include "cases/text/case_cost.h"
#include "cases/validate.h"
#include "kernels/conv_relu.h"
#include "props/shrink/sub_case.h"

namespace tieout {
namespace {

// Passes candidates to a visitor until it takes one. Invalid candidates are dropped.
class Candidates {
 public:
  // Returns true if it takes the candidate and wants no more.
  using Visitor = std::function<bool(ConvCase&&)>;

  explicit Candidates(Visitor visitor) : visitor_(std::move(visitor)) {}

  void add(ConvCase c) {
    if (!taken_ && validate(c)) taken_ = visitor_(std::move(c));
  }
  [[nodiscard]] bool taken() const { return taken_; }

 private:
  Visitor visitor_;
  bool taken_ = false;
};

// Returns parts of a list, all shorter than the list. First come runs of 16, 32 and 64 indices, because many kernels
// take only such numbers of channels and halving 48 or 80 never gives them; then the halves of the list, its quarters,
// and so on; last the list without each single index (in long lists: without each short run).
std::vector<Indices> parts(const Indices& whole) {
  std::vector<Indices> found;
  const std::size_t n = whole.size();
  if (n < 2) return found;
  const auto iterator_at = [&](std::size_t i) { return whole.begin() + static_cast<std::ptrdiff_t>(std::min(n, i)); };
  for (const std::size_t run : {16U, 32U, 64U}) {
    if (run >= n) continue;
    for (std::size_t begin = 0; begin + run <= n && begin < 4 * run; begin += run) {
      found.emplace_back(iterator_at(begin), iterator_at(begin + run));
    }
  }
  const std::size_t most = found.size() + 24;
  for (std::size_t piece = (n + 1) / 2; piece >= 1 && found.size() < most; piece /= 2) {
    for (std::size_t begin = 0; begin < n && found.size() < most; begin += piece) {
      if (piece * 2 >= n) found.emplace_back(iterator_at(begin), iterator_at(begin + piece));
      Indices rest(whole.begin(), iterator_at(begin));
      rest.insert(rest.end(), iterator_at(begin + piece), whole.end());
      if (!rest.empty()) found.push_back(std::move(rest));
    }
  }
  return found;
}

// Adds cases with one output element: the input that its window sees, padding included, with stride, padding and
// dilation removed. All channels and groups come first: this finds the position in few tries, and some code paths exist
// only for many channels. Then follows one output channel at a time.
void add_single_elements(Candidates& out, const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const Spatial size = output_size(c);
  const std::int64_t positions = c.batch * volume(size);
  if (positions * c.out_channels <= 1) return;
  const std::int64_t step = std::max<std::int64_t>(1, positions / 64);
  for (const bool whole_channels : {true, false}) {
    for (std::int64_t position = 0; position < positions; position += step) {
      Selection kept = select_all(c);
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
        ConvCase part = sub_case(problem, selection);
        part.stride = part.dilation = {1, 1, 1};
        part.padding = part.extra_end_padding = {0, 0, 0};
        out.add(std::move(part));
      };
      if (whole_channels) {
        alone(kept);
        continue;
      }
      const std::int64_t channels = std::min<std::int64_t>(c.out_channels, std::max<std::int64_t>(1, 64 / positions));
      for (std::int64_t k = 0; k < channels; ++k) {
        kept.groups = {k / (c.out_channels / c.groups)};
        kept.group_outputs = {k % (c.out_channels / c.groups)};
        alone(kept);
      }
    }
  }
}

// Adds the part as it is, and with an output scale and bias that shrink with its sums: fewer products make smaller
// sums, and a difference that needs a value between the clamps would be lost.
void add_part(Candidates& out, const ConvProblem& problem, const Selection& kept) {
  if (out.taken()) return;
  ConvCase part = sub_case(problem, kept);
  const auto products = static_cast<double>(reduction_length(part));
  const double ratio = products / static_cast<double>(reduction_length(problem.spec));
  out.add(part);
  if (ratio >= 1 || out.taken()) return;
  part.output_scale *= ratio;
  for (float& bias : part.bias) bias = static_cast<float>(static_cast<double>(bias) * ratio);
  out.add(std::move(part));
}

// Adds cases that are smaller along one dimension.
void add_smaller_shapes(Candidates& out, const ConvProblem& problem) {
  const Selection whole = select_all(problem.spec);
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
    // If the input is just the window, a tap and its column are removed together.
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

void clear_bias(ConvCase& c) {
  c.bias.clear();
  c.int32_bias.clear();
}

// Adds cases without the parameters that hide differences: no bias, no relu, and the zero point in the middle, where
// both signs show.
void add_open_range(Candidates& out, const ConvCase& c) {
  if (!has_bias(c) && c.relu == Relu::off) return;
  ConvCase open = c;
  clear_bias(open);
  open.relu = Relu::off;
  out.add(open);
  open.output_zero_point = 128;
  out.add(std::move(open));
}

// True if the axis has no effect in the case.
bool is_neutral(const ConvCase& c, std::size_t d) {
  return c.input[d] == 1 && c.kernel[d] == 1 && c.stride[d] == 1 && c.dilation[d] == 1 && c.padding[d] == 0 &&
         c.extra_end_padding[d] == 0;
}

// Returns the case with an axis exchanged with the next one, which is neutral: contents stay as they are, and 3-d cases
// become 2-d ones.
ConvCase with_axis_moved(ConvCase c, std::size_t d) {
  for (Spatial ConvCase::* const of : {&ConvCase::input, &ConvCase::kernel, &ConvCase::stride, &ConvCase::dilation,
                                       &ConvCase::padding, &ConvCase::extra_end_padding}) {
    std::swap((c.*of)[d], (c.*of)[d + 1]);
  }
  return c;
}

// Adds cases with neutral or smaller stride, padding and dilation, and with fewer dimensions.
void add_plainer_geometry(Candidates& out, const ConvCase& c) {
  const auto with = [&](auto change) {
    ConvCase simpler = c;
    change(simpler);
    if (simpler != c) out.add(std::move(simpler));
  };
  for (std::size_t d = 0; d < 3; ++d) {
    with([d](ConvCase& s) { s.stride[d] = 1; });
    with([d](ConvCase& s) { s.dilation[d] = 1; });
    with([d](ConvCase& s) { s.extra_end_padding[d] = 0; });
    with([d](ConvCase& s) { s.padding[d] = s.extra_end_padding[d] = 0; });
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

// Returns the positions of the values that are not `target`.
template <typename T>
std::vector<std::size_t> positions_of_others(const std::vector<T>& values, T target) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != target) positions.push_back(i);
  }
  return positions;
}

// Adds lists with fewer values that are not `target`: first none; then only a half of them, a quarter, ...; then all
// but a half, a quarter, ... Pieces are counted among the values that are not `target`, so that they become single
// values in the end, however long the list is. with_values: called for each list. done: true if no more are wanted.
template <typename T, typename WithValues, typename Done>
void add_fewer_values(const std::vector<T>& values, T target, const WithValues& with_values, const Done& done) {
  const std::vector<std::size_t> others = positions_of_others(values, target);
  const std::size_t n = others.size();
  if (n == 0) return;
  const std::vector<T> all_target(values.size(), target);
  with_values(all_target);
  // Adds the pieces of one size. kept: only that piece is kept; otherwise all but that piece.
  const auto add_pieces = [&](std::size_t piece, bool kept) {
    for (std::size_t begin = 0; begin < n && !done(); begin += piece) {
      std::vector<T> fewer = kept ? all_target : values;
      for (std::size_t i = begin; i < std::min(n, begin + piece); ++i) {
        fewer[others[i]] = kept ? values[others[i]] : target;
      }
      with_values(std::move(fewer));
    }
  };
  for (std::size_t piece = n / 2; piece >= 1 && n / piece <= 16 && !done(); piece /= 2) add_pieces(piece, true);
  for (std::size_t piece = n / 2; piece >= 1 && n / piece <= 128 && !done(); piece /= 2) add_pieces(piece, false);
}

// Adds contents nearer to `target`: fewer values that differ from it, and then, if these are few, each of them nearer.
template <typename T>
void add_values_toward(Candidates& out, const ConvCase& c, Contents<T> ConvCase::* which, T target) {
  const std::vector<T>& values = (c.*which).values;
  const auto with_values = [&](std::vector<T> nearer) {
    if (nearer == values) return;
    ConvCase simpler = c;
    (simpler.*which).values = std::move(nearer);
    out.add(std::move(simpler));
  };
  // One value beside `target` for all, or for all that differ, is a candidate if it is nearer than the present values.
  const auto distance_of = [&](std::int64_t sum, T value) { return sum + std::abs(static_cast<int>(value) - target); };
  const std::int64_t distances = std::accumulate(values.begin(), values.end(), std::int64_t{0}, distance_of);
  const auto beside = static_cast<T>(target == std::numeric_limits<T>::max() ? target - 1 : target + 1);
  const std::vector<std::size_t> others = positions_of_others(values, target);
  if (distances > std::ssize(others)) {
    std::vector<T> small = values;
    for (const std::size_t i : others) small[i] = beside;
    with_values(std::move(small));
  }
  // Two values that cancel each other need one another only if a clamp is near.
  const bool recentred = others.size() <= 16 && c.output_zero_point != 128;
  const auto with_fewer = [&](std::vector<T> fewer) {
    with_values(fewer);
    if (!recentred) return;
    ConvCase simpler = c;
    (simpler.*which).values = std::move(fewer);
    simpler.output_zero_point = 128;
    out.add(std::move(simpler));
  };
  add_fewer_values(values, target, with_fewer, [&] { return out.taken(); });
  if (distances > std::ssize(values)) with_values(std::vector<T>(values.size(), beside));
  if (others.size() > 64) return;
  for (const std::size_t i : others) {
    if (out.taken()) return;
    const int distance = static_cast<int>(values[i]) - target;
    for (int step : {distance, distance / 2, distance / 4, distance > 0 ? 1 : -1}) {
      if (step == 0) continue;
      std::vector<T> nearer = values;
      nearer[i] = static_cast<T>(values[i] - step);
      with_values(std::move(nearer));
    }
  }
}

double weight_scale_of(const ConvCase& c, std::size_t channel) {
  return c.weight_scales[c.granularity == Granularity::per_channel ? channel : 0];
}

// Returns the case with all scales 1 and, in each channel where the bias in units of the output scale is next to a tie
// such as 2.5, with that tie as the bias: adding the sum to the bias in float may have missed the tie. Returns the case
// as it is if there is no such channel.
ConvCase with_exact_ties(const ConvCase& c) {
  ConvCase ties = c;
  bool found = false;
  for (float& bias : ties.bias) {
    const double value = static_cast<double>(bias) / c.output_scale;
    const double tie = std::floor(value) + 0.5;
    const bool near = std::fabs(value) < 1000 && std::fabs(value - tie) < 1e-3;
    bias = static_cast<float>(near ? tie : value);
    found = found || near;
  }
  if (!found) return c;
  ties.activation_scale = ties.output_scale = 1;
  std::ranges::fill(ties.weight_scales, 1.0);
  return ties;
}

// Adds cases without products: the sums of one position are moved into the bias, so that the values before rounding
// stay. A fault after the sums, in the rounding for example, needs no contents, so that the input may be as small as
// the window allows. Some subjects take 16 channels or none.
void add_sums_in_bias(Candidates& out, const ConvProblem& problem, const ConvCase& base) {
  const auto zero_point = static_cast<std::uint8_t>(base.activation_zero_point);
  // A kernel that takes an int32 bias takes no float bias.
  if (needs_direct_call(base) || positions_of_others(base.activation.values, zero_point).empty()) return;
  ConvProblem folded = problem;
  folded.spec.bias.resize(static_cast<std::size_t>(base.out_channels), 0);
  std::ranges::fill(folded.activation, zero_point);
  std::ranges::fill(folded.weight, std::int8_t{0});
  const Selection whole = select_all(base);
  Selection kept = whole;
  kept.batch = {0};
  for (std::size_t d = 0; d < 3; ++d) {
    const std::int64_t window = (base.kernel[d] - 1) * base.dilation[d] + 1;
    const auto least =
        std::clamp<std::int64_t>(window - 2 * base.padding[d] - base.extra_end_padding[d], 1, base.input[d]);
    kept.input[d].resize(static_cast<std::size_t>(least));
  }
  const std::int64_t volume_of_output = volume(output_size(base));
  const std::int64_t positions = base.batch * volume_of_output;
  const std::int64_t step = std::max<std::int64_t>(1, positions / 8);
  for (std::int64_t position = 0; position < positions && !out.taken(); position += step) {
    for (std::int64_t k = 0; k < base.out_channels; ++k) {
      const std::int64_t offset =
          (position / volume_of_output * base.out_channels + k) * volume_of_output + position % volume_of_output;
      const auto channel = static_cast<std::size_t>(k);
      const double sum = conv_relu_trace(problem, {}, offset).accumulator;
      const double bias = base.bias.empty() ? 0 : static_cast<double>(base.bias[channel]);
      folded.spec.bias[channel] =
          static_cast<float>(bias + sum * base.activation_scale * weight_scale_of(base, channel));
    }
    const ConvCase at_ties = with_exact_ties(folded.spec);
    for (const std::size_t inputs : {std::size_t{1}, std::size_t{16}, whole.group_inputs.size()}) {
      if (inputs > whole.group_inputs.size()) continue;
      kept.group_inputs = whole.group_inputs;
      kept.group_inputs.resize(inputs);
      out.add(sub_case(folded, kept));
      if (at_ties != folded.spec) {
        out.add(sub_case({.spec = at_ties, .activation = folded.activation, .weight = folded.weight}, kept));
      }
      if (inputs == whole.group_inputs.size()) break;
    }
    if (position == 0) out.add(listed(folded));
  }
}

double with_digits(double value, int digits) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.*e", digits - 1, value);
  return std::strtod(text.data(), nullptr);
}

// Appends the same number with fewer decimal digits, shortest first.
void add_shorter(std::vector<double>& found, double value) {
  for (int digits = 1; digits <= 5 && with_digits(value, digits) != value; ++digits) {
    found.push_back(with_digits(value, digits));
  }
}

// Returns simpler scales: 1, a scale with half the exponent, fewer digits.
std::vector<double> simpler_scales(double value) {
  std::vector<double> found;
  if (value != 1.0) found.push_back(1.0);
  const double nearer = with_digits(std::sqrt(value), 1);
  if (std::fabs(std::log2(value)) > 2 && nearer != value) found.push_back(nearer);
  add_shorter(found, value);
  return found;
}

// Returns simpler biases: 0, smaller ones, fewer digits.
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

// Returns simpler int32 biases: 0, 1 and smaller ones.
std::vector<double> simpler_integers(double value) {
  std::vector<double> found;
  if (value == 0) return found;
  found.push_back(0);
  for (const double factor : {0.0, 1e-6, 1e-3, 1e-2, 0.1, 0.5}) {
    const double smaller = std::trunc(value * factor) + (factor == 0 ? std::copysign(1.0, value) : 0.0);
    if (std::fabs(smaller) < std::fabs(value) && smaller != 0) found.push_back(smaller);
  }
  return found;
}

// Adds cases in which a zero point is subtracted from its values and becomes 0 (as the type stores it), if the values
// stay in their range.
void add_zero_points_absorbed(Candidates& out, const ConvCase& c) {
  const std::int64_t xz = c.activation_zero_point;
  const std::int64_t zero = stored_shift(c.activation_type);
  const auto [least, most] = std::ranges::minmax(c.activation.values);
  if (xz != zero && least - xz + zero >= 0 && most - xz + zero <= 255) {
    ConvCase shifted = c;
    shifted.activation_zero_point = zero;
    for (std::uint8_t& x : shifted.activation.values) x = static_cast<std::uint8_t>(x - xz + zero);
    out.add(std::move(shifted));
  }
  const bool negatable = std::ranges::none_of(c.weight.values, [](std::int8_t w) { return w == -128; });
  const bool mirrors = xz != zero && xz + zero - most >= 0 && xz + zero - least <= 255;
  if (mirrors && negatable && !has_weight_zero_point(c)) {
    ConvCase mirrored = c;
    mirrored.activation_zero_point = zero;
    for (std::uint8_t& x : mirrored.activation.values) x = static_cast<std::uint8_t>(xz - x + zero);
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

// Adds cases with negative weights made positive.
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

bool all_scales_are_one(const ConvCase& c) {
  return c.activation_scale == 1 && c.output_scale == 1 && positions_of_others(c.weight_scales, 1.0).empty();
}

// Adds cases with all scales 1, or all but the output scale, which then keeps the multiplier of one channel or is the
// power of two next to it (sums divided by a power of two make exact ties). The bias changes with the scales, so that
// its effect on the result stays.
void add_plain_scales(Candidates& out, const ConvCase& plain, const ConvCase& c) {
  const auto with_output_scale = [&](double scale) {
    ConvCase scaled = plain;
    scaled.output_scale = scale;
    for (float& bias : scaled.bias) bias = static_cast<float>(static_cast<double>(bias) / c.output_scale * scale);
    out.add(std::move(scaled));
  };
  std::vector<double> units;
  for (const double weight_scale : c.weight_scales) {
    const double unit = c.activation_scale * weight_scale;
    if (units.size() < 8 && std::ranges::find(units, unit) == units.end()) units.push_back(unit);
  }
  for (const double unit : units) {
    const double same = c.output_scale / unit;
    const double power_of_two = std::exp2(std::round(std::log2(same)));
    if (unit != 1) with_output_scale(same);
    if (power_of_two != same) with_output_scale(power_of_two);
  }
  if (c.output_scale != 1 && !c.bias.empty()) with_output_scale(1);
}

// Adds cases with many parameters changed at once, because changing them one by one leads through cases that do not
// fail: plain scales; then also no bias, relu and zero points, or the output's zero point in the middle. Some subjects
// take one granularity only.
void add_plain_parameters(Candidates& out, const ConvCase& c) {
  const bool per_channel = c.granularity == Granularity::per_channel;
  for (const bool whole_tensor : {true, false}) {
    if (!whole_tensor && !per_channel) continue;
    const bool scaled = !all_scales_are_one(c) || (whole_tensor && per_channel);
    if (!scaled && !has_bias(c) && c.relu == Relu::off) continue;
    ConvCase plain = c;
    plain.activation_scale = plain.output_scale = 1;
    if (whole_tensor) {
      plain.granularity = Granularity::per_tensor;
      plain.weight_scales.resize(1);
      plain.weight_zero_points.resize(1);
    }
    std::ranges::fill(plain.weight_scales, 1.0);
    if (scaled) {
      add_plain_scales(out, plain, c);
      out.add(plain);
    }
    clear_bias(plain);
    plain.relu = Relu::off;
    out.add(plain);
    if (c.output_type != OutputType::int32) plain.output_zero_point = 128;
    out.add(plain);
    plain.activation_zero_point = stored_shift(c.activation_type);
    std::ranges::fill(plain.weight_zero_points, 0);
    out.add(plain);
    plain.output_zero_point = stored_shift(c.output_type);
    out.add(std::move(plain));
  }
}

// A small output scale leaves hardly any sum between the clamps, so that few products can be removed. For a single
// result, this adds cases whose output scale is a power of two that brings the sum between them. It is done only while
// the output scale is below xs * ws, so that it happens once.
void add_sum_in_range(Candidates& out, const ConvProblem& problem, const ConvCase& base) {
  if (element_count(output_shape(base)) != 1) return;
  if (base.output_scale >= base.activation_scale * base.weight_scales.front()) return;
  const double sum = std::fabs(static_cast<double>(conv_relu_trace(problem, {}, 0).accumulator));
  for (const double most : {120.0, 30.0}) {
    ConvCase plain = base;
    plain.activation_scale = plain.weight_scales.front() = 1;
    plain.output_scale = std::exp2(std::max(0.0, std::ceil(std::log2(sum / most))));
    clear_bias(plain);
    plain.relu = Relu::off;
    plain.output_zero_point = 128;
    out.add(std::move(plain));
  }
}

// Adds, for cases whose bias alone makes the result, the first ties in every channel. A subject that does not round
// ties to even fails on one of them, and each is easy to check by hand.
void add_ties_of_bias(Candidates& out, const ConvCase& c) {
  const auto zero_point = static_cast<std::uint8_t>(c.activation_zero_point);
  if (c.bias.empty() || !positions_of_others(c.activation.values, zero_point).empty()) return;
  // Small biases are left to add_simpler_lists(), so that its simplifications of a tie do not become ties again.
  constexpr std::array<float, 4> kTies{0.5F, 1.5F, 2.5F, -0.5F};
  if (all_scales_are_one(c) && std::ranges::none_of(c.bias, [](float bias) { return std::fabs(bias) > 2.5F; })) return;
  for (const float tie : kTies) {
    ConvCase simple = c;
    simple.activation_scale = simple.output_scale = 1;
    std::ranges::fill(simple.weight_scales, 1.0);
    std::ranges::fill(simple.bias, tie);
    out.add(std::move(simple));
  }
}

// Simplifies the lists of weight scales and biases: fewer values that are not 1 or 0, all values alike, then the first
// few of the others one by one.
void add_simpler_lists(Candidates& out, const ConvCase& c) {
  const auto add_list = [&](auto ConvCase::* list, auto target, const auto& simpler_values) {
    const auto& values = c.*list;
    const auto with_values = [&](auto changed) {
      if (changed == values) return;
      ConvCase simpler = c;
      simpler.*list = std::move(changed);
      out.add(std::move(simpler));
    };
    const std::vector<std::size_t> others = positions_of_others(values, target);
    const bool alike = std::ranges::count(values, values.empty() ? target : values.front()) == std::ssize(values);
    add_fewer_values(values, target, with_values, [&] { return out.taken(); });
    for (std::size_t i = 0; i < others.size() && i < 8 && !out.taken(); ++i) {
      const auto value = values[others[i]];
      // A list of one repeated value is the simplest after a list of targets; it is left only for fewer values or a
      // simpler one.
      if (!alike && others.size() == values.size()) with_values(std::decay_t<decltype(values)>(values.size(), value));
      for (const double simpler : simpler_values(static_cast<double>(value))) {
        auto changed = values;
        for (std::size_t k = 0; k < changed.size(); ++k) {
          if (alike || k == others[i]) changed[k] = static_cast<decltype(target)>(simpler);
        }
        with_values(std::move(changed));
      }
      if (alike) return;
    }
  };
  add_list(&ConvCase::weight_scales, 1.0, simpler_scales);
  add_list(&ConvCase::bias, 0.0F, simpler_biases);
  add_list(&ConvCase::int32_bias, std::int32_t{0}, simpler_integers);
}

void add_simpler_parameters(Candidates& out, const ConvCase& c) {
  const auto with = [&](auto change) {
    ConvCase simpler = c;
    change(simpler);
    if (simpler != c) out.add(std::move(simpler));
  };
  with([](ConvCase& s) { clear_bias(s); });
  with([](ConvCase& s) {
    if (!needs_direct_call(s)) s.execution.engine = Engine::fbgemm;
  });
  with([](ConvCase& s) { s.relu = Relu::off; });
  with([](ConvCase& s) {
    s.granularity = Granularity::per_tensor;
    s.weight_scales.resize(1);
    s.weight_zero_points.resize(1);
  });
  const auto nearer = [](std::int64_t value) { return value / 2; };
  for (const bool to_zero : {true, false}) {
    // Toward 0 as the type stores it.
    const auto simplify = [&](std::int64_t& zero_point, int shift) {
      zero_point = (to_zero ? 0 : nearer(zero_point - shift)) + shift;
    };
    with([&](ConvCase& s) { simplify(s.activation_zero_point, stored_shift(s.activation_type)); });
    with([&](ConvCase& s) { simplify(s.output_zero_point, stored_shift(s.output_type)); });
    with([&](ConvCase& s) {
      for (std::int64_t& zero_point : s.weight_zero_points) zero_point = to_zero ? 0 : nearer(zero_point);
    });
  }
  for (const double scale : simpler_scales(c.activation_scale)) with([&](ConvCase& s) { s.activation_scale = scale; });
  for (const double scale : simpler_scales(c.output_scale)) with([&](ConvCase& s) { s.output_scale = scale; });
  add_simpler_lists(out, c);
}

// Adds candidates of one kind. base: the problem's case, with contents listed.
using Pass = void (*)(Candidates& out, const ConvProblem& problem, const ConvCase& base);

constexpr std::array<Pass, 7> kPasses{
    [](Candidates& out, const ConvProblem& problem, const ConvCase&) { add_single_elements(out, problem); },
    [](Candidates& out, const ConvProblem& problem, const ConvCase& base) {
      add_open_range(out, base);
      add_sums_in_bias(out, problem, base);
      add_plain_parameters(out, base);
      add_sum_in_range(out, problem, base);
      add_ties_of_bias(out, base);
    },
    [](Candidates& out, const ConvProblem& problem, const ConvCase&) { add_smaller_shapes(out, problem); },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) { add_plainer_geometry(out, base); },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_values_toward(out, base, &ConvCase::activation, static_cast<std::uint8_t>(base.activation_zero_point));
    },
    [](Candidates& out, const ConvProblem&, const ConvCase& base) {
      add_values_toward(out, base, &ConvCase::weight, std::int8_t{0});
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
  // A pass is repeated while it succeeds. Candidates that failed are tried again after another pass succeeded.
  // Number of consecutive passes without success.
  std::size_t failed_passes = 0;
  for (std::size_t pass = 0; failed_passes < kPasses.size() && !out_of_budget;) {
    bool smaller = false;
    const ConvCase base = smallest;
    visit_candidates(base, kPasses[pass], [&](ConvCase&& candidate) {
      products += product_count(candidate);
      out_of_budget = ++tries > limits.tries || products > limits.products || Clock::now() > deadline;
      if (out_of_budget) return true;
      if (candidate == base || !still_fails(candidate)) return false;
      smallest = std::move(candidate);
      smaller = true;
      out_of_budget = ++steps >= limits.steps;
      return true;
    });
    failed_passes = smaller ? 0 : failed_passes + 1;
    if (!smaller) pass = (pass + 1) % kPasses.size();
  }
  return smallest;
}

}  // namespace tieout
