#include "props/diagnose/kernel_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

namespace tieout {
namespace {

bool is_of_window(Slot slot) {
  return slot <= Slot::weight_difference || slot == Slot::layout || slot == Slot::inside || slot == Slot::in_plane ||
         slot == Slot::times || slot == Slot::accumulator;
}

// Returns the offset of an element in NCHW.
std::int64_t offset_of(const ConvCase& c, const ElementIndex& e, std::int64_t position) {
  return (e.image * c.out_channels + e.k) * volume(output_size(c)) + position;
}

// Whether the accumulator can be computed from the exact sums of a window.
bool is_of_sums(const Accumulator& a) {
  using Kind = Accumulator::Kind;
  return a.factors == Accumulator::Factors::plain &&
         (a.kind == Kind::wraps || a.kind == Kind::saturates || a.kind == Kind::raw_float32 || a.kind == Kind::exact);
}

}  // namespace

bool loops_over_window(const Edit& edit) {
  return is_of_window(edit.slot) && (edit.slot != Slot::accumulator || !is_of_sums(edit.accumulator));
}

namespace {

void set_axes(Variables& v, Variable first, const Spatial& extents) {
  for (std::size_t d = 0; d < 3; ++d) v[static_cast<std::size_t>(first) + d] = extents[d];
}

Variables variables_of(const ConvCase& c) {
  using V = Variable;
  Variables v{};
  at(v, V::dims) = c.dims;
  at(v, V::batch) = c.batch;
  at(v, V::in_channels) = c.in_channels;
  at(v, V::out_channels) = c.out_channels;
  at(v, V::groups) = c.groups;
  at(v, V::group_inputs) = c.in_channels / c.groups;
  at(v, V::group_outputs) = c.out_channels / c.groups;
  set_axes(v, V::input_d, c.input);
  set_axes(v, V::kernel_d, c.kernel);
  set_axes(v, V::stride_d, c.stride);
  set_axes(v, V::padding_d, c.padding);
  set_axes(v, V::dilation_d, c.dilation);
  const Spatial size = output_size(c);
  set_axes(v, V::output_d, size);
  at(v, V::taps) = volume(c.kernel);
  at(v, V::length) = reduction_length(c);
  at(v, V::positions) = volume(size);
  at(v, V::per_channel) = c.granularity == Granularity::per_channel ? 1 : 0;
  at(v, V::has_bias) = has_bias(c) ? 1 : 0;
  at(v, V::relu) = c.relu == Relu::on ? 1 : 0;
  at(v, V::xz) = stored_activation_zero_point(c);
  at(v, V::oz) = stored_output_zero_point(c);
  return v;
}

// Returns the sums of all windows of a problem by plain loops, with activations as they are stored.
std::vector<WindowSums> exact_sums(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  const Spatial size = output_size(c);
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t outputs = c.out_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t shift = stored_shift(c.activation_type);
  std::vector<WindowSums> all(static_cast<std::size_t>(element_count(output_shape(c))));
  std::size_t at = 0;
  for (std::int64_t n = 0; n < c.batch; ++n) {
    for (std::int64_t k = 0; k < c.out_channels; ++k) {
      const std::int8_t* const weights = problem.weight.data() + k * channels * taps;
      const std::uint8_t* const image =
          problem.activation.data() + (n * c.in_channels + k / outputs * channels) * volume(c.input);
      for (Spatial o{}; o[0] < size[0]; ++o[0]) {
        for (o[1] = 0; o[1] < size[1]; ++o[1]) {
          for (o[2] = 0; o[2] < size[2]; ++o[2], ++at) {
            WindowSums sums;
            for (std::int64_t i = 0; i < channels; ++i) {
              const std::int8_t* w = weights + i * taps;
              const std::uint8_t* const plane = image + i * volume(c.input);
              for (std::int64_t kd = 0; kd < c.kernel[0]; ++kd) {
                const std::int64_t d = o[0] * c.stride[0] + kd * c.dilation[0] - c.padding[0];
                for (std::int64_t kh = 0; kh < c.kernel[1]; ++kh) {
                  const std::int64_t h = o[1] * c.stride[1] + kh * c.dilation[1] - c.padding[1];
                  const bool row = 0 <= d && d < c.input[0] && 0 <= h && h < c.input[1];
                  for (std::int64_t kw = 0; kw < c.kernel[2]; ++kw, ++w) {
                    const std::int64_t p = o[2] * c.stride[2] + kw * c.dilation[2] - c.padding[2];
                    const bool inside = row && 0 <= p && p < c.input[2];
                    const std::int64_t x =
                        (inside ? plane[(d * c.input[1] + h) * c.input[2] + p] : c.activation_zero_point) - shift;
                    sums.products += x * *w;
                    sums.x += x;
                    sums.w += *w;
                  }
                }
              }
            }
            sums.count = channels * taps;
            all[at] = sums;
          }
        }
      }
    }
  }
  return all;
}

ElementIndex element_index(const ConvCase& c, std::int64_t offset) {
  const Spatial size = output_size(c);
  const std::int64_t w = offset % size[2];
  const std::int64_t rows = offset / size[2];
  const std::int64_t planes = rows / size[1];
  const std::int64_t channels = planes / size[0];
  return {
      .image = channels / c.out_channels, .k = channels % c.out_channels, .o = {planes % size[0], rows % size[1], w}};
}

// Returns, for each output position of an axis, the number of taps that lie in the input.
std::vector<std::int64_t> taps_inside(const ConvCase& c, std::size_t axis) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(output_size(c)[axis]));
  for (std::size_t o = 0; o < counts.size(); ++o) {
    for (std::int64_t t = 0; t < c.kernel[axis]; ++t) {
      const std::int64_t at = static_cast<std::int64_t>(o) * c.stride[axis] + t * c.dilation[axis] - c.padding[axis];
      counts[o] += 0 <= at && at < c.input[axis] ? 1 : 0;
    }
  }
  return counts;
}

