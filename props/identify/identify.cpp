#include "props/identify/identify.h"

#include <cstdlib>
#include <map>
#include <utility>

#include "cases/contents.h"
#include "cases/text/case_text.h"

namespace tieout {
namespace {

// Measures how hard a case is to read: first the number of products that are not 0, then the size of the numbers plus
// the length of the line.
using Size = std::pair<std::int64_t, std::int64_t>;

Size size_of(const ConvCase& c) {
  std::int64_t products = 0;
  std::int64_t magnitude = 0;
  for (const std::int8_t w : c.weight.values) {
    products += w != 0 ? 1 : 0;
    magnitude += std::abs(int{w});
  }
  for (const std::uint8_t x : c.activation.values) magnitude += std::abs(x - static_cast<int>(c.activation_zero_point));
  return {products, magnitude + std::ssize(print(c))};
}

class Identifier {
 public:
  explicit Identifier(std::span<const Hypothesis> known) : known_(known), answers_(known.size()) {
    for (const Hypothesis& hypothesis : known) result_.verdicts.push_back({.name = std::string(hypothesis.name)});
  }

  void examine(const DiscriminatingCase& probe, const ConvProblem& problem, std::uint8_t subject_says) {
    ++result_.probes;
    result_.variation.add(probe.c, probe.offset);
    gather(problem, probe.offset, window_);
    bool unanimous = true;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      says_.resize(known_.size());
      says_[i] = known_[i].evaluate(window_, nullptr);
      unanimous = unanimous && says_[i] == says_.front();
    }
    // All hypotheses agree with the subject, so that the probe has no effect.
    if (unanimous && says_.front() == subject_says) return;
    std::optional<Size> size;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      answers_[i].push_back(static_cast<char>(says_[i]));
      HypothesisVerdict& verdict = result_.verdicts[i];
      if (says_[i] == subject_says) {
        ++verdict.discriminating;
        continue;
      }
      if (!size) size = size_of(probe.c);
      if (verdict.refuting++ == 0 || *size < smallest_[i]) {
        smallest_[i] = *size;
        verdict.kind = HypothesisVerdict::Kind::refuted;
        verdict.probe = probe;
        verdict.says = says_[i];
        verdict.subject_says = subject_says;
      }
    }
  }

  Identification finish(std::int64_t declined) {
    result_.declined = declined;
    // A standing hypothesis agreed with the subject on every probe, so that two of them cannot be distinguished.
    std::string first_standing;
    for (HypothesisVerdict& verdict : result_.verdicts) {
      if (verdict.kind == HypothesisVerdict::Kind::refuted) continue;
      if (first_standing.empty()) {
        first_standing = verdict.name;
      } else {
        verdict.kind = HypothesisVerdict::Kind::indistinguishable;
        verdict.like = first_standing;
      }
    }
    std::map<std::string, std::vector<std::string>> alike;
    for (std::size_t i = 0; i < known_.size(); ++i) alike[answers_[i]].emplace_back(known_[i].name);
    for (auto& [answers, names] : alike) {
      if (names.size() > 1) result_.clusters.push_back(std::move(names));
    }
    return std::move(result_);
  }

 private:
  std::span<const Hypothesis> known_;
  // The values of each hypothesis, one byte for each probe that had an effect.
  std::vector<std::string> answers_;
  std::map<std::size_t, Size> smallest_;
  std::vector<std::uint8_t> says_;
  Window window_;
  Identification result_;
};

}  // namespace

DiscriminatingCase probe_at(std::span<const FbgemmPath> paths, std::int64_t index, const Domain& domain) {
  const auto i = static_cast<std::uint64_t>(index);
  return draw_discriminating_case(paths[i % paths.size()], i, domain);
}

Identification identify(const Responder& subject, std::span<const FbgemmPath> paths, std::int64_t probes,
                        const Domain& domain) {
  Identifier identifier(hypotheses());
  std::int64_t declined = 0;
  for (std::int64_t index = 0; index < probes; ++index) {
    const DiscriminatingCase probe = probe_at(paths, index, domain);
    const ConvProblem problem = with_contents(probe.c);
    if (const auto answer = subject(problem, probe.offset)) {
      identifier.examine(probe, problem, *answer);
    } else {
      ++declined;
    }
  }
  return identifier.finish(declined);
}

}  // namespace tieout
