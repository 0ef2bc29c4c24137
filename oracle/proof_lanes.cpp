#include "oracle/proof_lanes.h"

#include <algorithm>

namespace tieout {
namespace {

constexpr std::int64_t kLanes = 16;

// Written so that g++ makes vectors of them; inlined into a function for each instruction set, since what is called does not
// inherit `target`.
struct Loops {
  [[gnu::always_inline]] static inline std::uint64_t dot_sums(const std::int32_t* a, const std::int32_t* b,
                                                              std::int64_t count) {
    std::uint64_t total = 0;
    for (std::int64_t i = 0; i < count; ++i) total += static_cast<std::uint64_t>(std::int64_t{a[i]} * b[i]);
    return total;
  }

  [[gnu::always_inline]] static inline std::uint64_t dot_bytes(const std::uint8_t* a, const std::uint64_t* b,
                                                               std::int64_t count) {
    std::uint64_t total = 0;
    for (std::int64_t i = 0; i < count; ++i) total += a[i] * b[i];
    return total;
  }

  [[gnu::always_inline]] static inline void add_weights(std::uint64_t* __restrict to, const std::int8_t* __restrict w,
                                                        std::int64_t count, std::int32_t zero_point,
                                                        std::int64_t factor) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
  }

  [[gnu::always_inline]] static inline std::uint64_t squares(const std::uint8_t* a, std::int64_t count,
                                                             std::int32_t zero_point) {
    constexpr std::int64_t kBlock = std::int64_t{1} << 15;  // so many squares below 2^16 fit 32 bits
    std::uint64_t total = 0;
    for (std::int64_t begin = 0; begin < count; begin += kBlock) {
      std::uint32_t sum = 0;
      for (std::int64_t i = begin; i < std::min(begin + kBlock, count); ++i) {
        const std::int32_t step = a[i] - zero_point;
        sum += static_cast<std::uint32_t>(step * step);
      }
      total += sum;
    }
    return total;
  }

  [[gnu::always_inline]] static inline std::int64_t first_wrong(const std::uint8_t* const* taps, std::int64_t tap_count,
                                                                const std::int32_t* w, const std::int32_t* shift,
                                                                const std::int32_t* sums, std::int64_t begin,
                                                                std::int64_t count) {
    for (std::int64_t i = begin; i < count; i += kLanes) {
      const std::int64_t lanes = std::min(kLanes, count - i);
      std::uint32_t off[kLanes] = {};
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        off[lane] = static_cast<std::uint32_t>(shift[i + lane]) - static_cast<std::uint32_t>(sums[i + lane]);
      }
      for (std::int64_t t = 0; t < tap_count; ++t) {
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          off[lane] += std::uint32_t{taps[t][i + lane]} * static_cast<std::uint32_t>(w[t * count + i + lane]);
        }
      }
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        if (off[lane] != 0) return i + lane;
      }
    }
    return count;
  }
};

struct Everywhere {
  static std::int64_t next_above(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin,
                                 std::int64_t count) {
    std::int64_t i = begin;
    while (i < count && x[i] <= limits[i]) ++i;
    return i;
  }
  static void extremes(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest) {
    std::uint8_t low = x[0], high = x[0];
    for (std::int64_t i = 0; i < count; ++i) {
      low = std::min(low, x[i]);
      high = std::max(high, x[i]);
    }
    *lowest = low;
    *highest = high;
  }
};

struct Portable {
  static std::uint64_t dot_sums(const std::int32_t* a, const std::int32_t* b, std::int64_t n) {
    return Loops::dot_sums(a, b, n);
  }
  static std::uint64_t dot_bytes(const std::uint8_t* a, const std::uint64_t* b, std::int64_t n) {
    return Loops::dot_bytes(a, b, n);
  }
  static void add_weights(std::uint64_t* to, const std::int8_t* w, std::int64_t n, std::int32_t z, std::int64_t f) {
    Loops::add_weights(to, w, n, z, f);
  }
  static std::uint64_t squares(const std::uint8_t* a, std::int64_t n, std::int32_t z) {
    return Loops::squares(a, n, z);
  }
  static std::int64_t first_wrong(const std::uint8_t* const* taps, std::int64_t count, const std::int32_t* w,
                                  const std::int32_t* shift, const std::int32_t* sums, std::int64_t begin,
                                  std::int64_t n) {
    return Loops::first_wrong(taps, count, w, shift, sums, begin, n);
  }
};

struct Avx2 {
  [[gnu::target("avx2")]] static std::uint64_t dot_sums(const std::int32_t* a, const std::int32_t* b, std::int64_t n) {
    return Loops::dot_sums(a, b, n);
  }
  [[gnu::target("avx2")]] static std::uint64_t dot_bytes(const std::uint8_t* a, const std::uint64_t* b,
                                                         std::int64_t n) {
    return Loops::dot_bytes(a, b, n);
  }
  [[gnu::target("avx2")]] static void add_weights(std::uint64_t* to, const std::int8_t* w, std::int64_t n,
                                                  std::int32_t z, std::int64_t f) {
    Loops::add_weights(to, w, n, z, f);
  }
  [[gnu::target("avx2")]] static std::uint64_t squares(const std::uint8_t* a, std::int64_t n, std::int32_t z) {
    return Loops::squares(a, n, z);
  }
  [[gnu::target("avx2")]] static std::int64_t first_wrong(const std::uint8_t* const* taps, std::int64_t count,
                                                          const std::int32_t* w, const std::int32_t* shift,
                                                          const std::int32_t* sums, std::int64_t begin,
                                                          std::int64_t n) {
    return Loops::first_wrong(taps, count, w, shift, sums, begin, n);
  }
};

template <typename Isa>
constexpr ProofLanes lanes_of() {
  return {Isa::dot_sums, Isa::dot_bytes, Isa::add_weights, Isa::squares, Isa::first_wrong,
          Everywhere::next_above, Everywhere::extremes};
}

}  // namespace

ProofLanes proof_lanes(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::portable: return lanes_of<Portable>();
    case VectorIsa::avx2: return lanes_of<Avx2>();
    case VectorIsa::avx512: return proof_lanes_avx512();
  }
  return lanes_of<Portable>();
}

}  // namespace tieout