// Returns the offset in NCHW of the element that a kernel which writes NHWC puts at an offset.
std::int64_t element_written_at(const ConvCase& c, std::int64_t offset) {
  const std::int64_t positions = volume(output_size(c));
  const std::int64_t of_image = positions * c.out_channels;
  const std::int64_t rest = offset % of_image;
  return offset - rest + rest % c.out_channels * positions + rest / c.out_channels;
}

}  // namespace

ModelProblem::ModelProblem(ConvProblem problem)
    : problem_(std::move(problem)),
      elements_(element_count(output_shape(problem_.spec))),
      of_case_(variables_of(problem_.spec)),
      taps_inside_{taps_inside(problem_.spec, 0), taps_inside(problem_.spec, 1), taps_inside(problem_.spec, 2)} {}

const std::vector<WindowSums>& ModelProblem::sums() const {
  if (sums_.empty()) sums_ = exact_sums(problem_);
  return sums_;
}

const std::vector<std::int64_t>& ModelProblem::weight_sums() const {
  if (weight_sums_.empty()) {
    const std::int64_t length = reduction_length(problem_.spec);
    weight_sums_.resize(static_cast<std::size_t>(problem_.spec.out_channels));
    for (std::size_t i = 0; i < problem_.weight.size(); ++i) {
      weight_sums_[i / static_cast<std::size_t>(length)] += problem_.weight[i];
    }
  }
  return weight_sums_;
}

Variables ModelProblem::variables(std::int64_t offset) const {
  using V = Variable;
  Variables v = of_case_;
  const ElementIndex e = element_index(problem_.spec, offset);
  at(v, V::image) = e.image;
  at(v, V::k) = e.k;
  at(v, V::wz) = weight_zero_point(problem_.spec, e.k);
  at(v, V::od) = e.o[0];
  at(v, V::oh) = e.o[1];
  at(v, V::ow) = e.o[2];
  at(v, V::position) = offset % at(v, V::positions);
  at(v, V::inside) = 1;
  for (std::size_t d = 0; d < 3; ++d) at(v, V::inside) *= taps_inside_[d][static_cast<std::size_t>(e.o[d])];
  return v;
}

RequantizationInput ModelProblem::requantization_input(std::int64_t offset) const {
  const KernelModel contract;
  const auto in = KernelRun(contract, *this).input(offset);
  if (!in) std::abort();  // this cannot happen: without edits, nothing outside of a buffer is read
  return *in;
}

void set_requantization_variables(Variables& v, const RequantizationInput& in) {
  at(v, Variable::scaled_is_negative) = scaled_value({}, in) < 0 ? 1 : 0;
  at(v, Variable::sum_is_negative) = in.raw < 0 ? 1 : 0;
  at(v, Variable::bias_is_negative) = in.bias < 0 || in.int32_bias < 0 ? 1 : 0;
  at(v, Variable::scaled_exponent) = scaled_exponent(in);
  at(v, Variable::multiplier_exponent) = multiplier_exponent(in);
}

KernelRun::KernelRun(const KernelModel& model, const ModelProblem& problem) : model_(model), p_(problem) {}

const Edit* KernelRun::edit_of(Slot slot, int axis) const {
  if (edit_of(slot) == nullptr) return nullptr;
  for (const Edit* edit : active_) {
    if (edit->slot == slot && (edit->axis < 0 || edit->axis == axis)) return edit;
  }
  return nullptr;
}

std::int64_t KernelRun::value_of(Slot slot, std::int64_t usual) {
  const Edit* const edit = edit_of(slot);
  if (edit == nullptr) return usual;
  at(v_, Variable::value) = usual;
  return edit->formula.evaluate(v_);
}

std::int64_t KernelRun::value_of(Slot slot, std::int64_t usual, int axis) {
  const Edit* const edit = edit_of(slot, axis);
  if (edit == nullptr) return usual;
  at(v_, Variable::value) = usual;
  return edit->formula.evaluate(v_);
}

void KernelRun::find_positions(const ElementIndex& e) {
  using V = Variable;
  const ConvCase& c = p_.problem().spec;
  const Spatial size = output_size(c);
  for (int d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::size_t>(d);
    const std::size_t other = d == 1 ? 2 : 1;
    positions_[axis].clear();
    inside_[axis].clear();
    at(v_, V::axis) = d;
    at(v_, V::o) = e.o[axis];
    at(v_, V::stride) = c.stride[axis];
    at(v_, V::dilation) = c.dilation[axis];
    at(v_, V::padding) = c.padding[axis];
    at(v_, V::input) = c.input[axis];
    at(v_, V::kernel) = c.kernel[axis];
    at(v_, V::output) = size[axis];
    at(v_, V::other_stride) = c.stride[other];
    at(v_, V::other_dilation) = c.dilation[other];
    at(v_, V::other_padding) = c.padding[other];
    std::int64_t begin = 0;
    std::int64_t end = c.input[axis];
    // In reverse order, so that the first edit of an end counts.
    for (auto edit = active_.rbegin(); edit != active_.rend(); ++edit) {
      if ((*edit)->slot != Slot::inside || ((*edit)->axis >= 0 && (*edit)->axis != d)) continue;
      ((*edit)->begin ? begin : end) = (*edit)->formula.evaluate(v_);
    }
    for (std::int64_t t = 0; t < c.kernel[axis]; ++t) {
      at(v_, V::t) = t;
      const std::int64_t o = value_of(Slot::output_position, e.o[axis], d);
      const std::int64_t tap = value_of(Slot::kernel_tap, t, d);
      const std::int64_t stride = value_of(Slot::stride, c.stride[axis], d);
      const std::int64_t dilation = value_of(Slot::dilation, c.dilation[axis], d);
      const std::int64_t padding = value_of(Slot::padding, c.padding[axis], d);
      const std::int64_t read = value_of(Slot::read_position, o * stride + tap * dilation - padding, d);
      positions_[axis].push_back(read);
      inside_[axis].push_back(begin <= read && read < end ? 1 : 0);
    }
  }
}

