#pragma once
// Which arithmetic does a subject follow? Every hypothesis is refuted by a case, or stands after so many that could have
// refuted it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oracle/hypothesis.h"
#include "props/probe.h"

namespace tieout {

// What the subject answers at an element of a case; nothing where it declines the case.
using Responder = std::function<std::optional<std::uint8_t>(const ConvProblem& problem, std::int64_t offset)>;

struct HypothesisVerdict {
  std::string name;
  enum class Kind { refuted, standing, indistinguishable } kind = Kind::standing;
  Probe probe;                     // refuted: the smallest case that does it
  int says = 0, subject_says = 0;  // there
  std::int64_t refuting = 0;       // how many cases refute it
  std::int64_t discriminating =
      0;             // standing: how many cases could have, because another hypothesis says otherwise there
  std::string like;  // indistinguishable: from which standing hypothesis, listed before it
};

struct Identification {
  std::vector<HypothesisVerdict> verdicts;         // in the hypotheses' order
  std::vector<std::vector<std::string>> clusters;  // hypotheses that agree on every case; those of more than one
  std::int64_t probes = 0;                         // that the subject answered
  std::int64_t declined = 0;
};

// Runs the subject and every hypothesis on the first `probes` probes of the path.
// domain: that the probes lie in.
[[nodiscard]] Identification identify(const Responder& subject, FbgemmPath path, std::int64_t probes = 20'000,
                                      const Domain& domain = {});

}  // namespace tieout
