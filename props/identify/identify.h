#pragma once
// Identifies the arithmetic that a subject follows. Each hypothesis is either refuted by a case, or stands after a
// number of cases that could have refuted it.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oracle/hypotheses/hypothesis.h"
#include "props/generate/discriminating_case.h"
#include "props/identify/case_variation.h"

namespace tieout {

// Returns the subject's value at an element of a problem, or nothing if the subject declines it.
using Responder = std::function<std::optional<std::uint8_t>(const ConvProblem& problem, std::int64_t offset)>;

struct HypothesisVerdict {
  std::string name;
  enum class Kind { refuted, standing, indistinguishable } kind = Kind::standing;
  // refuted: the smallest case that refutes the hypothesis.
  DiscriminatingCase probe;
  // The values there, of the hypothesis and of the subject.
  int says = 0, subject_says = 0;
  // Number of cases that refute the hypothesis.
  std::int64_t refuting = 0;
  // standing: number of cases that could have refuted it, because another hypothesis has a different value there.
  std::int64_t discriminating = 0;
  // indistinguishable: the standing hypothesis, listed before it, that it agrees with.
  std::string like;
};

struct Identification {
  // In the order of the hypotheses.
  std::vector<HypothesisVerdict> verdicts;
  // Groups of two or more hypotheses that agree on every case.
  std::vector<std::vector<std::string>> clusters;
  // Number of probes that the subject answered.
  std::int64_t probes = 0;
  std::int64_t declined = 0;
  // What was varied in the probes that the subject answered.
  CaseVariation variation;
};

// Returns probe `index` of the paths, which take turns. paths: at least one.
[[nodiscard]] DiscriminatingCase probe_at(std::span<const FbgemmPath> paths, std::int64_t index, const Domain& domain);

// Compares the subject with every hypothesis on the first `probes` probes of the paths. domain: the domain from which
// the probes are drawn.
[[nodiscard]] Identification identify(const Responder& subject, std::span<const FbgemmPath> paths,
                                      std::int64_t probes = 20'000, const Domain& domain = {});

}  // namespace tieout