void KernelRun::prepare(Table& table, const Formula& formula) {
  const ConvCase& c = p_.problem().spec;
  // Changed values lie in -1024..1023; differences of bytes do.
  constexpr std::size_t kValues = 2048;
  table.formula = &formula;
  table.depends = formula.depends();
  std::size_t size = 0;
  switch (table.depends) {
    case 0: size = 1; break;
    case Formula::kOnChannel: size = static_cast<std::size_t>(c.in_channels / c.groups); break;
    case Formula::kOnTap: size = static_cast<std::size_t>(volume(c.kernel)); break;
    case Formula::kOnValue: size = kValues; break;
    default: return;
  }
  table.values.resize(size);
  table.known.assign(size, 0);
}

std::int64_t KernelRun::look_up(Table& table) {
  std::size_t index = 0;
  switch (table.depends) {
    case 0: break;
    case Formula::kOnChannel: index = static_cast<std::size_t>(at(v_, Variable::channel)); break;
    case Formula::kOnTap: index = static_cast<std::size_t>(at(v_, Variable::tap)); break;
    case Formula::kOnValue: index = static_cast<std::size_t>(at(v_, Variable::value) + 1024); break;
    default: return table.formula->evaluate(v_);
  }
  if (index >= table.known.size()) return table.formula->evaluate(v_);
  if (table.known[index] == 0) {
    table.values[index] = table.formula->evaluate(v_);
    table.known[index] = 1;
  }
  return table.values[index];
}

void KernelRun::prepare_products() {
  for (std::size_t slot = static_cast<std::size_t>(Slot::image); slot < kProductSlots; ++slot) {
    const Edit* const edit = first_active_[slot];
    tables_[slot].formula = nullptr;
    if (edit != nullptr) prepare(tables_[slot], edit->formula);
  }
  if (const Edit* const edit = edit_of(Slot::times)) {
    const auto& literals = edit->when.literals;
    times_tables_.resize(literals.size());
    for (std::size_t i = 0; i < literals.size(); ++i) {
      prepare(times_tables_[i][0], literals[i].left);
      prepare(times_tables_[i][1], literals[i].right);
    }
  }
}

std::int64_t KernelRun::value_of_product(Slot slot, std::int64_t usual) {
  Table& table = tables_[static_cast<std::size_t>(slot)];
  if (table.formula == nullptr) return usual;
  at(v_, Variable::value) = usual;
  if (edit_of(slot)->when.always()) return look_up(table);
  for (const Edit* edit : active_) {
    if (edit->slot == slot && edit->when.holds(v_)) return edit->formula.evaluate(v_);
  }
  return usual;
}

bool KernelRun::is_counted_differently(const EditCondition& when) {
  for (std::size_t i = 0; i < when.literals.size(); ++i) {
    if (!when.literals[i].compares(look_up(times_tables_[i][0]), look_up(times_tables_[i][1]))) return false;
  }
  return true;
}

bool KernelRun::is_in_plane(int axis, const std::array<std::size_t, 3>& tap) const {
  const ConvCase& c = p_.problem().spec;
  const std::int64_t h = positions_[1][tap[1]];
  const std::int64_t in_image = h * c.input[2] + positions_[2][tap[2]];
  const std::int64_t image = c.input[1] * c.input[2];
  if (axis == 2) {
    return inside_[0][tap[0]] != 0 && inside_[1][tap[1]] != 0 && 0 <= in_image && in_image < image;
  }
  const std::int64_t offset = positions_[0][tap[0]] * image + in_image;
  return 0 <= offset && offset < c.input[0] * image;
}

std::optional<KernelRun::Place> KernelRun::place_of(std::int64_t channel, const Spatial& t) {
  using V = Variable;
  const ConvCase& c = p_.problem().spec;
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t taps = volume(c.kernel);
  at(v_, V::channel) = channel;
  at(v_, V::tap) = (t[0] * c.kernel[1] + t[1]) * c.kernel[2] + t[2];
  at(v_, V::product) = channel * taps + at(v_, V::tap);
  at(v_, V::product_by_position) = at(v_, V::tap) * channels + channel;
  Spatial from_tap = t;
  if (edit_of(Slot::input_tap) != nullptr) {
    const std::int64_t of = value_of_product(Slot::input_tap, at(v_, V::tap));
    if (of < 0 || of >= taps) return {};
    from_tap = {of / (c.kernel[1] * c.kernel[2]), of / c.kernel[2] % c.kernel[1], of % c.kernel[2]};
  }
  Place place{.tap = {}, .inside = true};
  bool before = false;
  bool behind = false;
  for (std::size_t d = 0; d < 3; ++d) {
    place.tap[d] = static_cast<std::size_t>(from_tap[d]);
    place.inside = place.inside && inside_[d][place.tap[d]] != 0;
    const bool before_axis = positions_[d][place.tap[d]] < 0;
    const bool behind_axis = positions_[d][place.tap[d]] >= c.input[d];
    v_[static_cast<std::size_t>(V::before_d) + d] = before_axis ? 1 : 0;
    v_[static_cast<std::size_t>(V::behind_d) + d] = behind_axis ? 1 : 0;
    before = before || before_axis;
    behind = behind || behind_axis;
  }
  if (const Edit* const edit = edit_of(Slot::in_plane)) place.inside = is_in_plane(edit->axis, place.tap);
  at(v_, V::padded) = place.inside ? 0 : 1;
  at(v_, V::before) = before ? 1 : 0;
  at(v_, V::behind) = behind ? 1 : 0;
  return place;
}

