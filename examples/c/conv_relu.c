// A plain kernel in C: one loop nest for 1-d, 2-d and 3-d convolutions, with layouts NCHW and OIHW. It follows FBGEMM's
// exact contract bit for bit.
//
//   cc -O2 -ffp-contract=off -shared -fPIC conv_relu.c -lm -o libconv_relu.so
//   tieout fuzz --subject ./libconv_relu.so

#include <math.h>
#include <stddef.h>
#include <tieout_kernel.h>

// Returns the offset of the element (k, d, h, w) in an array of extents ... x n[0] x n[1] x n[2].
static int64_t at(int64_t k, const int64_t n[3], int64_t d, int64_t h, int64_t w) {
  return ((k * n[0] + d) * n[1] + h) * n[2] + w;
}

// Returns the exact sum of products of one window, with zero points subtracted, modulo 2^32. o: output position.
static int32_t sum(const struct tieout_conv* c, int64_t n, int64_t k, const int64_t o[3]) {
  const int64_t channels = c->in_channels / c->groups;
  const int64_t first = k / (c->out_channels / c->groups) * channels;
  const int64_t wz = c->weight_zero_points[c->per_channel ? k : 0];
  int64_t total = 0;
  for (int64_t i = 0; i < channels; ++i) {
    for (int64_t kd = 0; kd < c->kernel[0]; ++kd) {
      for (int64_t kh = 0; kh < c->kernel[1]; ++kh) {
        for (int64_t kw = 0; kw < c->kernel[2]; ++kw) {
          const int64_t d = o[0] * c->stride[0] + kd * c->dilation[0] - c->padding[0];
          const int64_t h = o[1] * c->stride[1] + kh * c->dilation[1] - c->padding[1];
          const int64_t w = o[2] * c->stride[2] + kw * c->dilation[2] - c->padding[2];
          if (d < 0 || d >= c->input[0] || h < 0 || h >= c->input[1] || w < 0 || w >= c->input[2]) continue;
          const int64_t x = c->activation[at(n * c->in_channels + first + i, c->input, d, h, w)];
          const int64_t weight = c->weight[at(k * channels + i, c->kernel, kd, kh, kw)];
          total += (x - c->activation_zero_point) * (weight - wz);
        }
      }
    }
  }
  return (int32_t)(uint32_t)(uint64_t)total;
}

static uint8_t requantize(const struct tieout_conv* c, int64_t k, int32_t raw) {
  const float unit = (float)c->activation_scale * (float)c->weight_scales[c->per_channel ? k : 0];
  float s = (float)raw;
  if (c->bias) s = c->per_channel ? s + c->bias[k] / unit : fmaf(c->bias[k], 1.0F / unit, s);
  s *= unit / (float)c->output_scale;
  const float rounded = nearbyintf(s);
  int64_t q = rounded >= -0x1p31F && rounded < 0x1p31F ? (int64_t)rounded : INT32_MIN;
  q = q < -32768 ? -32768 : q > 32767 ? 32767 : q;
  q += c->output_zero_point;
  const int64_t low = c->relu ? c->output_zero_point : 0;
  return (uint8_t)(q < low ? low : q > 255 ? 255 : q);
}

const char* tieout_conv_relu(const struct tieout_conv* c) {
  uint8_t* y = c->output;
  for (int64_t n = 0; n < c->batch; ++n) {
    for (int64_t k = 0; k < c->out_channels; ++k) {
      int64_t o[3];
      for (o[0] = 0; o[0] < c->output_size[0]; ++o[0]) {
        for (o[1] = 0; o[1] < c->output_size[1]; ++o[1]) {
          for (o[2] = 0; o[2] < c->output_size[2]; ++o[2]) *y++ = requantize(c, k, sum(c, n, k, o));
        }
      }
    }
  }
  return NULL;
}
