#include "kernels/subject/kernel_call.h"

#include <immintrin.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cases/layout.h"
#include "cases/strings/printable.h"

namespace tieout {
namespace {

using Order = KernelTraits::Order;

template <typename T>
const T* fill(GuardedBuffer& buffer, const std::vector<T>& values, std::size_t alignment,
              const Conditions& conditions) {
  const std::size_t size = values.size() * sizeof(T);
  buffer.place(size, std::max(alignment, alignof(T)), conditions.placement, 0);
  if (size > 0) std::memcpy(buffer.bytes().data(), values.data(), size);
  return reinterpret_cast<const T*>(buffer.bytes().data());
}

template <typename T>
bool holds(const GuardedBuffer& buffer, const std::vector<T>& values) {
  return values.empty() || std::memcmp(buffer.bytes().data(), values.data(), values.size() * sizeof(T)) == 0;
}

void copy(const Spatial& from, std::int64_t* to) { std::copy(from.begin(), from.end(), to); }

tieout_conv describe(const ConvCase& c, const KernelTypes& types) {
  tieout_conv conv{};
  conv.size = sizeof conv;
  conv.dims = c.dims;
  conv.batch = c.batch;
  conv.in_channels = c.in_channels;
  conv.out_channels = c.out_channels;
  conv.groups = c.groups;
  copy(c.input, conv.input);
  copy(c.kernel, conv.kernel);
  copy(c.stride, conv.stride);
  copy(c.padding, conv.padding);
  copy(end_padding(c), conv.padding_end);
  copy(c.dilation, conv.dilation);
  copy(output_size(c), conv.output_size);
  conv.activation_scale = c.activation_scale;
  conv.activation_zero_point = c.activation_zero_point - stored_shift(types.activation);
  conv.per_channel = c.granularity == Granularity::per_channel ? 1 : 0;
  conv.output_scale = c.output_scale;
  conv.output_zero_point = c.output_zero_point - stored_shift(types.output);
  conv.relu = c.relu == Relu::on ? 1 : 0;
  return conv;
}

// Fills the stack below the caller's frame with this byte, so that variables that are read before they are written hold
// it.
[[gnu::noinline]] void dirty_stack(std::uint8_t with) {
  std::array<volatile std::uint8_t, 1 << 15> below;
  for (volatile std::uint8_t& byte : below) byte = with;
}

// While an object lives, malloc() returns memory filled with this byte. glibc fills new memory with the complement of
// M_PERTURB, and freed memory with M_PERTURB itself.
class DirtyHeap {
 public:
  explicit DirtyHeap(std::uint8_t with) { mallopt(M_PERTURB, static_cast<std::uint8_t>(~with)); }
  DirtyHeap(const DirtyHeap&) = delete;
  DirtyHeap& operator=(const DirtyHeap&) = delete;
  ~DirtyHeap() { mallopt(M_PERTURB, 0); }

  // Fills the chunks in the thread's cache of malloc(), which are returned as they were left: by our own allocations,
  // too, which may be others before each call.
  static void dirty_kept_chunks(std::uint8_t with) {
    constexpr std::size_t kLargest = 1032, kStep = 16, kOfEachSize = 7;
    std::array<void*, kLargest / kStep * kOfEachSize> chunks{};
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const std::size_t size = (i / kOfEachSize + 1) * kStep;
      chunks[i] = std::malloc(size);
      if (chunks[i] != nullptr) std::memset(chunks[i], with, size);
      asm volatile("" : : "r"(chunks[i]) : "memory");  // the compiler sees memory that is written and never read
    }
    for (void* const chunk : chunks) std::free(chunk);
  }
};

// Bits of MXCSR: rounding mode, flushing of denormals and exception masks. They belong to the thread, and a kernel must
// not change them.
constexpr unsigned kModes = 0xFFC0;

// Returns the kernel's text, cut off after 1000 bytes.
std::string shortened(const char* text) {
  constexpr std::size_t kMost = 1000;
  return {text, strnlen(text, kMost)};
}

// The result of the call itself.
struct Outcome {
  const char* declined = nullptr;
  std::optional<std::string> misbehaved;
};

Outcome call(KernelFunction kernel, const tieout_conv& conv, const Conditions& conditions) {
  Outcome outcome;
  std::fenv_t modes;
  std::fegetenv(&modes);
  const unsigned before = _mm_getcsr() & kModes;
  dirty_stack(conditions.memory_fill);
  try {
    outcome.declined = kernel(&conv);
  } catch (const std::exception& error) {
    outcome.misbehaved = "throws: " + shortened(error.what());
  } catch (...) {
    outcome.misbehaved = "throws something that is no std::exception";
  }
  if ((_mm_getcsr() & kModes) != before) outcome.misbehaved = "leaves the thread with other floating-point modes";
  std::fesetenv(&modes);
  return outcome;
}

Outcome call_as(KernelFunction kernel, const tieout_conv& conv, const Conditions& conditions) {
  const DirtyHeap heap(conditions.memory_fill);
  DirtyHeap::dirty_kept_chunks(conditions.memory_fill);
  if (conditions.caller == Conditions::Caller::this_thread) return call(kernel, conv, conditions);
  Outcome outcome;
  std::thread([&] { outcome = call(kernel, conv, conditions); }).join();
  return outcome;
}

tl::expected<KernelTypes, std::string> types_of(const tieout_kernel_info& info) {
  const auto is_flag = [](std::int64_t value) { return value == 0 || value == 1; };
  if (info.activation_type != TIEOUT_UINT8 && info.activation_type != TIEOUT_INT8) {
    return tl::unexpected("tieout_describe(): activation_type must be TIEOUT_UINT8 or TIEOUT_INT8, is " +
                          std::to_string(info.activation_type));
  }
  if (info.output_type < TIEOUT_UINT8 || info.output_type > TIEOUT_INT32) {
    return tl::unexpected("tieout_describe(): output_type must be TIEOUT_UINT8, TIEOUT_INT8 or TIEOUT_INT32, is " +
                          std::to_string(info.output_type));
  }
  if (!is_flag(info.int32_bias) || !is_flag(info.end_padding)) {
    return tl::unexpected(std::string("tieout_describe(): int32_bias and end_padding must be 0 or 1"));
  }
  return KernelTypes{.activation = info.activation_type == TIEOUT_INT8 ? ActivationType::int8 : ActivationType::uint8,
                     .output = info.output_type == TIEOUT_INT32  ? OutputType::int32
                               : info.output_type == TIEOUT_INT8 ? OutputType::int8
                                                                 : OutputType::uint8,
                     .int32_bias = info.int32_bias == 1,
                     .end_padding = info.end_padding == 1};
}

}  // namespace

