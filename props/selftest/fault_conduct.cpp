// Implements the faults of a kernel beside its arithmetic: memory, threads, modes, endings.

#include <algorithm>
#include <cfenv>
#include <cstdint>
#include <cstdlib>

#include "props/selftest/faulty_kernel.h"

namespace tieout {
namespace {

std::int64_t positions(const std::int64_t* extents) { return extents[0] * extents[1] * extents[2]; }

// Reads a value in a way that compilers keep although the value is not used.
template <typename T>
void touch(const T* at) {
  (void)*static_cast<const volatile T*>(at);
}

}  // namespace

const char* run_faulty(Fault fault, const tieout_conv& c) {
  const std::int64_t inputs = c.batch * c.in_channels * positions(c.input);
  const std::int64_t outputs = c.batch * c.out_channels * positions(c.output_size);
  const std::int64_t weights = c.out_channels * (c.in_channels / c.groups) * positions(c.kernel);
  const auto up = [](std::int64_t count, std::int64_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
  };
  compute(fault, c);
  switch (fault) {
    case Fault::reads_behind_activation: touch(c.activation + up(inputs, 16) - 1); break;
    case Fault::reads_before_activation:
      if (c.padding[2] > 0) touch(c.activation - c.padding[2]);
      break;
    case Fault::reads_behind_weight: touch(c.weight + up(weights, 4) - 1); break;
    case Fault::reads_behind_bias:
      if (c.bias != nullptr) touch(c.bias + up(c.out_channels, 8) - 1);
      break;
    case Fault::writes_behind_output: std::fill(c.output + outputs, c.output + up(outputs, 4), std::uint8_t{0}); break;
    case Fault::writes_before_output:
      if (c.padding[2] > 0) c.output[-1] = 0;
      break;
    case Fault::writes_into_activation: const_cast<std::uint8_t*>(c.activation)[0] ^= 1U; break;
    case Fault::uninitialised_scratch: {
      void* const scratch = std::malloc(static_cast<std::size_t>(outputs) + 64);
      // Without this, the compiler sees that the memory was never written.
      asm volatile("" : : "r"(scratch) : "memory");
      if (outputs > 8) c.output[8] = static_cast<std::uint8_t>(c.output[8] + static_cast<std::uint8_t*>(scratch)[40]);
      std::free(scratch);
      break;
    }
    case Fault::aligned_output_only: {
      const auto from = reinterpret_cast<std::uintptr_t>(c.output) % 16;
      if (from != 0)
        std::fill(c.output, c.output + std::min<std::int64_t>(outputs, 16 - static_cast<std::int64_t>(from)),
                  std::uint8_t{0});
      break;
    }
    case Fault::first_thread_only: {
      static bool somebody_has = false;
      thread_local bool filled = false;
      if (!somebody_has) filled = somebody_has = true;
      if (!filled && outputs > 0) c.output[0] = 0;
      break;
    }
    case Fault::differs_every_second_call: {
      static int calls = 0;
      if (++calls % 2 == 0 && outputs > 1) c.output[0] = c.output[1];
      break;
    }
    case Fault::null_bias: touch(c.bias); break;
    case Fault::hangs_on_wide_stride:
      while (c.stride[2] > c.kernel[2]) asm volatile("");
      break;
    case Fault::crashes_on_many_channels:
      if (c.out_channels > 64) std::abort();
      break;
    case Fault::leaves_rounding_mode: std::fesetround(FE_DOWNWARD); break;
    default: break;
  }
  return nullptr;
}

}  // namespace tieout
