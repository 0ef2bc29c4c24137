#include "oracle/running_sums.h"

#include <algorithm>
#include <cstdlib>

namespace tieout {
namespace {

// Written so that g++ makes vectors of it.
[[gnu::always_inline]] inline std::int64_t sums(const std::int16_t* __restrict x, const std::int8_t* __restrict w,
                                                std::int64_t count, std::int32_t weight_zero_point) {
  const auto wz = static_cast<std::int16_t>(weight_zero_point);
  std::int32_t before = 0;
  std::int64_t total = 0;
  const auto add = [&](std::int32_t block) {
    const std::int32_t after = before + block;
    total += std::max(std::abs(before), std::abs(after));
    before = after;
  };
  std::int64_t i = 0;
  for (; i + kRunningBlock <= count; i += kRunningBlock) {
    std::int32_t block = 0;
    for (std::int64_t j = i; j < i + kRunningBlock; ++j) {
      const auto step = static_cast<std::int16_t>(w[j] - wz);
      block += x[j] * step;
    }
    add(block);
  }
  if (i < count) {
    std::int32_t block = 0;
    for (; i < count; ++i) block += x[i] * (w[i] - wz);
    add(block);
  }
  return total * kRunningBlock;
}

std::int64_t sums_portable(const std::int16_t* x, const std::int8_t* w, std::int64_t count, std::int32_t wz) {
  return sums(x, w, count, wz);
}

[[gnu::target("avx2")]] std::int64_t sums_avx2(const std::int16_t* x, const std::int8_t* w, std::int64_t count,
                                               std::int32_t wz) {
  return sums(x, w, count, wz);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] std::int64_t sums_avx512(const std::int16_t* x,
                                                                               const std::int8_t* w, std::int64_t count,
                                                                               std::int32_t wz) {
  return sums(x, w, count, wz);
}

}  // namespace

RunningSums running_sums(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::portable: return sums_portable;
    case VectorIsa::avx2: return sums_avx2;
    case VectorIsa::avx512: return sums_avx512;
  }
  return sums_portable;
}

}  // namespace tieout
