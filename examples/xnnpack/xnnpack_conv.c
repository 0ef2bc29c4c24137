// Calls XNNPACK's int8 convolution, to which TensorFlow Lite and ExecuTorch pass theirs. XNNPACK comes from the wheel
// of ExecuTorch, which has no header for it, so that the functions are declared here.
//
//   tieout fuzz --subject ./libxnnpack_conv.so --reference hypothesis:xnnpack
//
// XNNPACK takes and returns int8, with an int32 bias in units of xs * ws and padding for each side: what
// tieout_describe() declares here.

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <tieout_kernel.h>

typedef struct xnn_operator* xnn_operator_t;
enum { kSuccess = 0 };

int xnn_initialize(const void* allocator);
int xnn_create_convolution2d_nhwc_qs8_qc8w(uint32_t padding_top, uint32_t padding_right, uint32_t padding_bottom,
                                           uint32_t padding_left, uint32_t kernel_height, uint32_t kernel_width,
                                           uint32_t stride_height, uint32_t stride_width, uint32_t dilation_height,
                                           uint32_t dilation_width, uint32_t groups, size_t group_input_channels,
                                           size_t group_output_channels, size_t input_channel_stride,
                                           size_t output_channel_stride, int8_t input_zero_point, float input_scale,
                                           const float* kernel_scale, const int8_t* kernel, const int32_t* bias,
                                           int8_t output_zero_point, float output_scale, int8_t output_min,
                                           int8_t output_max, uint32_t flags, void* weights_cache,
                                           xnn_operator_t* convolution);
int xnn_reshape_convolution2d_nhwc_qs8_qc8w(xnn_operator_t convolution, size_t batch, size_t height, size_t width,
                                            size_t* workspace_size, size_t* output_height, size_t* output_width,
                                            void* threadpool);
int xnn_setup_convolution2d_nhwc_qs8_qc8w(xnn_operator_t convolution, void* workspace, const int8_t* input,
                                          int8_t* output);
int xnn_run_operator(xnn_operator_t convolution, void* threadpool);
int xnn_delete_operator(xnn_operator_t convolution);

// Returns true if some value before rounding may lie below int32. XNNPACK's kernels differ there: those for AVX-512 add
// the zero point to INT32_MIN, which wraps to the highest output, and others saturate.
static int may_fall_below_int32(const struct tieout_conv* c, const float* scales) {
  const double products = (double)(c->in_channels / c->groups * c->kernel[1] * c->kernel[2]) * 255 * 128;
  for (int64_t k = 0; k < c->out_channels; ++k) {
    const double bias = c->int32_bias ? c->int32_bias[k] : 0;
    const double lowest = bias + products >= 0x1p31 ? -0x1p31 : fmax(bias - products, -0x1p31);  // the sum wraps
    const double multiplier = (float)c->activation_scale * scales[k] / (float)c->output_scale;
    if (!(lowest * multiplier >= -0x1p31)) return 1;
  }
  return 0;
}

// Creates the operator. scales: out_channels values.
static int create(const struct tieout_conv* c, const float* scales, xnn_operator_t* convolution) {
  const int8_t oz = (int8_t)c->output_zero_point;
  return xnn_create_convolution2d_nhwc_qs8_qc8w(
      (uint32_t)c->padding[1], (uint32_t)c->padding_end[2], (uint32_t)c->padding_end[1], (uint32_t)c->padding[2],
      (uint32_t)c->kernel[1], (uint32_t)c->kernel[2], (uint32_t)c->stride[1], (uint32_t)c->stride[2],
      (uint32_t)c->dilation[1], (uint32_t)c->dilation[2], (uint32_t)c->groups, (size_t)(c->in_channels / c->groups),
      (size_t)(c->out_channels / c->groups), (size_t)c->in_channels, (size_t)c->out_channels,
      (int8_t)c->activation_zero_point, (float)c->activation_scale, scales, c->weight, c->int32_bias, oz,
      (float)c->output_scale, c->relu ? oz : INT8_MIN, INT8_MAX, 0, NULL, convolution);
}

static int run(const struct tieout_conv* c, xnn_operator_t convolution, const int8_t* input) {
  size_t workspace_size = 0;
  size_t height = 0;
  size_t width = 0;
  if (xnn_reshape_convolution2d_nhwc_qs8_qc8w(convolution, (size_t)c->batch, (size_t)c->input[1], (size_t)c->input[2],
                                              &workspace_size, &height, &width, NULL) != kSuccess) {
    return 0;
  }
  void* const workspace = aligned_alloc(64, (workspace_size + 127) / 64 * 64);
  const int done = xnn_setup_convolution2d_nhwc_qs8_qc8w(convolution, workspace, input, c->output_int8) == kSuccess &&
                   xnn_run_operator(convolution, NULL) == kSuccess;
  free(workspace);
  return done;
}

const char* tieout_conv_relu(const struct tieout_conv* c) {
  if (c->dims == 3) return "3-d convolutions";
  if (c->batch == 0) return "an empty batch";
  for (int64_t k = 0; k < (c->per_channel ? c->out_channels : 1); ++k) {
    if (c->weight_zero_points[k] != 0) return "weight zero points";
  }
  if (xnn_initialize(NULL) != kSuccess) return "XNNPACK does not support this CPU";
  const size_t channels = (size_t)c->out_channels;
  const size_t inputs = (size_t)(c->batch * c->in_channels * c->input[1] * c->input[2]);
  enum { kReadAhead = 128 };  // bytes that XNNPACK may read behind the input
  float* const scales = malloc(channels * sizeof(float));
  int8_t* const input = calloc(inputs + kReadAhead, 1);
  for (size_t k = 0; k < channels; ++k) scales[k] = (float)c->weight_scales[c->per_channel ? k : 0];
  memcpy(input, c->activation_int8, inputs);
  xnn_operator_t convolution = NULL;
  const char* declined = NULL;
  if (may_fall_below_int32(c, scales)) {
    declined = "values that may be too low to convert";
  } else if (create(c, scales, &convolution) != kSuccess) {
    declined = "XNNPACK refuses the scales";
  } else if (!run(c, convolution, input)) {
    declined = "XNNPACK refuses the shape";
  }
  xnn_delete_operator(convolution);
  free(scales);
  free(input);
  return declined;
}

const struct tieout_kernel_info* tieout_describe(void) {
  static const struct tieout_kernel_info kInfo = {.size = sizeof(struct tieout_kernel_info),
                                                  .version = TIEOUT_KERNEL_VERSION,
                                                  .name = "XNNPACK",
                                                  .activation_layout = TIEOUT_NHWC,
                                                  .weight_layout = TIEOUT_OHWI,
                                                  .domain = "dims<=2 wz=0",
                                                  .activation_type = TIEOUT_INT8,
                                                  .output_type = TIEOUT_INT8,
                                                  .int32_bias = 1,
                                                  .end_padding = 1};
  return &kInfo;
}