std::optional<std::int64_t> KernelRun::read_weight(std::int64_t k, std::int64_t channel) {
  const ConvProblem& problem = p_.problem();
  const std::int64_t channels = problem.spec.in_channels / problem.spec.groups;
  const std::int64_t taps = volume(problem.spec.kernel);
  const std::int64_t wk = value_of_product(Slot::weight_channel, k);
  const std::int64_t wi = value_of_product(Slot::weight_input, channel);
  const std::int64_t wt = value_of_product(Slot::weight_tap, at(v_, Variable::tap));
  const Edit* const layout = edit_of(Slot::layout);
  std::int64_t weight = (wk * channels + wi) * taps + wt;
  if (layout != nullptr && layout->layout.weight_channels_last) weight = (wk * taps + wt) * channels + wi;
  if (layout != nullptr && layout->layout.weight_outputs_last) {
    weight = (wt * channels + wi) * problem.spec.out_channels + wk;
  }
  if (weight < 0 || weight >= std::ssize(problem.weight)) return {};
  return value_of_product(Slot::weight, problem.weight[static_cast<std::size_t>(weight)]);
}

std::optional<std::int64_t> KernelRun::read_activation(const ElementIndex& e, std::int64_t channel, const Place& place,
                                                       std::int64_t xz) {
  const ConvProblem& problem = p_.problem();
  const ConvCase& c = problem.spec;
  if (!place.inside) return value_of_product(Slot::padding_value, xz);
  const std::int64_t first = e.k / (c.out_channels / c.groups) * (c.in_channels / c.groups);
  const std::int64_t from = value_of_product(Slot::input_channel, first + channel);
  const std::int64_t image = value_of_product(Slot::image, e.image);
  const std::int64_t of_image = value_of_product(Slot::image_channels, c.in_channels);
  const std::int64_t row = value_of_product(Slot::row_distance, c.input[2]);
  const Spatial at{positions_[0][place.tap[0]], positions_[1][place.tap[1]], positions_[2][place.tap[2]]};
  const std::int64_t plane = ((image * of_image + from) * c.input[0] + at[0]) * c.input[1];
  std::int64_t offset = plane * c.input[2] + at[1] * row + at[2];
  const Edit* const layout = edit_of(Slot::layout);
  if (layout != nullptr && layout->layout.activation_channels_last) {
    offset = (((image * c.input[0] + at[0]) * c.input[1] + at[1]) * c.input[2] + at[2]) * c.in_channels + from;
  }
  if (offset < 0 || offset >= std::ssize(problem.activation)) return {};
  const std::int64_t stored = problem.activation[static_cast<std::size_t>(offset)] - stored_shift(c.activation_type);
  return value_of_product(Slot::activation, stored);
}

std::int64_t KernelRun::accumulated_in_lanes(const Accumulator& how) const {
  using Kind = Accumulator::Kind;
  const std::int64_t taps = volume(p_.problem().spec.kernel);
  const std::int64_t channels = std::ssize(products_) / taps;
  std::array<std::int64_t, kMostLanes> lanes{};
  std::array<float, kMostLanes> floats{};
  const auto count = static_cast<std::size_t>(how.block);
  for (std::size_t i = 0; i < products_.size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const std::int64_t at = how.channels_innermost ? index % channels * taps + index / channels : index;
    const std::int64_t product = products_[static_cast<std::size_t>(at)];
    std::int64_t& lane = lanes[i % count];
    if (how.kind == Kind::lanes_wrap) lane = low_signed_bits(lane + product, how.bits);
    if (how.kind == Kind::lanes_saturate) lane = saturated_to(lane + product, how.bits);
    if (how.kind == Kind::lanes_float32) floats[i % count] += static_cast<float>(product);
  }
  if (how.kind != Kind::lanes_float32) return std::accumulate(lanes.begin(), lanes.end(), std::int64_t{0});
  // Halves are added, as vector instructions do.
  for (std::size_t half = count / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) floats[i] += floats[i + half];
  }
  return static_cast<std::int64_t>(floats[0]);
}

std::int64_t KernelRun::accumulated(const Accumulator& how) const {
  using Kind = Accumulator::Kind;
  const ConvCase& c = p_.problem().spec;
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t channels = std::ssize(products_) / taps;
  if (how.kind >= Kind::real) return 0;  // the sum is a real number
  if (how.kind >= Kind::lanes_wrap) return accumulated_in_lanes(how);
  const std::int64_t run = how.channels_innermost ? channels : c.kernel[2];
  std::int64_t sum = 0;
  std::int64_t part = 0;
  std::int64_t pair = 0;
  float in_float = 0;
  for (std::int64_t i = 0; i < std::ssize(products_); ++i) {
    const std::int64_t at = how.channels_innermost ? i % channels * taps + i / channels : i;
    std::int64_t product = products_[static_cast<std::size_t>(at)];
    const bool begins = i > 0 && (how.restarts ? i % run : i) % how.block == 0;
    switch (how.kind) {
      case Kind::product_wraps: product = low_signed_bits(product, how.bits); break;
      case Kind::product_saturates: product = saturated_to(product, how.bits); break;
      case Kind::saturates_each: sum = saturated_to(sum + product, how.bits); continue;
      case Kind::float32: in_float += static_cast<float>(product); continue;
      case Kind::pairs_saturate: {
        // Pairs of products saturate, and then the sum of the pairs of a block.
        if (begins) sum += std::exchange(part, 0);
        const bool second = (how.restarts ? i % run : i) % 2 == 1;
        pair = second && !begins ? saturated_to(pair + product, how.bits) : product;
        const bool last_of_pair = second || i + 1 == std::ssize(products_) || (how.restarts && (i + 1) % run == 0);
        if (last_of_pair) part = saturated_to(part + saturated_to(pair, how.bits), how.bits);
        continue;
      }
      case Kind::blocks_wrap:
      case Kind::blocks_saturate:
        if (begins) sum += std::exchange(part, 0);
        part = how.kind == Kind::blocks_wrap ? low_signed_bits(part + product, how.bits)
                                             : saturated_to(part + product, how.bits);
        continue;
      case Kind::replaced_once:
        if (i == how.block) sum = 0;
        break;
      case Kind::replaced_each:
        if (begins) sum = 0;
        break;
      default: break;
    }
    sum += product;
  }
  if (how.kind == Kind::float32) return static_cast<std::int64_t>(in_float);
  sum += part;
  if (how.kind == Kind::wraps) return low_signed_bits(sum, how.bits);
  return how.kind == Kind::saturates ? saturated_to(sum, how.bits) : sum;
}

