#include "props/generate/discriminating_case.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "cases/validate.h"
#include "props/generate/boundary_targeting.h"
#include "props/generate/conform.h"
#include "props/generate/fit_lists.h"
#include "props/generate/generator.h"
#include "props/generate/strategy.h"

namespace tieout {
namespace {

// Holds the products of a case before they are laid out in a shape of the path.
struct Products {
  std::vector<std::uint8_t> x;
  std::vector<std::int8_t> w;

  [[nodiscard]] double sum(const ConvCase& c) const {
    double total = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      total += static_cast<double>((x[i] - c.activation_zero_point) * (w[i] - c.weight_zero_points.front()));
    }
    return total;
  }
};

double decimal(Random& random, int places) {
  double power = 1;
  for (int p = 0; p < places; ++p) power *= 10;
  const std::int64_t digits = random.between(1, 9);
  return static_cast<double>(digits) / power;
}

double power_of_two(Random& random) { return std::ldexp(1.0, static_cast<int>(random.between(-6, 1))); }

// Draws values up to `size`, so that the first cases have small numbers.
void draw_products(Products& p, Random& random, std::size_t count, std::int64_t size) {
  for (std::size_t i = 0; i < count; ++i) {
    p.x.push_back(static_cast<std::uint8_t>(random.between(0, std::min<std::int64_t>(255, size))));
    p.w.push_back(static_cast<std::int8_t>(
        random.between(-std::min<std::int64_t>(128, size), std::min<std::int64_t>(127, size))));
  }
}

// Draws mostly the ends of the range, which saturate.
void draw_extreme_products(Products& p, Random& random, std::size_t count) {
  const bool one_sign = random.chance(2, 3);
  for (std::size_t i = 0; i < count; ++i) {
    p.x.push_back(random.chance(7, 8) ? 255 : static_cast<std::uint8_t>(random.between(0, 255)));
    const bool negative = one_sign ? false : random.chance(1, 2);
    p.w.push_back(negative ? std::int8_t{-128} : std::int8_t{127});
  }
}

void draw_parameters(ConvCase& c, Random& random) {
  c.granularity = random.chance(1, 2) ? Granularity::per_channel : Granularity::per_tensor;
  if (random.chance(1, 3)) c.output_zero_point = random.pick(std::array<std::int64_t, 5>{1, 3, 20, 128, 255});
  if (random.chance(1, 4)) c.activation_zero_point = random.pick(std::array<std::int64_t, 4>{1, 7, 128, 255});
  if (random.chance(1, 8)) c.weight_zero_points = {random.pick(std::array<std::int64_t, 4>{-128, -1, 5, 127})};
  if (random.chance(1, 3)) c.relu = Relu::on;
}

double unit_of(const ConvCase& c) {
  return static_cast<double>(static_cast<float>(c.activation_scale) * static_cast<float>(c.weight_scales.front()));
}

// Solves for the output scale or the bias so that the value before rounding lies on a tie or up to two floats beside
// it.
void move_to_tie(ConvCase& c, Random& random, const Products& p) {
  const double sum = p.sum(c);
  const std::int64_t floats = random.between(-2, 2);
  const double target =
      static_cast<double>(random.between(0, std::max<std::int64_t>(1, 200 - c.output_zero_point))) + 0.5;
  if (random.chance(1, 2)) {
    const double multiplier = unit_of(c) / static_cast<float>(c.output_scale);
    const float bias = float_beside(static_cast<float>((target / multiplier - sum) * unit_of(c)), floats);
    if (std::isfinite(bias)) c.bias = {bias};
  } else if (sum > 0) {
    const float scale = float_beside(static_cast<float>(unit_of(c) * sum / target), floats);
    if (std::isnormal(scale)) c.output_scale = scale;
  }
}

Products draw(ConvCase& c, Random& random, std::int64_t size, std::size_t most, const Domain::Alternative* where) {
  Products p;
  draw_parameters(c, random);
  if (where != nullptr) {
    c.granularity = conform_granularity(c.granularity, *where);
    conform_types(c, *where, random);
    conform_quantization(c, *where, random);
  }
  const std::uint32_t kind = random.below(12);
  const bool powers = kind == 1 || kind == 2;
  c.activation_scale = powers ? power_of_two(random) : decimal(random, static_cast<int>(random.between(1, 2)));
  c.weight_scales = {powers ? power_of_two(random) : decimal(random, static_cast<int>(random.between(1, 3)))};
  c.output_scale = powers ? power_of_two(random) : decimal(random, static_cast<int>(random.between(0, 2)));
  // Equal scales cancel, which makes ties of decimals.
  if (random.chance(1, 4)) c.output_scale = c.activation_scale;
  if (kind <= 3) {
    draw_products(p, random, 1, size);
  } else if (kind <= 6) {
    draw_products(p, random, random.chance(2, 3) ? 1 : 2, size);
    move_to_tie(c, random, p);
  } else if (kind == 7) {
    // The bias lies halfway between two integer biases.
    draw_products(p, random, 1, size);
    const std::int64_t steps = random.between(-2 * size, 2 * size);
    c.bias = {static_cast<float>((static_cast<double>(steps) + 0.5) * unit_of(c))};
  } else if (kind <= 9) {
    // The sums exceed int16, in pairs and as a whole.
    const auto count = static_cast<std::size_t>(random.between(2, static_cast<std::int64_t>(most)));
    draw_extreme_products(p, random, count);
    c.activation_scale = c.weight_scales.front() = 1;
    c.output_scale = std::ldexp(1.0, static_cast<int>(random.between(8, 11)));
  } else if (kind == 10) {
    // The values exceed int32.
    draw_products(p, random, 1, 255);
    c.activation_scale = 1000;
    c.weight_scales = {1000};
    c.output_scale = random.chance(1, 2) ? 0.001 : 1;
  } else {
    // float32 cannot hold the sums.
    c.activation_scale = c.weight_scales.front() = 1;
    draw_products(p, random, 1, 255);
    c.output_scale = std::ldexp(1.0, static_cast<int>(random.between(17, 20)));
    c.bias = {static_cast<float>(random.between(1 << 24, 1 << 26))};
  }
  // The bias that was drawn above may have to be an int32 one.
  if (where != nullptr) conform_types(c, *where, random);
  return p;
}

// ---- the shapes: `products` of one element, to which nothing else contributes

void lay_out_pointwise(ConvCase& c, const Products& p) {
  c.in_channels = static_cast<std::int64_t>(p.x.size());
  c.activation = {Fill::listed, p.x};
  c.weight = {Fill::listed, p.w};
}

// Gives all channels but k other parameters, so that it shows if a channel takes those of another one.
void vary_parameters(ConvCase& c, std::int64_t k, Random& random, const Domain::Alternative* where) {
  const bool zero = c.weight_zero_points.front() == 0 && (where != nullptr || random.chance(1, 2));
  for (std::int64_t other = 0; other < c.out_channels; ++other) {
    if (other == k) continue;
    const auto i = static_cast<std::size_t>(other);
    if (!c.bias.empty())
      c.bias[i] = float_beside(c.bias[i] * 2 + static_cast<float>(c.output_scale), random.between(1, 9));
    if (!c.int32_bias.empty()) c.int32_bias[i] = ~c.int32_bias[i];
    if (c.granularity == Granularity::per_tensor) continue;
    const double factor = std::ldexp(1.0, static_cast<int>(random.between(1, 3)));
    c.weight_scales[i] = random.chance(1, 2) ? c.weight_scales[i] * factor : c.weight_scales[i] / factor;
    if (!zero) c.weight_zero_points[i] = random.between(-128, 127);
  }
}

// Lays the products out in a 3x3 kernel with padding 1 on a 3x3 input, where the window of the centre is the whole
// input. The `channels` of a group run fastest.
void lay_out_centre(DiscriminatingCase& found, const Products& p, std::size_t channels, std::size_t groups) {
  ConvCase& c = found.c;
  c.in_channels = c.out_channels = static_cast<std::int64_t>(channels * groups);
  c.groups = static_cast<std::int64_t>(groups);
  c.input = c.kernel = {1, 3, 3};
  c.padding = {0, 1, 1};
  c.activation = {Fill::listed, std::vector(channels * groups * 9, static_cast<std::uint8_t>(c.activation_zero_point))};
  c.weight = {Fill::listed, std::vector(channels * groups * channels * 9, std::int8_t{0})};
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    const std::size_t at = i % channels * 9 + i / channels;
    c.activation.values[at] = p.x[i];
    c.weight.values[at] = p.w[i];
  }
  found.offset = 4;
  fit_lists(c);
}

