// A 1x1 convolution with channels last, computed as one matrix product. It declines other convolutions.

#include <math.h>
#include <stddef.h>
#include <tieout_kernel.h>

static const struct tieout_kernel_info kInfo = {.size = sizeof kInfo,
                                                .version = TIEOUT_KERNEL_VERSION,
                                                .activation_layout = TIEOUT_NHWC,
                                                .weight_layout = TIEOUT_OHWI};

const struct tieout_kernel_info* tieout_describe(void) { return &kInfo; }

const char* tieout_conv_relu(const struct tieout_conv* c) {
  int64_t pixels = c->batch;
  for (int d = 0; d < 3; ++d) {
    if (c->kernel[d] != 1 || c->stride[d] != 1 || c->padding[d] != 0) return "other than 1x1";
    pixels *= c->input[d];
  }
  if (c->groups != 1) return "groups";

  const int64_t channels = c->in_channels;
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (int64_t k = 0; k < c->out_channels; ++k) {
      const int64_t p = c->per_channel ? k : 0;
      const uint8_t* const x = c->activation + pixel * channels;
      const int8_t* const w = c->weight + k * channels;
      int64_t sum = 0;
      for (int64_t i = 0; i < channels; ++i) {
        sum += (x[i] - c->activation_zero_point) * (w[i] - c->weight_zero_points[p]);
      }
      const float unit = (float)c->activation_scale * (float)c->weight_scales[p];
      float s = (float)(int32_t)(uint32_t)(uint64_t)sum;
      if (c->bias) s = c->per_channel ? s + c->bias[k] / unit : fmaf(c->bias[k], 1.0F / unit, s);
      s = nearbyintf(s * (unit / (float)c->output_scale));
      int64_t q = s >= -0x1p31F && s < 0x1p31F ? (int64_t)s : INT32_MIN;
      q = (q < -32768 ? -32768 : q > 32767 ? 32767 : q) + c->output_zero_point;
      const int64_t low = c->relu ? c->output_zero_point : 0;
      c->output[pixel * c->out_channels + k] = (uint8_t)(q < low ? low : q > 255 ? 255 : q);
    }
  }
  return NULL;
}