float KernelRun::real_sum(const Accumulator& how, std::int64_t bias) const {
  const ConvCase& c = p_.problem().spec;
  const std::int64_t taps = volume(c.kernel);
  const std::int64_t channels = std::ssize(real_factors_) / taps;
  const float unit = static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, bias));
  const float b = !c.bias.empty()         ? c.bias[static_cast<std::size_t>(bias)]
                  : !c.int32_bias.empty() ? static_cast<float>(int32_bias(c, bias)) * unit
                                          : 0.0F;
  const bool after = how.kind == Accumulator::Kind::real_after_bias;
  float sum = after ? b : 0.0F;
  for (std::int64_t i = 0; i < std::ssize(real_factors_); ++i) {
    const std::int64_t at = how.channels_innermost ? i % channels * taps + i / channels : i;
    const auto [x, w] = real_factors_[static_cast<std::size_t>(at)];
    sum = how.fused ? std::fma(x, w, sum) : sum + x * w;
  }
  return after || !has_bias(c) ? sum : sum + b;
}

namespace {

// What is subtracted from both factors of every product.
std::pair<std::int64_t, std::int64_t> offsets_of(Accumulator::Factors factors, std::int64_t xz, std::int64_t wz) {
  using Factors = Accumulator::Factors;
  switch (factors) {
    case Factors::plain: break;
    case Factors::differences: return {xz, wz};
    case Factors::signed_activation: return {128, 0};
    case Factors::swapped_signs: return {128, -128};
    case Factors::activation_difference: return {xz, 0};
    case Factors::weight_difference: return {0, wz};
  }
  return {0, 0};
}

}  // namespace

bool KernelRun::add_products(const ElementIndex& e, std::int64_t xz, std::int64_t wz, WindowSums& sums) {
  const ConvCase& c = p_.problem().spec;
  find_positions(e);
  prepare_products();
  const Edit* const times = edit_of(Slot::times);
  const Edit* const accumulator = edit_of(Slot::accumulator);
  const Edit* const x_difference = edit_of(Slot::activation_difference);
  const Edit* const w_difference = edit_of(Slot::weight_difference);
  const bool differences = x_difference != nullptr || w_difference != nullptr;
  const Accumulator how = accumulator != nullptr ? accumulator->accumulator : Accumulator{};
  const auto [x_offset, w_offset] = offsets_of(differences ? Accumulator::Factors::differences : how.factors, xz, wz);
  const bool real = how.kind >= Accumulator::Kind::real;
  const float xs = static_cast<float>(c.activation_scale);
  const float ws =
      real ? static_cast<float>(
                 c.weight_scales[static_cast<std::size_t>(c.granularity == Granularity::per_channel ? e.k : 0)])
           : 0.0F;
  products_.clear();
  real_factors_.clear();
  sums = {};
  const std::int64_t channels = c.in_channels / c.groups;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    for (Spatial t{}; t[0] < c.kernel[0]; ++t[0]) {
      for (t[1] = 0; t[1] < c.kernel[1]; ++t[1]) {
        for (t[2] = 0; t[2] < c.kernel[2]; ++t[2]) {
          const auto place = place_of(channel, t);
          if (!place) return false;
          const auto weight = read_weight(e.k, channel);
          const auto activation = read_activation(e, channel, *place, xz);
          if (!weight || !activation) return false;
          const std::int64_t x = *activation;
          const std::int64_t w = *weight;
          at(v_, Variable::x) = x;
          at(v_, Variable::w) = w;
          const bool other = times != nullptr && is_counted_differently(times->when);
          const auto counted = [&](bool Times::* of) { return other && times->times.*of ? times->times.times : 1; };
          std::int64_t product = (x - x_offset) * (w - w_offset);
          if (differences) {
            product = value_of_product(Slot::activation_difference, x - xz) *
                      value_of_product(Slot::weight_difference, w - wz);
          }
          if (real) {
            real_factors_.emplace_back(static_cast<float>(x - xz) * xs, static_cast<float>(w - wz) * ws);
          }
          products_.push_back(product * counted(&Times::products));
          sums.x += x * counted(&Times::x);
          sums.w += w * counted(&Times::w);
          sums.count += counted(&Times::count);
        }
      }
    }
  }
  // What is taken out below is added here.
  sums.products = accumulated(how) + x_offset * sums.w + w_offset * sums.x - sums.count * x_offset * w_offset;
  return true;
}

int KernelRun::evaluate(std::int64_t offset) {
  const auto in = input(offset);
  return in ? requantize(requantization(*in), *in) : -1;
}

Requantization KernelRun::requantization(const RequantizationInput& in) {
  Requantization combined;
  bool first = true;
  for (const Edit& edit : model_) {
    if (edit.slot != Slot::requantization) continue;
    if (std::exchange(first, false)) set_requantization_variables(v_, in);
    if (edit.condition.holds(v_)) combined = combine(combined, edit.requantization);
  }
  return combined;
}

