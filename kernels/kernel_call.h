#pragma once
// One call of a kernel through the C interface, in buffers of our own, watched from all sides.

#include <string>
#include <tl/expected.hpp>

#include "kernels/guarded_buffer.h"
#include "kernels/subject.h"

namespace tieout {

// What a kernel says of itself, with its defaults filled in. name: printable; empty: none. domain: as Subject has it.
struct KernelTraits {
  enum class Order { channels_first, channels_last };
  Order activation = Order::channels_first;
  Order weight = Order::channels_first;
  std::size_t alignment = 1;
  std::string name = {}, domain = {};
};

constexpr std::size_t kLongestName = 60;      // bytes
constexpr std::size_t kLongestDomain = 4096;  // bytes

// Error: what is wrong with it, and what is allowed.
[[nodiscard]] tl::expected<KernelTraits, std::string> traits_of(const tieout_kernel_info& info);

class KernelCall {
 public:
  // Copies the problem into buffers as the conditions say, calls, and takes the output out.
  [[nodiscard]] tl::expected<Tensor<std::uint8_t>, SubjectError> run(KernelFunction kernel, const KernelTraits& traits,
                                                                     const ConvProblem& problem,
                                                                     const Conditions& conditions);

 private:
  struct Buffers {
    GuardedBuffer activation, weight, bias, weight_scales, weight_zero_points, output;
  };
  std::uint8_t memory_fill_ = 0;  // of the last call
  Buffers buffers_;  // kept from call to call: addresses that come back find what a kernel remembers by them
};

}  // namespace tieout
