#pragma once
// Where somebody says otherwise than the operator answered.

#include <cstdint>
#include <limits>
#include <vector>

namespace tieout {

struct Disagreement {
  struct Element {
    std::int64_t offset;  // in N x K x spatial
    std::uint8_t says;
    bool operator==(const Element&) const = default;
  };
  std::int64_t differing = 0;
  int largest = 0;
  std::vector<Element> first;  // ascending; not all: what is systematic differs at every other element

  static constexpr std::size_t kMost = 16;  // enough to tell why; if nobody asks for more
  bool operator==(const Disagreement&) const = default;
};

// Gathers a Disagreement from elements in any order: whatever it is, and whoever works on which part, the first ones are kept.
class Differences {
 public:
  explicit Differences(std::size_t most = Disagreement::kMost) : most_(most) {}

  void note(std::int64_t offset, std::uint8_t says, std::uint8_t answer);
  void add(const Differences& others);
  [[nodiscard]] Disagreement sorted() const;

 private:
  void keep(const Disagreement::Element& element);
  std::size_t most_;
  std::int64_t last_ = std::numeric_limits<std::int64_t>::max();  // most_ others lie before it
  Disagreement found_;                                            // its first ones in any order, and up to most_ others
};

}  // namespace tieout