std::optional<std::int64_t> KernelRun::written_at(std::int64_t offset) {
  using V = Variable;
  const ConvCase& c = p_.problem().spec;
  ElementIndex e = element_index(c, offset);
  std::int64_t position = 0;
  bool moved = false;
  for (const Edit& edit : model_) {
    if (edit.slot == Slot::layout && edit.layout.output_channels_last) offset = element_written_at(c, offset);
    if (edit.slot != Slot::written_channel && edit.slot != Slot::written_position) continue;
    if (!std::exchange(moved, true)) {
      v_ = p_.variables(offset);
      position = at(v_, V::position);
    }
    if (!edit.condition.holds(v_)) continue;
    (edit.slot == Slot::written_channel ? e.k : position) = edit.formula.evaluate(v_);
  }
  if (!moved) return offset;
  if (e.k < 0 || e.k >= c.out_channels || position < 0 || position >= volume(output_size(c))) return {};
  return offset_of(c, e, position);
}

bool KernelRun::find_active() {
  active_.clear();
  first_active_.fill(nullptr);
  bool of_window = false;
  for (const Edit& edit : model_) {
    if (edit.slot == Slot::requantization || !edit.condition.holds(v_)) continue;
    active_.push_back(&edit);
    const Edit*& first = first_active_[static_cast<std::size_t>(edit.slot)];
    if (first == nullptr) first = &edit;
    of_window = of_window || loops_over_window(edit);
  }
  return of_window;
}

std::int64_t KernelRun::parameter(Slot slot, std::int64_t k, std::int64_t count) {
  const std::int64_t of = value_of(slot, k);
  return 0 <= of && of < count ? of : -1;
}

std::optional<std::int64_t> KernelRun::sum_without_zero_points(const ElementIndex& e, std::int64_t xz, std::int64_t wz,
                                                               WindowSums sums) {
  using V = Variable;
  const ConvCase& c = p_.problem().spec;
  sums.x = value_of(Slot::sum_of_activations, sums.x);
  sums.w = value_of(Slot::sum_of_weights, sums.w);
  at(v_, V::sum_products) = sums.products;
  at(v_, V::sum_x) = sums.x;
  at(v_, V::sum_w) = sums.w;
  std::int64_t correction = sums.w - sums.count * wz;
  if (edit_of(Slot::correction_channel) != nullptr) {
    const std::int64_t k = parameter(Slot::correction_channel, e.k, c.out_channels);
    if (k < 0) return {};
    correction = p_.weight_sums()[static_cast<std::size_t>(k)] - reduction_length(c) * weight_zero_point(c, k);
  }
  std::int64_t exact = sums.products - wz * sums.x - xz * value_of(Slot::weight_correction, correction);
  if (const Edit* const edit = edit_of(Slot::zero_points_out)) {
    const std::int64_t xz_of_case = std::exchange(at(v_, V::xz), xz);
    const std::int64_t wz_of_case = std::exchange(at(v_, V::wz), wz);
    exact = edit->formula.evaluate(v_);
    at(v_, V::xz) = xz_of_case;
    at(v_, V::wz) = wz_of_case;
  }
  const Edit* const accumulator = edit_of(Slot::accumulator);
  if (accumulator != nullptr && accumulator->accumulator.kind == Accumulator::Kind::raw_float32) {
    exact = static_cast<std::int64_t>(static_cast<float>(sums.products) + static_cast<float>(exact - sums.products));
  }
  return exact;
}

std::optional<RequantizationInput> KernelRun::input(std::int64_t offset) {
  const ConvCase& c = p_.problem().spec;
  const auto from = written_at(offset);
  if (!from) return {};
  offset = *from;
  v_ = p_.variables(offset);
  const ElementIndex e = element_index(c, offset);
  const bool of_window = find_active();
  const bool per_channel = c.granularity == Granularity::per_channel;
  const std::int64_t scales = std::ssize(c.weight_scales);
  const std::int64_t both = value_of(Slot::scale_channel, e.k);
  const std::int64_t scale = per_channel ? parameter(Slot::multiplier_channel, both, scales) : 0;
  const std::int64_t bias_scale = per_channel ? parameter(Slot::bias_scale_channel, both, scales) : 0;
  const std::int64_t zero_point =
      per_channel ? parameter(Slot::zero_point_channel, e.k, std::ssize(c.weight_zero_points)) : 0;
  const std::int64_t bias = has_bias(c) ? parameter(Slot::bias_channel, e.k, c.out_channels) : 0;
  if (scale < 0 || bias_scale < 0 || zero_point < 0 || bias < 0) return {};
  const std::int64_t xz = value_of(Slot::activation_zero_point, stored_activation_zero_point(c));
  const std::int64_t wz = value_of(Slot::weight_zero_point, c.weight_zero_points[static_cast<std::size_t>(zero_point)]);
  WindowSums sums;
  // An edited zero point is in the padding, too.
  if (of_window || xz != stored_activation_zero_point(c)) {
    if (!add_products(e, xz, wz, sums)) return {};
  } else {
    sums = p_.sums()[static_cast<std::size_t>(offset)];
    if (const Edit* const edit = edit_of(Slot::accumulator)) {
      const Accumulator& how = edit->accumulator;
      if (how.kind == Accumulator::Kind::wraps) sums.products = low_signed_bits(sums.products, how.bits);
      if (how.kind == Accumulator::Kind::saturates) sums.products = saturated_to(sums.products, how.bits);
    }
  }
  std::optional<float> real;
  bool by_reciprocal = false;
  if (const Edit* const edit = edit_of(Slot::accumulator);
      edit != nullptr && edit->accumulator.kind >= Accumulator::Kind::real) {
    real = real_sum(edit->accumulator, bias);
    by_reciprocal = edit->accumulator.by_reciprocal;
  }
  const auto exact = sum_without_zero_points(e, xz, wz, sums);
  if (!exact) return {};
  std::int64_t raw = low_signed_bits(*exact, 32);
  if (edit_of(Slot::raw) != nullptr) raw = value_of(Slot::raw, *exact);

  return RequantizationInput{.raw = raw,
                             .xs = c.activation_scale,
                             .ws = c.weight_scales[static_cast<std::size_t>(scale)],
                             .bias_ws = c.weight_scales[static_cast<std::size_t>(bias_scale)],
                             .os = c.output_scale,
                             .has_bias = !c.bias.empty(),
                             .relu = c.relu == Relu::on,
                             .per_channel = per_channel,
                             .bias = c.bias.empty() ? 0.0F : c.bias[static_cast<std::size_t>(bias)],
                             .has_int32_bias = !c.int32_bias.empty(),
                             .int32_bias = int32_bias(c, bias),
                             .oz = value_of(Slot::output_zero_point, stored_output_zero_point(c)),
                             .output_shift = stored_shift(c.output_type),
                             .real = real,
                             .real_by_reciprocal = by_reciprocal};
}