tl::expected<KernelTraits, std::string> traits_of(const tieout_kernel_info& info) {
  // These are the fields of the first header of this version; later fields are read only if `size` includes them.
  constexpr std::size_t kFirstSize = offsetof(tieout_kernel_info, domain);
  constexpr std::size_t kSizeWithTypes = offsetof(tieout_kernel_info, end_padding) + sizeof info.end_padding;
  if (info.version != TIEOUT_KERNEL_VERSION || info.size < kFirstSize) {
    return tl::unexpected("tieout_describe(): version is " + std::to_string(info.version) + ", size " +
                          std::to_string(info.size) + "; this tieout speaks version " +
                          std::to_string(TIEOUT_KERNEL_VERSION) + ", size " + std::to_string(kFirstSize) + " or more" +
                          ": compile the kernel with its tieout_kernel.h, and set both fields");
  }
  const auto known = [](std::int64_t layout) { return layout == 0 || layout == 1; };
  if (!known(info.activation_layout) || !known(info.weight_layout)) {
    return tl::unexpected(
        std::string("tieout_describe(): layouts must be TIEOUT_NCHW or TIEOUT_NHWC, TIEOUT_OIHW or TIEOUT_OHWI"));
  }
  const std::int64_t alignment = std::max<std::int64_t>(1, info.alignment);
  if (alignment > 4096 || (alignment & (alignment - 1)) != 0) {
    return tl::unexpected("tieout_describe(): alignment must be a power of two up to 4096, is " +
                          std::to_string(info.alignment));
  }
  const char* const domain = info.size >= kFirstSize + sizeof info.domain ? info.domain : nullptr;
  if (domain != nullptr && strnlen(domain, kLongestDomain + 1) > kLongestDomain) {
    return tl::unexpected("tieout_describe(): domain is longer than " + std::to_string(kLongestDomain) + " characters");
  }
  KernelTypes types;
  if (info.size >= kSizeWithTypes) {
    const auto read = types_of(info);
    if (!read) return tl::unexpected(read.error());
    types = *read;
  }
  const std::string_view name =
      info.name == nullptr ? "" : std::string_view(info.name, strnlen(info.name, kLongestName + 1));
  return KernelTraits{
      .activation = info.activation_layout == TIEOUT_NHWC ? Order::channels_last : Order::channels_first,
      .weight = info.weight_layout == TIEOUT_OHWI ? Order::channels_last : Order::channels_first,
      .alignment = static_cast<std::size_t>(alignment),
      .name = printable(name, kLongestName),
      .domain = domain == nullptr ? "" : domain,
      .types = types};
}

