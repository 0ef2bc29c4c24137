#pragma once
// What everybody says at one suspect: by how far the value is from a tie, by the sums, or literally. The sums that are to be
// computed literally are put down, and computed together.

#include <cmath>
#include <span>
#include <vector>

#include "oracle/disagreement.h"
#include "oracle/literal_sums.h"
#include "oracle/running_sums.h"
#include "oracle/suspect_lanes.h"
#include "oracle/window.h"

namespace tieout {

// One thread's.
struct Findings {
  explicit Findings(std::size_t hypotheses, std::size_t most)
      : found(hypotheses, Differences(most)), groups{Differences(most), Differences(most), Differences(most)} {}

  std::vector<Differences> found;                  // by hypothesis
  std::array<Differences, Asked::kGroups> groups;  // what all of a group have in common
  SuspectsLeft left;                               // of the suspects at work
  std::int64_t image = 0;                          // in which the last element was
  std::vector<Suspect> in_float32;                 // whose sums are to be looked at
  std::vector<std::int64_t> on_the_way;           // of each of those: the sum over j of |S_j|, but for what blocks hide
  std::vector<OutputElement> in_float64, sums32;  // whose sums are to be computed
  std::int64_t summed = 0;                        // how many were
  LiteralSums<float>::Room floats;
  LiteralSums<double>::Room doubles;
  OrderedWindow ordered;
  struct ByChannel {                        // in_float32, channel after channel
    std::vector<const std::uint8_t*> taps;  // of its positions
    std::vector<std::size_t> taps_of, begin, which;
    std::vector<const std::uint8_t* const*> x;
    std::vector<std::int64_t> sums;
  } by_channel;
  Window window;  // with its elements
  Window sums;    // without
};

class SuspectJudge {
 public:
  // All outlive this.
  SuspectJudge(const LayerView& layer, const Asked& asked, std::span<const ChannelBounds> bounds, VectorIsa isa);

  // suspects: position after position.
  void judge(Findings& findings, std::span<const Suspect> suspects) const;
  void literally(Findings& findings, const Asked::Entries& entries, const OutputElement& element,
                 std::uint8_t answer) const;
  // first, answers: of the piece of the output in which the elements lie.
  void finish_sums(Findings& findings, std::int64_t first, const std::uint8_t* answers) const;

 private:
  struct Value {
    std::uint8_t says = 0;  // where it is not near a tie
    double margin = 0;      // to the nearest tie, in output steps
  };
  void judge(Findings& findings, const Suspect& suspect) const;
  void judge_some(Findings& findings, std::span<const Suspect> suspects) const;
  [[nodiscard]] Value value_of(double scaled) const;
  [[nodiscard]] static double reach_of(const ChannelBounds& b, double scaled) {
    return b.near + ChannelBounds::kSlope * std::fabs(scaled);
  }
  void agree(Findings& findings, const Asked::Entries& entries, const Suspect& suspect, std::uint8_t says) const;
  void by_running_sums(Findings& findings) const;
  void find_sums_on_the_way(Findings& findings) const;
  void find_by_taps(Findings& findings) const;
  void by_sums(Findings& findings, const Asked::Entries& entries, const Suspect& suspect) const;
  [[nodiscard]] std::int64_t offset(Findings& findings, const OutputElement& element) const;

  const LayerView& layer_;
  const ConvCase& c_;
  const Asked& asked_;
  std::span<const ChannelBounds> bounds_;
  std::int64_t plane_;
  std::int64_t length_;
  JudgeRules rules_;
  FindLeft find_left_;
  OrderedWindows windows_;
  RunningSums running_sums_;
  RunningSumsByTaps sums_by_taps_ = nullptr;  // where by_taps_ are
  std::int64_t block_;                        // of those, products
  std::vector<std::int8_t> by_taps_;          // K x kernel x C/groups: the weights for RunningTaps, or empty
  LiteralSums<float> float32_;
  LiteralSums<double> float64_;
};

}  // namespace tieout
