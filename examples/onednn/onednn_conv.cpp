// Calls oneDNN (Debian's libdnnl 2.6) directly, as a port to it would. oneDNN takes the scales as one factor xs * ws /
// os of the output, and the bias in units of the sum.
//
// The example shows how this differs from PyTorch: tieout identify --subject ./libonednn_conv.so

#include <tieout_kernel.h>

#include <cmath>
#include <cstdint>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

namespace {

using dnnl::memory;

// Returns those of depth, height and width that the problem has, each minus `less`.
memory::dims own(const tieout_conv& c, const std::int64_t* spatial, std::int64_t less = 0) {
  memory::dims dims;
  for (std::int64_t d = 3 - c.dims; d < 3; ++d) dims.push_back(spatial[d] - less);
  return dims;
}

memory::dims with(memory::dims front, const memory::dims& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

memory::format_tag plain(std::size_t dims) {
  constexpr memory::format_tag kTags[]{memory::format_tag::a,    memory::format_tag::ab,    memory::format_tag::abc,
                                       memory::format_tag::abcd, memory::format_tag::abcde, memory::format_tag::abcdef};
  return kTags[dims - 1];
}

memory::desc description(const memory::dims& dims, memory::data_type type) { return {dims, type, plain(dims.size())}; }

void convolve(const tieout_conv& c) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc x = description(with({c.batch, c.in_channels}, own(c, c.input)), memory::data_type::u8);
  const memory::desc w = description(
      with({c.groups, c.out_channels / c.groups, c.in_channels / c.groups}, own(c, c.kernel)), memory::data_type::s8);
  const memory::desc b({c.out_channels}, memory::data_type::f32, memory::format_tag::a);
  const memory::desc y = description(with({c.batch, c.out_channels}, own(c, c.output_size)), memory::data_type::u8);

  std::vector<float> scales;
  std::vector<float> bias;
  const auto xs = static_cast<float>(c.activation_scale);
  for (std::int64_t k = 0; k < (c.per_channel ? c.out_channels : 1); ++k) {
    scales.push_back(xs * static_cast<float>(c.weight_scales[k]) / static_cast<float>(c.output_scale));
  }
  for (std::int64_t k = 0; c.bias && k < c.out_channels; ++k) {
    bias.push_back(c.bias[k] / (xs * static_cast<float>(c.weight_scales[c.per_channel ? k : 0])));
  }
  dnnl::primitive_attr attributes;
  attributes.set_output_scales(c.per_channel ? 1 << 1 : 0, scales);
  attributes.set_zero_points(DNNL_ARG_SRC, 0, {static_cast<std::int32_t>(c.activation_zero_point)});
  attributes.set_zero_points(DNNL_ARG_DST, 0, {static_cast<std::int32_t>(c.output_zero_point)});
  if (c.relu) {
    dnnl::post_ops relu;
    relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(relu);
  }
  const memory::dims padding = own(c, c.padding);
  const dnnl::convolution_forward::desc what(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, x,
                                             w, c.bias ? b : memory::desc(), y, own(c, c.stride), own(c, c.dilation, 1),
                                             padding, padding);
  const dnnl::convolution_forward convolution({what, attributes, engine});
  const memory source(x, engine, const_cast<std::uint8_t*>(c.activation));
  const memory weights(w, engine, const_cast<std::int8_t*>(c.weight));
  const memory destination(y, engine, c.output);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, destination}};
  if (c.bias) arguments.emplace(DNNL_ARG_BIAS, memory(b, engine, bias.data()));
  convolution.execute(stream, arguments);
  stream.wait();
}

}  // namespace

const char* tieout_conv_relu(const tieout_conv* c) {
  for (std::int64_t k = 0; k < (c->per_channel ? c->out_channels : 1); ++k) {
    if (c->weight_zero_points[k] != 0) return "weight zero points";
  }
  if (c->batch == 0) return "an empty batch";
  try {
    convolve(*c);
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return "oneDNN has no implementation";
    throw;
  }
  return nullptr;
}