std::string_view factors_text(Accumulator::Factors factors) {
  using Factors = Accumulator::Factors;
  switch (factors) {
    case Factors::plain: break;
    case Factors::differences: return "(x - xz) * (w - wz)";
    case Factors::signed_activation: return "(x - 128) * w";
    case Factors::swapped_signs: return "(x - 128) * (w + 128)";
    case Factors::activation_difference: return "(x - xz) * w";
    case Factors::weight_difference: return "x * (w - wz)";
  }
  return "x * w";
}

int Edit::size() const {
  switch (slot) {
    // A sum that is kept exact makes the product a double, too, which is a second change.
    case Slot::requantization: return 3 * requantization.changes() - 1 + (requantization.sum == SumRule::exact ? 2 : 0);
    // A product that is left out altogether is as simple as one that is left out of the sum of x * w.
    case Slot::times: return when.size() + (times.x == times.count && times.w == times.count ? 0 : 1);
    case Slot::accumulator:
      return 3 + (accumulator.channels_innermost ? 1 : 0) +
             (accumulator.factors != Accumulator::Factors::plain ? 1 : 0) + (accumulator.fused ? 1 : 0) +
             (accumulator.block > 1 ? 1 : 0) + (accumulator.restarts ? 1 : 0);
    case Slot::layout:
      return 3 + (layout.activation_channels_last ? 1 : 0) + (layout.weight_channels_last ? 1 : 0) +
             (layout.output_channels_last ? 1 : 0) + (layout.weight_outputs_last ? 1 : 0);
    case Slot::inside: return 2 + formula.size() + (axis >= 0 ? 1 : 0);
    case Slot::in_plane: return 4 + (axis >= 0 ? 1 : 0);
    default: return formula.size() + (axis >= 0 ? 1 : 0) + when.size();
  }
}

