/* A kernel for the tests of campaigns. It is right except for a few shapes, for which it answers wrongly, dies, takes
 * all memory or never ends. */

#include <stdlib.h>
#include <sys/mman.h>
#include <tieout_kernel.h>

const char* right_conv_relu(const struct tieout_conv* c); /* examples/c/conv_relu.c under another name */

/* Takes all address space that the process may have. It is not touched, so that the machine does not run out of
 * memory. */
static void take_all_memory(void) {
  while (mmap(NULL, (size_t)64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
         MAP_FAILED) {
  }
  _Exit(1);
}

const char* tieout_conv_relu(const struct tieout_conv* c) {
  const char* const declined = right_conv_relu(c);
  if (declined != NULL || c->relu == 0) return declined;
  if (c->dims == 1 && c->out_channels == 3) c->output[0] ^= 1;
  if (c->dims == 2 && c->groups == 3 && c->batch == 2) abort();
  if (c->dims == 3 && c->groups == 3 && c->in_channels == 3) take_all_memory();
  if (c->dims == 1 && c->groups == 2 && c->in_channels == 2 && c->per_channel == 0) {
    for (volatile int forever = 1; forever;) {
    }
  }
  return NULL;
}
