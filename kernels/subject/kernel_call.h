#pragma once
// Calls a kernel through the C interface of tieout_kernel.h, with guarded copies of all buffers, and detects what the
// kernel must not do: writing outside of the output, throwing, changing floating-point modes.

#include <string>
#include <tl/expected.hpp>

#include "kernels/subject/guarded_buffer.h"
#include "kernels/subject/subject.h"

namespace tieout {

// What tieout_describe() returned, with defaults filled in. name: printable, or empty if there is none. domain: see
// Subject::domain().
struct KernelTraits {
  enum class Order { channels_first, channels_last };
  Order activation = Order::channels_first;
  Order weight = Order::channels_first;
  std::size_t alignment = 1;
  std::string name = {}, domain = {};
};

constexpr std::size_t kLongestName = 60;      // bytes
constexpr std::size_t kLongestDomain = 4096;  // bytes

// Returns the traits that `info` describes. Error: a message that names the wrong field and what is allowed.
[[nodiscard]] tl::expected<KernelTraits, std::string> traits_of(const tieout_kernel_info& info);

class KernelCall {
 public:
  // Copies the problem into buffers as the conditions require, calls the kernel and returns its output in NCHW order.
  // Error: declined, with the kernel's reason; misbehaved, with what the kernel did.
  [[nodiscard]] tl::expected<Tensor<std::uint8_t>, SubjectError> run(KernelFunction kernel, const KernelTraits& traits,
                                                                     const ConvProblem& problem,
                                                                     const Conditions& conditions);

 private:
  struct Buffers {
    GuardedBuffer activation, weight, bias, weight_scales, weight_zero_points, output;
  };
  std::uint8_t memory_fill_ = 0;  // Conditions::memory_fill of the last call
  // The buffers are kept between calls: a kernel that caches results by address meets the same addresses with other
  // contents.
  Buffers buffers_;
};

}  // namespace tieout
