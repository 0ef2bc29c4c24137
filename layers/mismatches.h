#pragma once
// Provides Mismatches, the elements at which a hypothesis or an implementation gives another value than the operator.

#include <cstdint>
#include <limits>
#include <vector>

namespace tieout {

struct Mismatches {
  struct Element {
    std::int64_t offset;  // in N x K x spatial
    // The value that the hypothesis or implementation gives.
    std::uint8_t value;
    bool operator==(const Element&) const = default;
  };
  // The number of differing elements.
  std::int64_t differing = 0;
  // The largest absolute difference.
  int largest = 0;
  // The first differing elements, ascending by offset. Their number is limited, because a systematic difference can
  // affect every other element.
  std::vector<Element> first;

  // The default limit, which is enough to identify a cause.
  static constexpr std::size_t kMost = 16;
  bool operator==(const Mismatches&) const = default;
};

// Builds a Mismatches from elements in any order. The result does not depend on the order or on how the elements are
// distributed over several MismatchCollector: the first `most` elements are kept.
class MismatchCollector {
 public:
  explicit MismatchCollector(std::size_t most = Mismatches::kMost) : most_(most) {}

  // Records an element if `value` differs from `answer`. offset: in N x K x spatial.
  void note(std::int64_t offset, std::uint8_t value, std::uint8_t answer);
  // Adds what another MismatchCollector has recorded.
  void add(const MismatchCollector& others);
  // Returns the result with at most `most` elements, ascending.
  [[nodiscard]] Mismatches sorted() const;

 private:
  void keep(const Mismatches::Element& element);
  std::size_t most_;
  // At least most_ recorded elements lie before this offset, so that later ones need not be kept.
  std::int64_t last_ = std::numeric_limits<std::int64_t>::max();
  // The elements in any order: the first most_ and up to most_ more.
  Mismatches found_;
};

}  // namespace tieout
