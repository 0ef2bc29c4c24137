#pragma once
// A subject's answers to probes, from a worker process that may die.

#include <cstdint>

#include "kernels/subject.h"
#include "props/identify.h"

namespace tieout {

// Runs the subject on the first `probes` probes of the path and answers from what it said, in their order: what identify()
// asks. Probes on which it dies, hangs or misbehaves count as declined. seconds: what a hang is.
// domain: that the probes lie in.
[[nodiscard]] Responder ask_probes(Subject& subject, FbgemmPath path, std::int64_t probes, const Domain& domain,
                                   double seconds);

}  // namespace tieout
