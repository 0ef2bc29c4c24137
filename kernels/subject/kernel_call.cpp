#include "kernels/subject/kernel_call.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/layout.h"
#include "cases/strings/nearest_word.h"
#include "cases/strings/printable.h"
#include "kernels/subject/guarded_call.h"

namespace tieout {
namespace {

using Order = KernelTraits::Order;

void copy(const Spatial& from, std::int64_t* to) { std::copy(from.begin(), from.end(), to); }

tieout_conv describe(const ConvCase& c, const KernelTypes& types) {
  tieout_conv conv{};
  conv.size = sizeof conv;
  conv.dims = c.dims;
  conv.batch = c.batch;
  conv.in_channels = c.in_channels;
  conv.out_channels = c.out_channels;
  conv.groups = c.groups;
  copy(c.input, conv.input);
  copy(c.kernel, conv.kernel);
  copy(c.stride, conv.stride);
  copy(c.padding, conv.padding);
  copy(end_padding(c), conv.padding_end);
  copy(c.dilation, conv.dilation);
  copy(output_size(c), conv.output_size);
  conv.activation_scale = c.activation_scale;
  conv.activation_zero_point = c.activation_zero_point - stored_shift(types.activation);
  conv.per_channel = c.granularity == Granularity::per_channel ? 1 : 0;
  conv.output_scale = c.output_scale;
  conv.output_zero_point = c.output_zero_point - stored_shift(types.output);
  conv.relu = c.relu == Relu::on ? 1 : 0;
  return conv;
}

tl::expected<KernelTypes, std::string> types_of(const tieout_kernel_info& info) {
  const auto is_flag = [](std::int64_t value) { return value == 0 || value == 1; };
  if (info.activation_type != TIEOUT_UINT8 && info.activation_type != TIEOUT_INT8) {
    return tl::unexpected("tieout_describe(): activation_type must be TIEOUT_UINT8 or TIEOUT_INT8, is " +
                          std::to_string(info.activation_type));
  }
  if (info.output_type < TIEOUT_UINT8 || info.output_type > TIEOUT_INT32) {
    return tl::unexpected("tieout_describe(): output_type must be TIEOUT_UINT8, TIEOUT_INT8 or TIEOUT_INT32, is " +
                          std::to_string(info.output_type));
  }
  if (!is_flag(info.int32_bias) || !is_flag(info.end_padding)) {
    return tl::unexpected(std::string("tieout_describe(): int32_bias and end_padding must be 0 or 1"));
  }
  return KernelTypes{.activation = info.activation_type == TIEOUT_INT8 ? ActivationType::int8 : ActivationType::uint8,
                     .output = info.output_type == TIEOUT_INT32  ? OutputType::int32
                               : info.output_type == TIEOUT_INT8 ? OutputType::int8
                                                                 : OutputType::uint8,
                     .int32_bias = info.int32_bias == 1,
                     .end_padding = info.end_padding == 1};
}

// Returns the names of a list of operators, separated by spaces. Error: a message that names the first wrong one.
tl::expected<std::vector<std::string>, std::string> operators_of(const char* list) {
  if (list == nullptr) return {};
  std::vector<std::string> known;
  for (const OperatorSchema* const schema : operator_schemas()) known.emplace_back(schema->name);
  std::string_view rest(list, strnlen(list, kLongestDomain));
  std::vector<std::string> names;
  while (!rest.empty()) {
    const std::string name(rest.substr(0, rest.find(' ')));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (name.empty()) continue;
    if (std::ranges::find(known, name) == known.end()) {
      const auto nearest = nearest_word(name, known);
      return tl::unexpected("tieout_describe(): operators names '" + printable(name, kLongestName) +
                            "', which is no operator; " +
                            (nearest ? "did you mean " + *nearest + "?" : "see `tieout help operators`"));
    }
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace

tl::expected<KernelTraits, std::string> traits_of(const tieout_kernel_info& info) {
  // These are the fields of the first header of this version; later fields are read only if `size` includes them.
  constexpr std::size_t kFirstSize = offsetof(tieout_kernel_info, domain);
  constexpr std::size_t kSizeWithTypes = offsetof(tieout_kernel_info, end_padding) + sizeof info.end_padding;
  if (info.version != TIEOUT_KERNEL_VERSION || info.size < kFirstSize) {
    return tl::unexpected("tieout_describe(): version is " + std::to_string(info.version) + ", size " +
                          std::to_string(info.size) + "; this tieout speaks version " +
                          std::to_string(TIEOUT_KERNEL_VERSION) + ", size " + std::to_string(kFirstSize) + " or more" +
                          ": compile the kernel with its tieout_kernel.h, and set both fields");
  }
  const auto known = [](std::int64_t layout) { return layout == 0 || layout == 1; };
  if (!known(info.activation_layout) || !known(info.weight_layout)) {
    return tl::unexpected(
        std::string("tieout_describe(): layouts must be TIEOUT_NCHW or TIEOUT_NHWC, TIEOUT_OIHW or TIEOUT_OHWI"));
  }
  const std::int64_t alignment = std::max<std::int64_t>(1, info.alignment);
  if (alignment > 4096 || (alignment & (alignment - 1)) != 0) {
    return tl::unexpected("tieout_describe(): alignment must be a power of two up to 4096, is " +
                          std::to_string(info.alignment));
  }
  const char* const domain = info.size >= kFirstSize + sizeof info.domain ? info.domain : nullptr;
  if (domain != nullptr && strnlen(domain, kLongestDomain + 1) > kLongestDomain) {
    return tl::unexpected("tieout_describe(): domain is longer than " + std::to_string(kLongestDomain) + " characters");
  }
  KernelTypes types;
  if (info.size >= kSizeWithTypes) {
    const auto read = types_of(info);
    if (!read) return tl::unexpected(read.error());
    types = *read;
  }
  constexpr std::size_t kSizeWithOperators = offsetof(tieout_kernel_info, operators) + sizeof info.operators;
  const auto operators = operators_of(info.size >= kSizeWithOperators ? info.operators : nullptr);
  if (!operators) return tl::unexpected(operators.error());
  const std::string_view name =
      info.name == nullptr ? "" : std::string_view(info.name, strnlen(info.name, kLongestName + 1));
  return KernelTraits{
      .activation = info.activation_layout == TIEOUT_NHWC ? Order::channels_last : Order::channels_first,
      .weight = info.weight_layout == TIEOUT_OHWI ? Order::channels_last : Order::channels_first,
      .alignment = static_cast<std::size_t>(alignment),
      .name = printable(name, kLongestName),
      .domain = domain == nullptr ? "" : domain,
      .types = types,
      .operators = *operators};
}

tieout_conv KernelCall::place_buffers(const ConvCase& c, const Inputs& inputs, const KernelTraits& traits,
                                      const Conditions& conditions) {
  Buffers& b = buffers_;
  const KernelTypes& types = traits.types;
  const std::size_t alignment = traits.alignment;
  tieout_conv conv = describe(c, types);
  const std::uint8_t* const activation = fill_buffer(b.activation, inputs.activation, alignment, conditions);
  if (types.activation == ActivationType::int8) {
    conv.activation_int8 = reinterpret_cast<const std::int8_t*>(activation);
  } else {
    conv.activation = activation;
  }
  conv.weight = fill_buffer(b.weight, inputs.weight, alignment, conditions);
  conv.weight_scales = fill_buffer(b.weight_scales, c.weight_scales, alignment, conditions);
  conv.weight_zero_points = fill_buffer(b.weight_zero_points, c.weight_zero_points, alignment, conditions);
  conv.bias = c.bias.empty() ? nullptr : fill_buffer(b.bias, c.bias, alignment, conditions);
  if (!c.int32_bias.empty()) conv.int32_bias = fill_buffer(b.bias, c.int32_bias, alignment, conditions);
  const bool sums = types.output == OutputType::int32;
  b.output.place(static_cast<std::size_t>(element_count(output_shape(c))) * (sums ? sizeof(std::int32_t) : 1),
                 sums ? std::max(alignment, alignof(std::int32_t)) : alignment, conditions.placement,
                 conditions.output_fill);
  std::uint8_t* const output = b.output.bytes().data();
  switch (types.output) {
    case OutputType::uint8: conv.output = output; break;
    case OutputType::int8: conv.output_int8 = reinterpret_cast<std::int8_t*>(output); break;
    case OutputType::int32: conv.output_int32 = reinterpret_cast<std::int32_t*>(output); break;
  }
  return conv;
}

std::array<NamedBuffer, 6> KernelCall::named_buffers() const {
  const Buffers& b = buffers_;
  return {{{"output", &b.output},
           {"activation", &b.activation},
           {"weight", &b.weight},
           {"bias", &b.bias},
           {"weight_scales", &b.weight_scales},
           {"weight_zero_points", &b.weight_zero_points}}};
}

std::string KernelCall::find_wrong_write(const ConvCase& c, const Inputs& inputs) const {
  const Buffers& b = buffers_;
  const auto all = named_buffers();
  std::vector<NamedBuffer> placed(all.begin(), all.end());
  if (!has_bias(c)) std::erase_if(placed, [&](const NamedBuffer& named) { return named.buffer == &b.bias; });
  if (std::string stray = find_stray_write(placed); !stray.empty()) return stray;
  const bool intact = holds(b.activation, inputs.activation) && holds(b.weight, inputs.weight) &&
                      (c.bias.empty() || holds(b.bias, c.bias)) &&
                      (c.int32_bias.empty() || holds(b.bias, c.int32_bias)) &&
                      holds(b.weight_scales, c.weight_scales) && holds(b.weight_zero_points, c.weight_zero_points);
  return intact ? "" : kWritesIntoInputs;
}

tl::expected<Answers, SubjectError> KernelCall::run(KernelFunction kernel, const KernelTraits& traits,
                                                    const ConvProblem& problem, const Conditions& conditions) {
  const ConvCase& c = problem.spec;
  if (const std::string_view reason = refusal(traits.types, c); !reason.empty()) {
    return tl::unexpected(SubjectError{SubjectError::Kind::declined, std::string(reason)});
  }
  const bool activation_last = traits.activation == Order::channels_last;
  Inputs inputs{
      .activation = activation_last ? transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input))
                                    : problem.activation,
      .weight = traits.weight == Order::channels_last
                    ? transposed(problem.weight.data(), c.out_channels, c.in_channels / c.groups, volume(c.kernel))
                    : problem.weight};
  if (traits.types.activation == ActivationType::int8) shift_by_128(inputs.activation);
  const tieout_conv given = place_buffers(c, inputs, traits, conditions);
  tieout_conv conv = given;
  const auto buffers = named_buffers();
  const CallResult result = call_guarded([&] { return kernel(&conv); }, conditions, buffers);
  std::string wrong_write = find_wrong_write(c, inputs);
  if (wrong_write.empty() && std::memcmp(&given, &conv, sizeof conv) != 0) wrong_write = kWritesIntoInputs;
  if (auto error = error_of(result, std::move(wrong_write))) return tl::unexpected(std::move(*error));
  Answers y{output_shape(c), values_of(buffers_.output.bytes(), traits.types.output)};
  if (activation_last) {
    y.values = transposed(y.values.data(), c.batch, volume(output_size(c)), c.out_channels);
  }
  return y;
}

}  // namespace tieout