// Draws a shape of the path by the generator, within the conditions.
std::optional<ConvCase> draw_shape_of(FbgemmPath path, Random& random, const Domain::Alternative* where) {
  constexpr Hardware kAnyHardware{.avx512 = true, .avx512_vnni = true};
  const GeneratorOptions small{.products = 400, .audience = Audience::subject, .where = where};
  for (int tries = 0; tries < 30; ++tries) {
    ConvCase shape;
    draw_shape_on(path, shape, random, small);
    if (fbgemm_path(shape, kAnyHardware) == path && validate(shape)) return shape;
  }
  return {};
}

// Returns the positions in the activation and in the weight of the products of an output element, channels running
// fastest, as far as its window lies inside of the input.
std::vector<std::pair<std::size_t, std::size_t>> window_of(const ConvCase& c, std::int64_t element) {
  const Spatial size = output_size(c);
  const std::int64_t position = element % volume(size);
  const std::int64_t k = element / volume(size) % c.out_channels;
  const std::int64_t image = element / volume(size) / c.out_channels;
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t first = k / (c.out_channels / c.groups) * channels;
  const std::int64_t taps = volume(c.kernel);
  const Spatial at{position / (size[1] * size[2]), position / size[2] % size[1], position % size[2]};
  std::vector<std::pair<std::size_t, std::size_t>> window;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    const Spatial offset{tap / (c.kernel[1] * c.kernel[2]), tap / c.kernel[2] % c.kernel[1], tap % c.kernel[2]};
    Spatial from{};
    bool inside = true;
    for (std::size_t d = 0; d < 3; ++d) {
      from[d] = at[d] * c.stride[d] + offset[d] * c.dilation[d] - c.padding[d];
      inside = inside && 0 <= from[d] && from[d] < c.input[d];
    }
    if (!inside) continue;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const std::int64_t row = (image * c.in_channels + first + channel) * c.input[0] + from[0];
      window.emplace_back((row * c.input[1] + from[1]) * c.input[2] + from[2], (k * channels + channel) * taps + tap);
    }
  }
  return window;
}

