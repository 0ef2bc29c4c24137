#pragma once
/* The C interface of quantized operators other than convolutions, which Tieout verifies: additions, multiplications,
 * concatenations, poolings and the others that `tieout help operators` lists. It is plain C99.
 *
 * A kernel is a shared library that exports tieout_run_operator(), beside or instead of tieout_conv_relu(). Linear
 * layers are convolutions of one position: see tieout_kernel.h. This is a complete kernel for relu:
 *
 *   #include <tieout_operator.h>
 *   #include <string.h>
 *
 *   const char* tieout_run_operator(const struct tieout_operator* c) {
 *     if (strcmp(c->name, "relu") != 0) return "relu only";
 *     const struct tieout_tensor* x = &c->inputs[0];
 *     for (int64_t i = 0; i < x->count; ++i) c->output[i] = x->bytes[i] < x->zero_point ? x->zero_point : x->bytes[i];
 *     return NULL;
 *   }
 *
 * and then: tieout fuzz --operator relu --subject ./libmine.so
 */
/* NOLINTBEGIN(readability-identifier-naming, modernize-deprecated-headers, modernize-use-nullptr): this is C */

#include <stdint.h>
#include <string.h>

#include "tieout_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A dense tensor in row-major order, or, if tieout_describe() declares TIEOUT_NHWC and the tensor has 4 or 5
 * dimensions, with the channels last; `shape` is N, C, D, H, W in both. A stored value q stands for the real number
 * scale * (q - zero_point). This struct and tieout_attribute never change, because there are arrays of them. */
struct tieout_tensor {
  int64_t rank, count;  /* number of dimensions and of elements */
  const int64_t* shape; /* `rank` extents */
  const uint8_t* bytes; /* `count` values; NULL if the tensor has floats */
  const float* floats;  /* the input of `quantize`; NULL otherwise */
  double scale;
  int64_t zero_point; /* 0..255 */
};

/* The numbers of an attribute, such as "kernel" of a pooling: `tieout help operators` states name, kind and default of
 * each. Extents have one number for each spatial dimension; a flag is 0 or 1. */
struct tieout_attribute {
  const char* name;
  int64_t count;
  const double* values;
};

/* One call. Buffers are aligned to their element only (see tieout_kernel_info.alignment) and end where their last
 * element ends: a kernel must not access the bytes behind it. */
struct tieout_operator {
  uint64_t size; /* sizeof(struct tieout_operator) in the caller */

  const char* name; /* "add" */
  int64_t input_count;
  const struct tieout_tensor* inputs;
  int64_t attribute_count;
  const struct tieout_attribute* attributes; /* all attributes of the operator */

  int64_t output_rank, output_count;
  const int64_t* output_shape;
  double output_scale;
  int64_t output_zero_point;
  uint8_t* output;      /* output_count values, to be written; NULL for `dequantize` */
  float* output_floats; /* of `dequantize`; NULL otherwise */
};

/* Returns NULL if the output is written, or the reason for which the kernel declines the call, as tieout_conv_relu()
 * does. */
__attribute__((visibility("default"))) const char* tieout_run_operator(const struct tieout_operator* call);

/* Returns the numbers of the attribute of that name, or NULL if the operator does not have it. */
static inline const double* tieout_attribute_values(const struct tieout_operator* call, const char* name) {
  for (int64_t i = 0; i < call->attribute_count; ++i) {
    if (strcmp(call->attributes[i].name, name) == 0) return call->attributes[i].values;
  }
  return NULL;
}

#ifdef __cplusplus
}
#endif
/* NOLINTEND(readability-identifier-naming, modernize-deprecated-headers, modernize-use-nullptr) */
