/* Additions, multiplications, concatenations and poolings, written plainly. Compile it with -ffp-contract=off:
 *
 *   cc -std=c11 -O2 -ffp-contract=off -shared -fPIC operators.c -o liboperators.so -lm
 *   tieout fuzz --subject ./liboperators.so
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <tieout_operator.h>

enum { MOST_DIMS = 5 };

/* ---- Quantization. */

static float real_of(int q, const struct tieout_tensor* x) { return (float)x->scale * (float)(q - x->zero_point); }

/* Returns the byte of a value in units of the output's scale. */
static uint8_t byte_of_scaled(double scaled, int64_t zero_point) {
  const double rounded = nearbyint(scaled) + (double)zero_point; /* ties to even, the default rounding mode */
  if (!(rounded > 0)) return 0;
  return rounded < 255 ? (uint8_t)rounded : 255;
}

static uint8_t byte_of(float real, const struct tieout_operator* c) {
  const float inverse = 1.0f / (float)c->output_scale;
  return byte_of_scaled(real * inverse, c->output_zero_point);
}

static int has_flag(const struct tieout_operator* c, const char* name) {
  return tieout_attribute_values(c, name)[0] != 0;
}

/* ---- Elementwise operators. */

/* Returns the index of the element of x that belongs to element i of the output: dimensions are aligned at the last
 * one, and those of extent 1 are repeated. */
static int64_t source_of(int64_t i, const struct tieout_operator* c, const struct tieout_tensor* x) {
  int64_t index = 0, step = 1;
  for (int64_t back = 1; back <= c->output_rank; ++back) {
    const int64_t extent = c->output_shape[c->output_rank - back];
    const int64_t at = i % extent;
    i /= extent;
    if (back > x->rank) continue;
    if (x->shape[x->rank - back] != 1) index += at * step;
    step *= x->shape[x->rank - back];
  }
  return index;
}

static const char* add(const struct tieout_operator* c) {
  const struct tieout_tensor *a = &c->inputs[0], *b = &c->inputs[1];
  for (int64_t i = 0; i < c->output_count; ++i) {
    float sum = real_of(a->bytes[source_of(i, c, a)], a) + real_of(b->bytes[source_of(i, c, b)], b);
    if (has_flag(c, "relu") && sum < 0) sum = 0;
    c->output[i] = byte_of(sum, c);
  }
  return NULL;
}

/* The product is an integer, and is scaled once. */
static const char* mul(const struct tieout_operator* c) {
  const struct tieout_tensor *a = &c->inputs[0], *b = &c->inputs[1];
  const float inverse = 1.0f / (float)c->output_scale;
  const float multiplier = (float)a->scale * (float)b->scale * inverse;
  for (int64_t i = 0; i < c->output_count; ++i) {
    const int64_t product =
        (a->bytes[source_of(i, c, a)] - a->zero_point) * (b->bytes[source_of(i, c, b)] - b->zero_point);
    uint8_t y = byte_of_scaled((float)product * multiplier, c->output_zero_point);
    if (has_flag(c, "relu") && y < c->output_zero_point) y = (uint8_t)c->output_zero_point;
    c->output[i] = y;
  }
  return NULL;
}

/* ---- Concatenation. */

static const char* cat(const struct tieout_operator* c) {
  int64_t dim = (int64_t)tieout_attribute_values(c, "dim")[0];
  if (dim < 0) dim += c->output_rank;
  int64_t outer = 1, inner = 1;
  for (int64_t d = 0; d < dim; ++d) outer *= c->output_shape[d];
  for (int64_t d = dim + 1; d < c->output_rank; ++d) inner *= c->output_shape[d];
  uint8_t* y = c->output;
  for (int64_t row = 0; row < outer; ++row) {
    for (int64_t k = 0; k < c->input_count; ++k) {
      const struct tieout_tensor* x = &c->inputs[k];
      const int64_t run = x->shape[dim] * inner;
      for (int64_t i = 0; i < run; ++i) {
        float real = real_of(x->bytes[row * run + i], x);
        if (has_flag(c, "relu") && real < 0) real = 0;
        *y++ = byte_of(real, c);
      }
    }
  }
  return NULL;
}

/* ---- Poolings. */

/* A window of an input of one to three spatial dimensions, as one of three: missing ones, in front, have extent 1. */
struct window {
  int64_t first[3], count[3], step[3], extent[3];
};

static double attribute_of(const struct tieout_operator* c, const char* name, int64_t spatial, int64_t standard) {
  return spatial < 0 ? (double)standard : tieout_attribute_values(c, name)[spatial];
}

