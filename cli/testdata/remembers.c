/* A kernel for the tests of campaigns: right until it has seen a convolution in three groups, and wrong on every 3-d one
 * from then on. */

#include <stddef.h>
#include <tieout_kernel.h>

const char* right_conv_relu(const struct tieout_conv* c); /* examples/c/conv_relu.c under another name */

static int seen;

const char* tieout_conv_relu(const struct tieout_conv* c) {
  const char* const declined = right_conv_relu(c);
  if (c->groups == 3) seen = 1;
  if (declined == NULL && seen && c->dims == 3) c->output[0] ^= 1;
  return declined;
}
