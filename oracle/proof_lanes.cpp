#include "oracle/proof_lanes.h"

#include <algorithm>

namespace tieout {
namespace {

// One register of AVX-512 each; g++ splits them where the target has less.
using Words [[gnu::vector_size(64)]] = std::uint32_t;
using Longs [[gnu::vector_size(64)]] = std::uint64_t;
using SignedLongs [[gnu::vector_size(64)]] = std::int64_t;
using EightInts [[gnu::vector_size(32)]] = std::int32_t;
using EightBytes [[gnu::vector_size(8)]] = std::uint8_t;
using SixteenBytes [[gnu::vector_size(16)]] = std::uint8_t;

// Not a function that returns a vector: that has another ABI where the target has no such registers.
template <typename Vector>
struct Loaded {
  Vector v;

  template <typename T>
  [[gnu::always_inline]] explicit Loaded(const T* from) {
    __builtin_memcpy(&v, from, sizeof v);
  }
};

template <typename Vector>
[[gnu::always_inline]] inline std::uint64_t added_up(const Vector& v) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < sizeof(Vector) / sizeof v[0]; ++i) sum += v[i];
  return sum;
}

// Everything is inlined into one struct's functions for each instruction set: `target` is not inherited by what is called.
struct Loops {
  [[gnu::always_inline]] static inline std::uint64_t dot_sums(const std::int32_t* a, const std::int32_t* b,
                                                              std::int64_t count) {
    SignedLongs sum{};
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
      sum += __builtin_convertvector(Loaded<EightInts>(a + i).v, SignedLongs) *
             __builtin_convertvector(Loaded<EightInts>(b + i).v, SignedLongs);
    }
    auto total = added_up(reinterpret_cast<const Longs&>(sum));
    for (; i < count; ++i) total += static_cast<std::uint64_t>(std::int64_t{a[i]} * b[i]);
    return total;
  }

  [[gnu::always_inline]] static inline std::uint64_t dot_bytes(const std::uint8_t* a, const std::uint64_t* b,
                                                               std::int64_t count) {
    Longs sum{}, other{};
    std::int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
      sum += __builtin_convertvector(Loaded<EightBytes>(a + i).v, Longs) * Loaded<Longs>(b + i).v;
      other += __builtin_convertvector(Loaded<EightBytes>(a + i + 8).v, Longs) * Loaded<Longs>(b + i + 8).v;
    }
    std::uint64_t total = added_up(sum) + added_up(other);
    for (; i < count; ++i) total += a[i] * b[i];
    return total;
  }

  [[gnu::always_inline]] static inline void add_weights(std::uint64_t* to, const std::int8_t* w, std::int64_t count,
                                                        std::int32_t zero_point, std::int64_t factor) {
    for (std::int64_t i = 0; i < count; ++i) to[i] += static_cast<std::uint64_t>(factor * (w[i] - zero_point));
  }

  [[gnu::always_inline]] static inline std::uint64_t squares(const std::uint8_t* a, std::int64_t count,
                                                             std::int32_t zero_point) {
    constexpr std::int64_t kBlock = 1 << 15;  // 2^15 / 16 squares below 2^16 fit a lane
    std::uint64_t total = 0;
    std::int64_t i = 0;
    while (i + 16 <= count) {
      Words sum{};
      for (const std::int64_t end = std::min(count - 15, i + kBlock); i < end; i += 16) {
        const Words step = __builtin_convertvector(Loaded<SixteenBytes>(a + i).v, Words) -
                           static_cast<std::uint32_t>(zero_point);
        sum += step * step;
      }
      total += added_up(sum);
    }
    for (; i < count; ++i) total += static_cast<std::uint64_t>((a[i] - zero_point) * (a[i] - zero_point));
    return total;
  }

  [[gnu::always_inline]] static inline std::int64_t first_wrong(const std::uint8_t* const* taps, std::int64_t tap_count,
                                                                const std::int32_t* w, const std::int32_t* shift,
                                                                const std::int32_t* sums, std::int64_t begin,
                                                                std::int64_t count) {
    std::int64_t i = begin;
    for (; i + 16 <= count; i += 16) {
      Words sum = Loaded<Words>(shift + i).v - Loaded<Words>(sums + i).v;
      for (std::int64_t t = 0; t < tap_count; ++t) {
        sum += __builtin_convertvector(Loaded<SixteenBytes>(taps[t] + i).v, Words) * Loaded<Words>(w + t * count + i).v;
      }
      std::uint32_t any = 0;
      for (std::size_t lane = 0; lane < 16; ++lane) any |= sum[lane];
      if (any != 0) break;
    }
    for (; i < count; ++i) {
      auto sum = static_cast<std::uint32_t>(shift[i]) - static_cast<std::uint32_t>(sums[i]);
      for (std::int64_t t = 0; t < tap_count; ++t) {
        sum += std::uint32_t{taps[t][i]} * static_cast<std::uint32_t>(w[t * count + i]);
      }
      if (sum != 0) return i;
    }
    return count;
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
                                  const std::int32_t* shift, const std::int32_t* sums, std::int64_t begin, std::int64_t n) {
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
                                                          const std::int32_t* sums, std::int64_t begin, std::int64_t n) {
    return Loops::first_wrong(taps, count, w, shift, sums, begin, n);
  }
};

struct Avx512 {
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static std::uint64_t dot_sums(const std::int32_t* a,
                                                                                      const std::int32_t* b,
                                                                                      std::int64_t n) {
    return Loops::dot_sums(a, b, n);
  }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static std::uint64_t dot_bytes(const std::uint8_t* a,
                                                                                       const std::uint64_t* b,
                                                                                       std::int64_t n) {
    return Loops::dot_bytes(a, b, n);
  }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static void add_weights(std::uint64_t* to, const std::int8_t* w,
                                                                                std::int64_t n, std::int32_t z,
                                                                                std::int64_t f) {
    Loops::add_weights(to, w, n, z, f);
  }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static std::uint64_t squares(const std::uint8_t* a,
                                                                                     std::int64_t n, std::int32_t z) {
    return Loops::squares(a, n, z);
  }
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static std::int64_t first_wrong(
      const std::uint8_t* const* taps, std::int64_t count, const std::int32_t* w, const std::int32_t* shift,
      const std::int32_t* sums, std::int64_t begin, std::int64_t n) {
    return Loops::first_wrong(taps, count, w, shift, sums, begin, n);
  }
};

template <typename Isa>
constexpr ProofLanes lanes_of() {
  return {Isa::dot_sums, Isa::dot_bytes, Isa::add_weights, Isa::squares, Isa::first_wrong};
}

}  // namespace

ProofLanes proof_lanes(VectorIsa isa) {
  switch (isa) {
    case VectorIsa::portable: return lanes_of<Portable>();
    case VectorIsa::avx2: return lanes_of<Avx2>();
    case VectorIsa::avx512: return lanes_of<Avx512>();
  }
  return lanes_of<Portable>();
}

}  // namespace tieout
