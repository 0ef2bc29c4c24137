// A kernel as TensorFlow Lite's are: int8 activations and outputs, channels last, an int32 bias in units of xs * ws,
// padding of its own on each side. It follows FBGEMM's exact contract bit for bit.
//
//   cc -O2 -ffp-contract=off -shared -fPIC int8_conv.c -lm -o libint8_conv.so
//   tieout fuzz --subject ./libint8_conv.so

#include <math.h>
#include <stddef.h>
#include <tieout_kernel.h>

// Returns the sum of one window with the bias, modulo 2^32. o: output position.
static int32_t sum(const struct tieout_conv* c, int64_t n, int64_t k, const int64_t o[3]) {
  const int64_t channels = c->in_channels / c->groups;
  const int64_t first = k / (c->out_channels / c->groups) * channels;
  const int8_t* w = c->weight + k * c->kernel[0] * c->kernel[1] * c->kernel[2] * channels;
  int64_t total = c->int32_bias ? c->int32_bias[k] : 0;
  for (int64_t d = o[0] * c->stride[0] - c->padding[0], kd = 0; kd < c->kernel[0]; ++kd, d += c->dilation[0]) {
    for (int64_t h = o[1] * c->stride[1] - c->padding[1], kh = 0; kh < c->kernel[1]; ++kh, h += c->dilation[1]) {
      for (int64_t v = o[2] * c->stride[2] - c->padding[2], kw = 0; kw < c->kernel[2]; ++kw, v += c->dilation[2]) {
        const int inside = d >= 0 && d < c->input[0] && h >= 0 && h < c->input[1] && v >= 0 && v < c->input[2];
        const int64_t pixel = ((n * c->input[0] + d) * c->input[1] + h) * c->input[2] + v;
        for (int64_t i = 0; i < channels; ++i, ++w) {
          if (!inside) continue;  // x is its zero point there
          const int64_t x = c->activation_int8[pixel * c->in_channels + first + i] - c->activation_zero_point;
          total += x * (*w - c->weight_zero_points[c->per_channel ? k : 0]);
        }
      }
    }
  }
  return (int32_t)(uint32_t)(uint64_t)total;
}

static int8_t requantize(const struct tieout_conv* c, int64_t k, int32_t raw) {
  const float unit = (float)c->activation_scale * (float)c->weight_scales[c->per_channel ? k : 0];
  const float rounded = nearbyintf((float)raw * (unit / (float)c->output_scale));
  int64_t q = rounded >= -0x1p31F && rounded < 0x1p31F ? (int64_t)rounded : INT32_MIN;  // also for NaN
  q = (q < -32768 ? -32768 : q > 32767 ? 32767 : q) + c->output_zero_point;
  const int64_t low = c->relu ? c->output_zero_point : -128;
  return (int8_t)(q < low ? low : q > 127 ? 127 : q);
}

const char* tieout_conv_relu(const struct tieout_conv* c) {
  int8_t* y = c->output_int8;
  const int64_t* size = c->output_size;
  for (int64_t at = 0; at < c->batch * size[0] * size[1] * size[2]; ++at) {
    const int64_t o[3] = {at / (size[1] * size[2]) % size[0], at / size[2] % size[1], at % size[2]};
    const int64_t n = at / (size[0] * size[1] * size[2]);
    for (int64_t k = 0; k < c->out_channels; ++k) *y++ = requantize(c, k, sum(c, n, k, o));
  }
  return NULL;
}

static const struct tieout_kernel_info info = {
    .size = sizeof info, .version = TIEOUT_KERNEL_VERSION,
    .activation_layout = TIEOUT_NHWC, .weight_layout = TIEOUT_OHWI,
    .activation_type = TIEOUT_INT8, .output_type = TIEOUT_INT8, .int32_bias = 1, .end_padding = 1};

const struct tieout_kernel_info* tieout_describe(void) { return &info; }
