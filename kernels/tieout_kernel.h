#pragma once
/* The C interface of an int8 convolution kernel that Tieout verifies. It is plain C99, so that any language can
 * implement it.
 *
 * A kernel is a shared library that exports tieout_conv_relu(), and tieout_describe() if it needs other layouts than
 * NCHW and OIHW. This is a complete kernel for 1x1 convolutions of one channel:
 *
 *   #include <tieout_kernel.h>
 *
 *   const char* tieout_conv_relu(const struct tieout_conv* c) {
 *     if (c->in_channels != 1 || c->out_channels != 1) return "one channel only";
 *     ...                                       // writes c->output
 *     return NULL;
 *   }
 *
 * and then: tieout fuzz --subject ./libmine.so
 */
/* NOLINTBEGIN(readability-identifier-naming, modernize-deprecated-headers): the names and headers of C */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. Fields are appended to the structs and never moved; the field `size` of a struct tells
 * which fields it has. A kernel compiled with an earlier header of the same version therefore keeps working. */
enum { TIEOUT_KERNEL_VERSION = 1 };

enum { TIEOUT_NCHW = 0, TIEOUT_NHWC = 1 }; /* activation and output; 3-d: NCDHW, NDHWC; 1-d: NCW, NWC */
enum { TIEOUT_OIHW = 0, TIEOUT_OHWI = 1 }; /* weight, with depth and height alike; I is in_channels / groups */
enum { TIEOUT_UINT8 = 0, TIEOUT_INT8 = 1, TIEOUT_INT32 = 2 };

/* One problem. A stored value q stands for the real number scale * (q - zero_point).
 *
 *   output = quantize(relu(conv(activation, weight) + bias))
 *
 * Bit for bit, FBGEMM's contract, where fl() rounds to float32, to nearest, ties to even:
 *   raw = sum of (x - activation_zero_point) * (w - weight_zero_points[k])     int32
 *   A   = fl(fl(activation_scale) * fl(weight_scales[k])); M = fl(A / fl(output_scale))
 *   s   = fl(raw);  bias, per channel: fl(s + fl(bias[k] / A));  per tensor: fmaf(bias[k], fl(1 / A), s)
 *   q   = clamp(round fl(s * M) to nearest, ties to even, -32768, 32767) + output_zero_point; what does not fit int32
 *         is INT32_MIN before the clamp
 *   y   = clamp(q, relu ? output_zero_point : 0, 255)
 * Outside of the input, x is activation_zero_point.
 *
 * A kernel that declares other types (see tieout_kernel_info) gets and returns these:
 *   int8 activation, int8 output   the values and zero points are -128..127, and y is clamped to that range
 *   int32 bias                     raw += int32_bias[k], int32, wraps; there is no float bias
 *   int32 output                   y = raw; output_scale, output_zero_point and relu are 1, 0 and 0
 *
 * A linear layer of N rows, C inputs and K outputs is a 2-d problem of batch N with one position: input, kernel, stride
 * and output_size are 1, and there is one group.
 *
 * Spatial arrays are depth, height, width: a 2-d problem has depth 1, a 1-d problem depth and height 1, so that one
 * loop nest handles all three. Buffers are dense, aligned to their element only (see tieout_kernel_info.alignment) and
 * end where their last element ends: a kernel must not access the bytes behind it. */
struct tieout_conv {
  uint64_t size; /* sizeof(struct tieout_conv) in the caller */

  int64_t dims; /* 1, 2 or 3 */
  int64_t batch, in_channels, out_channels, groups;
  int64_t input[3], kernel[3], stride[3];
  int64_t padding[3], dilation[3]; /* padding on both sides, or before the input: see padding_end */
  int64_t output_size[3]; /* floor((input + padding + padding_end - dilation * (kernel - 1) - 1) / stride) + 1 */

  double activation_scale;
  int64_t activation_zero_point;     /* 0..255; int8: -128..127 */
  int64_t per_channel;               /* 1: weights have scale and zero point per output channel; 0: one for all */
  const double* weight_scales;       /* out_channels values, or 1 */
  const int64_t* weight_zero_points; /* as many values; -128..127 */
  double output_scale;
  int64_t output_zero_point; /* 0..255; int8: -128..127 */
  int64_t relu;              /* 1: y = max(y, output_zero_point) */

  const float* bias;         /* out_channels values in real units, or NULL */
  const uint8_t* activation; /* batch x in_channels x input, in the kernel's layout; int8: NULL */
  const int8_t* weight;      /* out_channels x in_channels / groups x kernel, in the kernel's layout */
  uint8_t* output;           /* batch x out_channels x output_size, to be written, in the kernel's layout; else NULL */

  /* The fields below are for kernels that declare them in tieout_kernel_info. */
  int64_t padding_end[3];        /* padding behind the input; equal to `padding` unless the kernel takes others */
  const int8_t* activation_int8; /* in place of `activation` */
  const int32_t* int32_bias;     /* out_channels values in units of activation_scale * weight_scales[k], or NULL */
  int8_t* output_int8;           /* in place of `output` */
  int32_t* output_int32;         /* in place of `output` */
};

/* Returns NULL if the output is written. Otherwise the kernel declines the problem and returns the reason in a few
 * words, such as "groups"; the text belongs to the kernel and must remain valid. Cases are counted by reason. The
 * function may be called from any thread, one call at a time. */
__attribute__((visibility("default"))) const char* tieout_conv_relu(const struct tieout_conv* conv);

/* The properties that a kernel declares. Fields that are 0 or NULL have their default. Name and domain belong to the
 * kernel and must remain valid. */
struct tieout_kernel_info {
  uint64_t size;             /* sizeof(struct tieout_kernel_info) */
  uint64_t version;          /* TIEOUT_KERNEL_VERSION */
  const char* name;          /* for reports, which show at most 60 characters; NULL: the file name */
  int64_t activation_layout; /* of activation and output: TIEOUT_NCHW or TIEOUT_NHWC */
  int64_t weight_layout;     /* TIEOUT_OIHW or TIEOUT_OHWI */
  int64_t alignment;         /* of every buffer, in bytes, a power of two up to 4096; 0: the element's own */

  /* The problems that the kernel takes, such as "dims=2 kernel=3x3 stride=1 in_channels%16=0": random cases are then
   * drawn among these only. The words are those of `tieout fuzz --where`. NULL: every problem. The kernel is free to
   * decline further ones. */
  const char* domain;

  /* The types that the kernel takes and returns. Cases of other types are converted where that is exact, which is so
   * between uint8 and int8, and declined where it is not. Random cases are drawn in these types. */
  int64_t activation_type; /* TIEOUT_UINT8 or TIEOUT_INT8 */
  int64_t output_type;     /* TIEOUT_UINT8, TIEOUT_INT8 or TIEOUT_INT32 */
  int64_t int32_bias;      /* 1: the bias is int32 and not float */
  int64_t end_padding;     /* 1: the kernel takes padding that differs between the sides; 0: such cases are declined */

  /* The operators that tieout_run_operator() takes, separated by spaces: "add mul cat". `tieout fuzz` then draws cases
   * of these only. NULL: not stated. See tieout_operator.h. */
  const char* operators;
};

/* Optional. Returns the kernel's properties; the struct belongs to the kernel and must remain valid. */
__attribute__((visibility("default"))) const struct tieout_kernel_info* tieout_describe(void);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(readability-identifier-naming, modernize-deprecated-headers) */
