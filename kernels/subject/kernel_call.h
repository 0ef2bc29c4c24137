#pragma once
// Calls a kernel through the C interface of tieout_kernel.h, with guarded copies of all buffers, and detects what the
// kernel must not do (guarded_call.h).

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "kernels/subject/fault_report.h"
#include "kernels/subject/guarded_buffer.h"
#include "kernels/subject/kernel_types.h"
#include "kernels/subject/subject.h"

namespace tieout {

// What tieout_describe() returned, with defaults filled in. name: printable, or empty if there is none. domain: see
// Subject::domain(). operators: the names that it declares, each once.
struct KernelTraits {
  enum class Order { channels_first, channels_last };
  Order activation = Order::channels_first;
  Order weight = Order::channels_first;
  std::size_t alignment = 1;
  std::string name = {}, domain = {};
  KernelTypes types = {};
  std::vector<std::string> operators = {};
};

constexpr std::size_t kLongestName = 60;      // bytes
constexpr std::size_t kLongestDomain = 4096;  // bytes

// Returns the traits that `info` describes. Error: a message that names the wrong field and what is allowed.
[[nodiscard]] tl::expected<KernelTraits, std::string> traits_of(const tieout_kernel_info& info);

class KernelCall {
 public:
  // Copies the problem into buffers as the conditions require, calls the kernel and returns its output in NCHW order.
  // Error: declined, with the kernel's reason; misbehaved, with what the kernel did.
  [[nodiscard]] tl::expected<Answers, SubjectError> run(KernelFunction kernel, const KernelTraits& traits,
                                                        const ConvProblem& problem, const Conditions& conditions);

 private:
  // The tensors in the orders and types that the kernel requires; int8 activations as their bits.
  struct Inputs {
    std::vector<std::uint8_t> activation;
    std::vector<std::int8_t> weight;
  };
  struct Buffers {
    GuardedBuffer activation, weight, bias, weight_scales, weight_zero_points, output;
  };

  // Fills the buffers and returns the description of the call.
  [[nodiscard]] tieout_conv place_buffers(const ConvCase& c, const Inputs& inputs, const KernelTraits& traits,
                                          const Conditions& conditions);
  [[nodiscard]] std::array<NamedBuffer, 6> named_buffers() const;
  // Returns which buffer the kernel has written to or beside without permission, or an empty text.
  [[nodiscard]] std::string find_wrong_write(const ConvCase& c, const Inputs& inputs) const;

  // The buffers are kept between calls: a kernel that caches results by address meets the same addresses with other
  // contents.
  Buffers buffers_;
};

}  // namespace tieout