// Lays the products out in the window of one element of a drawn shape, channels running fastest, as far as the window
// lies inside of the input: at its begin, at its end or between. In every other case the remaining weights and the
// activations outside of the window are not 0, so that wrong padding and every read of a wrong position show; the
// parameters of other channels differ. Returns false if the window has too few positions.
bool lay_out_drawn(DiscriminatingCase& found, const Products& p, FbgemmPath path, Random& random,
                   const Domain::Alternative* where) {
  const auto shape = draw_shape_of(path, random, where);
  if (!shape) return false;
  ConvCase c = found.c;
  c.dims = shape->dims;
  c.batch = shape->batch;
  c.in_channels = shape->in_channels;
  c.out_channels = shape->out_channels;
  c.groups = shape->groups;
  c.execution.call = shape->execution.call;
  for (Spatial ConvCase::* const of : {&ConvCase::input, &ConvCase::kernel, &ConvCase::stride, &ConvCase::dilation,
                                       &ConvCase::padding, &ConvCase::extra_end_padding}) {
    c.*of = (*shape).*of;
  }
  const std::int64_t element = random.between(0, element_count(output_shape(c)) - 1);
  const bool full = random.chance(1, 2);
  const auto zero_point = static_cast<std::uint8_t>(c.activation_zero_point);
  std::vector<std::uint8_t> x(static_cast<std::size_t>(element_count(activation_shape(c))), zero_point);
  std::vector<std::int8_t> w(static_cast<std::size_t>(element_count(weight_shape(c))));
  if (full) {
    for (std::uint8_t& value : x) value = static_cast<std::uint8_t>(random.below(256));
    for (std::int8_t& value : w) value = static_cast<std::int8_t>(random.between(-9, 9));
  }
  const auto window = window_of(c, element);
  if (window.size() < p.x.size()) return false;
  // Pairs of products begin at even positions.
  std::size_t begin = (window.size() - p.x.size()) / 2 * 2;
  if (!random.chance(1, 3)) begin = std::size_t{random.below(static_cast<std::uint32_t>(begin / 2 + 1))} * 2;
  for (const auto& [of_x, of_w] : window) x[of_x] = zero_point;
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    x[window[begin + i].first] = p.x[i];
    w[window[begin + i].second] = p.w[i];
  }
  c.activation = {Fill::listed, std::move(x)};
  c.weight = {Fill::listed, std::move(w)};
  fit_lists(c);
  vary_parameters(c, element / volume(output_size(c)) % c.out_channels, random, where);
  found = {.c = std::move(c), .offset = element};
  return true;
}

