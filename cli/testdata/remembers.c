/* A kernel for the tests of campaigns. It is right until it has been called for a convolution with three groups, and
 * wrong for every 3-d convolution from then on. */

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
