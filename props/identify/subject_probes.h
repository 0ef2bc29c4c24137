#pragma once
// Obtains a subject's answers to probes from a worker process that may die.

#include <cstdint>
#include <span>

#include "kernels/subject/subject.h"
#include "props/identify/identify.h"

namespace tieout {

// Runs the subject on the first `probes` probes of the paths and returns a Responder that yields the answers in their
// order, for identify(). Probes on which the subject dies, hangs or misbehaves count as declined. domain: the domain
// that the probes lie in. seconds: time limit of one answer.
[[nodiscard]] Responder ask_probes(Subject& subject, std::span<const FbgemmPath> paths, std::int64_t probes,
                                   const Domain& domain, double seconds);

}  // namespace tieout