void lay_out_plain(DiscriminatingCase& found, const Products& p, FbgemmPath path, Random& random) {
  switch (path) {
    case FbgemmPath::linear:
    case FbgemmPath::pointwise: lay_out_pointwise(found.c, p); break;
    // These are the plainest shapes that are not pointwise: a stride, or a window in one channel.
    case FbgemmPath::im2col:
      if (p.x.size() <= 9 && random.chance(1, 2)) return lay_out_centre(found, p, 1, 1);
      lay_out_pointwise(found.c, p);
      found.c.stride = {1, 2, 2};
      break;
    case FbgemmPath::depthwise: lay_out_centre(found, p, 1, 8); break;
    case FbgemmPath::groupwise: lay_out_centre(found, p, 8, 1); break;
  }
}

}  // namespace

DiscriminatingCase draw_discriminating_case(FbgemmPath of_conv, std::uint64_t index, const Domain& domain) {
  // The offset in the index of the case that replaces an unusable one.
  constexpr std::uint64_t kAgain = std::uint64_t{1} << 40U;
  Random random(0x70726f6265, index);
  const Domain::Alternative* const where = pick_alternative(domain, random);
  const Call call = call_of(index, {.audience = Audience::subject, .where = where});
  const FbgemmPath path = call == Call::linear ? FbgemmPath::linear : of_conv;
  // Numbers grow from at most 4 to the whole range over the first sixteen thousand cases. Small numbers come first
  // because readers can check them by hand.
  const auto size = static_cast<std::int64_t>(std::min<std::uint64_t>(255, 4 + index / 64));
  DiscriminatingCase found;
  const Products p = draw(found.c, random, size, path == FbgemmPath::depthwise ? 9 : 12, where);
  // Half of the cases have the path's plainest shape if there is no domain; the others have a drawn shape, or the
  // plainest one if none fits.
  const bool plain = random.chance(1, 2) && where == nullptr;
  if (plain || !lay_out_drawn(found, p, path, random, where)) lay_out_plain(found, p, path, random);
  // The case is unusable if float32 cannot hold a scale or if the case lies outside of the domain.
  const bool usable = validate(found.c) && domain.contains(found.c);
  return usable || index / kAgain > 50 ? found : draw_discriminating_case(of_conv, index + kAgain, domain);
}

}  // namespace tieout