tieout_conv KernelCall::place_buffers(const ConvCase& c, const Inputs& inputs, const KernelTraits& traits,
                                      const Conditions& conditions) {
  Buffers& b = buffers_;
  const KernelTypes& types = traits.types;
  const std::size_t alignment = traits.alignment;
  tieout_conv conv = describe(c, types);
  const std::uint8_t* const activation = fill(b.activation, inputs.activation, alignment, conditions);
  if (types.activation == ActivationType::int8) {
    conv.activation_int8 = reinterpret_cast<const std::int8_t*>(activation);
  } else {
    conv.activation = activation;
  }
  conv.weight = fill(b.weight, inputs.weight, alignment, conditions);
  conv.weight_scales = fill(b.weight_scales, c.weight_scales, alignment, conditions);
  conv.weight_zero_points = fill(b.weight_zero_points, c.weight_zero_points, alignment, conditions);
  conv.bias = c.bias.empty() ? nullptr : fill(b.bias, c.bias, alignment, conditions);
  if (!c.int32_bias.empty()) conv.int32_bias = fill(b.bias, c.int32_bias, alignment, conditions);
  const bool sums = types.output == OutputType::int32;
  b.output.place(static_cast<std::size_t>(element_count(output_shape(c))) * (sums ? sizeof(std::int32_t) : 1),
                 sums ? std::max(alignment, alignof(std::int32_t)) : alignment, conditions.placement,
                 conditions.output_fill);
  std::uint8_t* const output = b.output.bytes().data();
  switch (types.output) {
    case OutputType::uint8: conv.output = output; break;
    case OutputType::int8: conv.output_int8 = reinterpret_cast<std::int8_t*>(output); break;
    case OutputType::int32: conv.output_int32 = reinterpret_cast<std::int32_t*>(output); break;
  }
  return conv;
}

std::array<NamedBuffer, 6> KernelCall::named_buffers() const {
  const Buffers& b = buffers_;
  return {{{"output", &b.output},
           {"activation", &b.activation},
           {"weight", &b.weight},
           {"bias", &b.bias},
           {"weight_scales", &b.weight_scales},
           {"weight_zero_points", &b.weight_zero_points}}};
}

std::string KernelCall::find_wrong_write(const ConvCase& c, const Inputs& inputs) const {
  const Buffers& b = buffers_;
  for (const NamedBuffer& named : named_buffers()) {
    if (named.buffer == &b.bias && !has_bias(c)) continue;
    const GuardedBuffer::Strayed strayed = named.buffer->strayed();
    if (strayed == GuardedBuffer::Strayed::no) continue;
    return std::string("writes ") + (strayed == GuardedBuffer::Strayed::before ? "before" : "behind") + " its " +
           named.name;
  }
  const bool intact = holds(b.activation, inputs.activation) && holds(b.weight, inputs.weight) &&
                      (c.bias.empty() || holds(b.bias, c.bias)) &&
                      (c.int32_bias.empty() || holds(b.bias, c.int32_bias)) &&
                      holds(b.weight_scales, c.weight_scales) && holds(b.weight_zero_points, c.weight_zero_points);
  return intact ? "" : "writes into its inputs";
}

tl::expected<Answers, SubjectError> KernelCall::run(KernelFunction kernel, const KernelTraits& traits,
                                                    const ConvProblem& problem, const Conditions& conditions) {
  const ConvCase& c = problem.spec;
  if (const std::string_view reason = refusal(traits.types, c); !reason.empty()) {
    return tl::unexpected(SubjectError{SubjectError::Kind::declined, std::string(reason)});
  }
  const bool activation_last = traits.activation == Order::channels_last;
  Inputs inputs{
      .activation = activation_last ? transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input))
                                    : problem.activation,
      .weight = traits.weight == Order::channels_last
                    ? transposed(problem.weight.data(), c.out_channels, c.in_channels / c.groups, volume(c.kernel))
                    : problem.weight};
  if (traits.types.activation == ActivationType::int8) shift_by_128(inputs.activation);
  const tieout_conv given = place_buffers(c, inputs, traits, conditions);
  tieout_conv conv = given;
  const auto buffers = named_buffers();
  const Outcome outcome = [&] {
    const FaultReport report(buffers);
    return call_as(kernel, conv, conditions);
  }();
  std::string misuse = outcome.misbehaved ? *outcome.misbehaved : find_wrong_write(c, inputs);
  if (misuse.empty() && std::memcmp(&given, &conv, sizeof conv) != 0) misuse = "writes into its inputs";
  if (!misuse.empty()) return tl::unexpected(SubjectError{SubjectError::Kind::misbehaved, std::move(misuse)});
  if (outcome.declined != nullptr) {
    std::string reason = shortened(outcome.declined);
    if (reason.empty()) reason = kNoReason;
    return tl::unexpected(SubjectError{SubjectError::Kind::declined, std::move(reason)});
  }
  Answers y{output_shape(c), values_of(buffers_.output.bytes(), traits.types.output)};
  if (activation_last) {
    y.values = transposed(y.values.data(), c.batch, volume(output_size(c)), c.out_channels);
  }
  return y;
}

}  // namespace tieout