namespace {

std::string_view of_axis(int axis) {
  constexpr std::array<std::string_view, 3> kNames{" of the depth", " of the height", " of the width"};
  return axis < 0 ? "" : kNames[static_cast<std::size_t>(axis)];
}

std::string text_of(const Accumulator& a) {
  using Kind = Accumulator::Kind;
  const std::string_view what = factors_text(a.factors);
  std::string order = a.channels_innermost ? ", channels innermost" : "";
  if (a.restarts)
    order += a.channels_innermost ? ", beginning anew at every tap" : ", beginning anew in every row of the kernel";
  const std::string block = a.block == kWholeRun ? "the" : fmt::to_string(a.block);
  switch (a.kind) {
    case Kind::exact: break;
    case Kind::wraps: return fmt::format("the sum of {} is kept in {} bits, and wraps", what, a.bits);
    case Kind::saturates: return fmt::format("the sum of {} saturates to {} bits", what, a.bits);
    case Kind::saturates_each:
      return fmt::format("the sum of {} saturates to {} bits after every product{}", what, a.bits, order);
    case Kind::float32: return fmt::format("{} is summed up in float32{}", what, order);
    case Kind::product_wraps: return fmt::format("the product {} is kept in {} bits, and wraps", what, a.bits);
    case Kind::product_saturates: return fmt::format("the product {} saturates to {} bits", what, a.bits);
    case Kind::blocks_wrap:
      return fmt::format("partial sums of {} products {} wrap in {} bits{}", block, what, a.bits, order);
    case Kind::blocks_saturate:
      return fmt::format("partial sums of {} products {} saturate in {} bits{}", block, what, a.bits, order);
    case Kind::replaced_once: return fmt::format("the sum begins anew after the first {} products{}", a.block, order);
    case Kind::replaced_each: return fmt::format("the sum begins anew after every {} products{}", a.block, order);
    case Kind::pairs_saturate:
      return fmt::format("pairs of products {} saturate in {} bits, and so does the sum of {} pairs{}", what, a.bits,
                         a.block / 2, order);
    case Kind::lanes_wrap:
      return fmt::format("{} sums of {}, to which products are added in turn, wrap in {} bits{}", a.block, what, a.bits,
                         order);
    case Kind::lanes_saturate:
      return fmt::format("{} sums of {}, to which products are added in turn, saturate in {} bits{}", a.block, what,
                         a.bits, order);
    case Kind::lanes_float32:
      return fmt::format("{} float32 sums of {}, to which products are added in turn{}", a.block, what, order);
    case Kind::raw_float32: return "the zero points are taken out of the sum in float32";
    case Kind::real:
    case Kind::real_after_bias:
      return fmt::format(
          "the values are dequantized: ((x - xz) * xs) * ((w - wz) * ws) is summed up in float32{}{}{}, and {} os",
          order, a.kind == Kind::real_after_bias ? ", beginning with the bias" : ", and the bias is added to that",
          a.fused ? ", by fused operations" : "", a.by_reciprocal ? "multiplied by 1 /" : "divided by");
  }
  return {};
}

// Returns "a, b and c".
std::string enumeration(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string text_of(const Times& t) {
  std::vector<std::string_view> sums;
  if (t.products) sums.emplace_back("x * w");
  if (t.x) sums.emplace_back("x");
  if (t.w) sums.emplace_back("w");
  if (t.count) sums.emplace_back("zero points");
  const std::string what =
      sums.size() == 4 ? "products are"
                       : fmt::format("in the sum{} of {}, terms are", sums.size() == 1 ? "" : "s", enumeration(sums));
  return fmt::format("{} {}", what, t.times == 0 ? "left out" : "added twice");
}

std::string text_of(const Layout& l) {
  std::string text;
  const auto add = [&](bool is, std::string_view what) {
    if (!is) return;
    text += text.empty() ? "" : ", ";
    text += what;
  };
  add(l.activation_channels_last, "the activation is read as NHWC");
  add(l.weight_channels_last, "the weight is read as OHWI");
  add(l.weight_outputs_last, "the weight is read as HWIO");
  add(l.output_channels_last, "the output is written as NHWC");
  return text;
}

std::string text_of_bounds(const Edit& edit) {
  const std::string_view side = edit.begin ? "before" : "behind";
  if (edit.formula == Formula(edit.begin ? -kUnchecked : kUnchecked)) {
    return fmt::format("no check for positions{} {} the input", of_axis(edit.axis), side);
  }
  return edit.begin ? fmt::format("positions{} before {} count as padding", of_axis(edit.axis), edit.formula.text())
                    : fmt::format("positions{} from {} on count as padding", of_axis(edit.axis), edit.formula.text());
}

// What a slot's formula stands for.
std::string_view name_of(Slot slot) {
  switch (slot) {
    case Slot::output_position: return "the output position";
    case Slot::kernel_tap: return "the tap";
    case Slot::stride: return "the stride";
    case Slot::dilation: return "the dilation";
    case Slot::padding: return "the padding";
    case Slot::read_position: return "the position that is read";
    case Slot::image: return "the image that is read";
    case Slot::input_channel: return "the input channel that is read";
    case Slot::weight_channel: return "the output channel of the weight";
    case Slot::weight_input: return "the input channel of the weight";
    case Slot::weight_tap: return "the tap of the weight";
    case Slot::row_distance: return "the distance of two rows of the input";
    case Slot::image_channels: return "the number of channels between two images";
    case Slot::input_tap: return "the tap of the position that is read";
    case Slot::padding_value: return "the value of padding";
    case Slot::activation: return "x";
    case Slot::weight: return "w";
    case Slot::activation_difference: return "x - xz";
    case Slot::weight_difference: return "w - wz";
    case Slot::scale_channel: return "the channel of the weight scale";
    case Slot::zero_point_channel: return "the channel of the weight zero point";
    case Slot::bias_channel: return "the channel of the bias";
    case Slot::multiplier_channel: return "the channel of the weight scale in the multiplier";
    case Slot::bias_scale_channel: return "the channel of the scale that divides the bias";
    case Slot::correction_channel: return "the channel of the weights whose sum is multiplied by xz";
    case Slot::written_channel: return "the output channel that is written at k";
    case Slot::written_position: return "the output position that is written";
    case Slot::weight_correction: return "the sum of w - wz that is multiplied by xz";
    case Slot::activation_zero_point: return "xz";
    case Slot::weight_zero_point: return "wz";
    case Slot::output_zero_point: return "oz";
    case Slot::sum_of_activations: return "the sum of x";
    case Slot::sum_of_weights: return "the sum of w";
    case Slot::zero_points_out: return "the sum without zero points";
    case Slot::raw: return "the sum";
    default: return "";
  }
}

void replace_all(std::string& text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// Returns the formula of an edit in words: the value that it changes has the name of its slot.
std::string text_of_formula(const Edit& edit) {
  std::string text = edit.formula.text();
  const std::string name = edit.slot == Slot::read_position ? "the right position" : std::string(name_of(edit.slot));
  constexpr std::string_view kValue = "\x01";  // because a name may contain the word
  replace_all(text, "value", std::string(kValue));
  if (name.find(" - ") != std::string::npos && text != kValue) {
    replace_all(text, "(\x01)", "(" + name + ")");
    replace_all(text, kValue, "(" + name + ")");
  }
  replace_all(text, kValue, name);
  constexpr std::array<std::string_view, 3> kOthers{"the height", "the width", "the height"};
  if (edit.axis >= 0) {
    replace_all(text, "the other axis", std::string(kOthers[static_cast<std::size_t>(edit.axis)]));
  }
  // A formula that is nothing but a noun has an article.
  const auto variable = edit.formula.variable();
  const bool noun = variable && *variable != Variable::value && text.size() > 2 && text.find('/') == std::string::npos;
  if (!noun || !text.starts_with("group")) return (noun ? "the " : "") + text;
  return "the number of groups";
}

std::string text_without_condition(const Edit& edit) {
  switch (edit.slot) {
    case Slot::requantization: return fmt::format("{}", fmt::join(changed_steps(edit.requantization), "; "));
    case Slot::times: return text_of(edit.times);
    case Slot::accumulator: return text_of(edit.accumulator);
    case Slot::layout: return text_of(edit.layout);
    case Slot::inside: return text_of_bounds(edit);
    case Slot::in_plane:
      return edit.axis < 0 ? "positions are read if their offset lies in the channel, also in another row"
                           : "positions of the width are read if their offset lies in the image, also in another row";
    default: return fmt::format("{}{} is {}", name_of(edit.slot), of_axis(edit.axis), text_of_formula(edit));
  }
}

}  // namespace

std::string Edit::text() const {
  const std::string text = text_without_condition(*this);
  return when.always() ? text : fmt::format("{} where {}", text, when.text());
}

std::vector<int> evaluate_all(const KernelModel& model, const ModelProblem& problem) {
  KernelRun run(model, problem);
  std::vector<int> all;
  all.reserve(static_cast<std::size_t>(problem.elements()));
  for (std::int64_t i = 0; i < problem.elements(); ++i) all.push_back(run.evaluate(i));
  return all;
}

}  // namespace tieout