/* Returns the window of element i of the output, and sets the first element of its plane. */
static struct window window_of(const struct tieout_operator* c, int64_t i, int has_dilation, int64_t* plane) {
  const int64_t dims = c->output_rank - 2;
  struct window w;
  for (int64_t d = 2; d >= 0; --d) {
    const int64_t spatial = d - (3 - dims); /* negative for a missing dimension */
    const int64_t outputs = spatial < 0 ? 1 : c->output_shape[2 + spatial];
    const int64_t stride = (int64_t)attribute_of(c, "stride", spatial, 1);
    const int64_t padding = (int64_t)attribute_of(c, "padding", spatial, 0);
    w.first[d] = i % outputs * stride - padding;
    w.count[d] = (int64_t)attribute_of(c, "kernel", spatial, 1);
    w.step[d] = has_dilation ? (int64_t)attribute_of(c, "dilation", spatial, 1) : 1;
    w.extent[d] = spatial < 0 ? 1 : c->inputs[0].shape[2 + spatial];
    i /= outputs;
  }
  *plane = i * w.extent[0] * w.extent[1] * w.extent[2];
  return w;
}

/* Sets the largest byte, the sum of the differences from the zero point, and the number of elements within the input.
 * Returns the number of elements of the window within the input and its padding. */
static int64_t reduce(const struct tieout_operator* c, const struct window* w, int64_t plane, int* largest,
                      int64_t* sum, int64_t* inside) {
  const struct tieout_tensor* x = &c->inputs[0];
  int64_t padded = 1;
  const int64_t dims = c->output_rank - 2;
  for (int64_t d = 0; d < 3; ++d) {
    const int64_t padding = (int64_t)attribute_of(c, "padding", d - (3 - dims), 0);
    const int64_t end =
        w->first[d] + w->count[d] < w->extent[d] + padding ? w->first[d] + w->count[d] : w->extent[d] + padding;
    padded *= end - w->first[d];
  }
  *largest = 0;
  *sum = *inside = 0;
  for (int64_t i = 0; i < w->count[0]; ++i) {
    const int64_t z = w->first[0] + i * w->step[0];
    if (z < 0 || z >= w->extent[0]) continue;
    for (int64_t j = 0; j < w->count[1]; ++j) {
      const int64_t y = w->first[1] + j * w->step[1];
      if (y < 0 || y >= w->extent[1]) continue;
      for (int64_t k = 0; k < w->count[2]; ++k) {
        const int64_t column = w->first[2] + k * w->step[2];
        if (column < 0 || column >= w->extent[2]) continue;
        const int q = x->bytes[plane + (z * w->extent[1] + y) * w->extent[2] + column];
        if (q > *largest) *largest = q;
        *sum += q - x->zero_point;
        ++*inside;
      }
    }
  }
  return padded;
}

static const char* max_pool(const struct tieout_operator* c) {
  for (int64_t i = 0; i < c->output_count; ++i) {
    int64_t plane, sum, inside;
    int largest;
    const struct window w = window_of(c, i, 1, &plane);
    reduce(c, &w, plane, &largest, &sum, &inside);
    c->output[i] = (uint8_t)largest;
  }
  return NULL;
}

/* The exact average is rounded once. Padding counts as zero points, unless exclude_pad is set. */
static const char* avg_pool(const struct tieout_operator* c) {
  for (int64_t i = 0; i < c->output_count; ++i) {
    int64_t plane, sum, inside;
    int largest;
    const struct window w = window_of(c, i, 0, &plane);
    int64_t divisor = reduce(c, &w, plane, &largest, &sum, &inside);
    if (has_flag(c, "exclude_pad")) divisor = inside;
    if (tieout_attribute_values(c, "divisor")[0] != 0) divisor = (int64_t)tieout_attribute_values(c, "divisor")[0];
    c->output[i] = byte_of_scaled((double)sum / (double)divisor, c->inputs[0].zero_point);
  }
  return NULL;
}

/* ---- The interface. */

const char* tieout_run_operator(const struct tieout_operator* c) {
  if (strcmp(c->name, "add") == 0) return add(c);
  if (strcmp(c->name, "mul") == 0) return mul(c);
  if (strcmp(c->name, "cat") == 0) return cat(c);
  if (strcmp(c->name, "max_pool") == 0) return max_pool(c);
  if (strcmp(c->name, "avg_pool") == 0) return avg_pool(c);
  return "another operator";
}

const struct tieout_kernel_info* tieout_describe(void) {
  static const struct tieout_kernel_info info = {.size = sizeof info,
                                                 .version = TIEOUT_KERNEL_VERSION,
                                                 .name = "plain operators",
                                                 .operators = "add mul cat max_pool avg_pool"};
  return &info;
}
