#include "cases/text/case_cost.h"

#include <string>

namespace tieout {

std::int64_t product_count(const ConvCase& c) {
  std::int64_t products = 0;
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  return __builtin_mul_overflow(element_count(output_shape(c)), reduction_length(c), &products) || products > kMost
             ? kMost
             : products;
}

std::int64_t memory_to_verify(const ConvCase& c) {
  constexpr std::int64_t kCopies = 4;  // There are our own copy, a worker's, LibTorch's and the packed one.
  // Holds the trace, both answers and the values that a report keeps.
  constexpr std::int64_t kBytesPerOutput = 40;
  return kCopies * (element_count(activation_shape(c)) + element_count(weight_shape(c))) +
         kBytesPerOutput * element_count(output_shape(c));
}

tl::expected<void, CaseError> check_cost(const ConvCase& c) {
  const auto mib = [](std::int64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
  if (const std::int64_t bytes = memory_to_verify(c); bytes > kMostBytes) {
    return tl::unexpected(CaseError{"input", "the case takes about " + mib(bytes) + " of memory to verify, and " +
                                                 mib(kMostBytes) + " are allowed: its output has " +
                                                 std::to_string(element_count(output_shape(c))) +
                                                 " elements; make the shape smaller"});
  }
  if (const std::int64_t products = product_count(c); products > kMostProducts) {
    return tl::unexpected(CaseError{"kernel", "the case has " + std::to_string(products) +
                                                  " products, and 2^37 are allowed; make the shape smaller"});
  }
  return {};
}

}  // namespace tieout
