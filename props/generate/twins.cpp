#include "props/generate/twins.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cases/validate.h"

namespace tieout {
namespace {

// Changes the problem to its twin. The contents are in the problem, and not in its case.
using Change = void (*)(ConvProblem&);

double other_scale(double scale) { return scale > 1 ? scale / 4 : scale * 4; }
std::int64_t other_weight_zero_point(std::int64_t zero_point) {
  return zero_point > 0 ? zero_point - 100 : zero_point + 27;
}
float other_bias(float bias, const ConvCase& c) { return -bias - static_cast<float>(c.output_scale); }
template <typename T>
T other_byte(T value) {
  return static_cast<T>(~value);
}

// Repeats or cuts the contents if the twin has another number of elements.
void fit_contents(ConvProblem& p) {
  const auto fit = [](auto& values, std::int64_t count) {
    const std::size_t before = values.size();
    values.resize(static_cast<std::size_t>(count));
    for (std::size_t i = before; i < values.size(); ++i) values[i] = values[i - before];
  };
  fit(p.activation, element_count(activation_shape(p.spec)));
  fit(p.weight, element_count(weight_shape(p.spec)));
}

void flip_granularity(ConvProblem& p) {
  ConvCase& c = p.spec;
  const bool to_tensor = c.granularity == Granularity::per_channel;
  c.granularity = to_tensor ? Granularity::per_tensor : Granularity::per_channel;
  const std::size_t count = to_tensor ? 1 : static_cast<std::size_t>(c.out_channels);
  c.weight_scales.resize(count, c.weight_scales.front());
  c.weight_zero_points.resize(count, c.weight_zero_points.front());
}

// Exchanges two weights that differ, which leaves sums and additive checksums unchanged.
void exchange_weights(ConvProblem& p) {
  const auto other = std::ranges::find_if(p.weight, [&](std::int8_t w) { return w != p.weight.front(); });
  if (other != p.weight.end()) std::swap(p.weight.front(), *other);
}

constexpr std::array<std::pair<std::string_view, Change>, 25> kTwins{{
    {"activation zero point",
     [](ConvProblem& p) { p.spec.activation_zero_point = (p.spec.activation_zero_point + 100) % 256; }},
    {"output zero point", [](ConvProblem& p) { p.spec.output_zero_point = (p.spec.output_zero_point + 100) % 256; }},
    {"activation scale", [](ConvProblem& p) { p.spec.activation_scale = other_scale(p.spec.activation_scale); }},
    {"output scale", [](ConvProblem& p) { p.spec.output_scale = other_scale(p.spec.output_scale); }},
    {"weight scales",
     [](ConvProblem& p) {
       for (double& scale : p.spec.weight_scales) scale = other_scale(scale);
     }},
    {"last weight scale",
     [](ConvProblem& p) { p.spec.weight_scales.back() = other_scale(p.spec.weight_scales.back()); }},
    {"weight zero points",
     [](ConvProblem& p) {
       for (std::int64_t& z : p.spec.weight_zero_points) z = other_weight_zero_point(z);
     }},
    {"last weight zero point",
     [](ConvProblem& p) {
       p.spec.weight_zero_points.back() = other_weight_zero_point(p.spec.weight_zero_points.back());
     }},
    {"bias",
     [](ConvProblem& p) {
       for (float& bias : p.spec.bias) bias = other_bias(bias, p.spec);
       for (std::int32_t& bias : p.spec.int32_bias) bias = ~bias;
     }},
    {"last bias",
     [](ConvProblem& p) {
       if (!p.spec.bias.empty()) p.spec.bias.back() = other_bias(p.spec.bias.back(), p.spec);
       if (!p.spec.int32_bias.empty()) p.spec.int32_bias.back() = ~p.spec.int32_bias.back();
     }},
    {"presence of a bias",
     [](ConvProblem& p) {
       if (!p.spec.int32_bias.empty()) return p.spec.int32_bias.clear();
       const auto channels = static_cast<std::size_t>(p.spec.out_channels);
       p.spec.bias =
           std::vector<float>(p.spec.bias.empty() ? channels : 0, static_cast<float>(p.spec.output_scale) * 9);
     }},
    {"relu", [](ConvProblem& p) { p.spec.relu = p.spec.relu == Relu::on ? Relu::off : Relu::on; }},
    {"granularity", flip_granularity},
    {"weights",
     [](ConvProblem& p) {
       for (std::int8_t& w : p.weight) w = other_byte(w);
     }},
    {"first weight", [](ConvProblem& p) { p.weight.front() = other_byte(p.weight.front()); }},
    {"last weight", [](ConvProblem& p) { p.weight.back() = other_byte(p.weight.back()); }},
    {"middle weight",
     [](ConvProblem& p) { p.weight[p.weight.size() / 2] = other_byte(p.weight[p.weight.size() / 2]); }},
    {"order of weights", exchange_weights},
    {"activation",
     [](ConvProblem& p) {
       for (std::uint8_t& x : p.activation) x = other_byte(x);
     }},
    {"last activation", [](ConvProblem& p) { p.activation.back() = other_byte(p.activation.back()); }},
    {"padding", [](ConvProblem& p) { p.spec.padding[2] += p.spec.padding[2] > 0 ? -1 : 1; }},
    {"stride", [](ConvProblem& p) { p.spec.stride[2] = p.spec.stride[2] == 1 ? 2 : 1; }},
    {"dilation", [](ConvProblem& p) { p.spec.dilation[2] = p.spec.dilation[2] == 1 ? 2 : 1; }},
    {"batch", [](ConvProblem& p) { p.spec.batch += 1; }},
    {"order of the axes",
     [](ConvProblem& p) {
       if (p.spec.dims == 1) return;
       for (Spatial ConvCase::* const axes :
            {&ConvCase::input, &ConvCase::kernel, &ConvCase::stride, &ConvCase::padding}) {
         std::swap((p.spec.*axes)[1], (p.spec.*axes)[2]);
       }
     }},
}};

}  // namespace

std::size_t twin_kinds() { return kTwins.size(); }

std::string_view twin_name(std::size_t kind) { return kTwins[kind].first; }

std::string another(std::string_view twin_name) {
  if (twin_name == "batch") return "another batch size";
  if (twin_name == "relu") return "another setting of relu";
  if (twin_name == "presence of a bias") return "no bias where this one has one, or the reverse";
  const bool plural =
      twin_name.ends_with("s") && twin_name.find("bias") == std::string_view::npos && !twin_name.starts_with("order");
  return (plural ? "other " : "another ") + std::string(twin_name);
}

std::optional<ConvProblem> twin_of(const ConvProblem& problem, std::size_t kind) {
  if (problem.activation.empty() || problem.weight.empty()) return {};
  ConvProblem twin = problem;
  // The contents are not listed in the case, because the problem holds them.
  twin.spec.activation = {Fill::uniform, {}};
  twin.spec.weight = {Fill::uniform, {}};
  const ConvCase before = twin.spec;
  kTwins[kind].second(twin);
  if (!validate(twin.spec)) return {};
  fit_contents(twin);
  const bool same = twin.spec == before && twin.activation == problem.activation && twin.weight == problem.weight;
  if (same) return {};
  return twin;
}

}  // namespace tieout
