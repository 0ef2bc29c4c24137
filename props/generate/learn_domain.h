#pragma once
// Learns which cases a subject takes from the cases that it declines.
//
// The subject is given a fixed list of small cases in which one parameter changes at a time, so that the same subject
// gives the same domain on every machine. A subject that takes nine of ten ordinary cases has no domain to learn.
// Otherwise the search starts at an ordinary layer and applies changes that lead to a new reason for declining, until
// the subject takes a case. Around that case each parameter runs through a list of values, and the simplest condition
// is chosen that separates the values taken from those declined: =v, <=v, %N=0 and so on. Parameters that can only
// change together become conditions such as groups=in_channels or padding=same. Ordinary layers that are taken and lie
// outside of the domain give further alternatives.

#include <cstdint>
#include <functional>

#include "cases/text/domain.h"
#include "kernels/subject/subject.h"

namespace tieout {

// Holds a subject's reply to a case. A case on which it dies or misbehaves counts as taken, because that is a finding.
struct Reply {
  bool taken = true;
  std::uint32_t reason = 0;  // A hash of the reason for declining.
};

// Returns the domain of a subject of these types; the domain of all cases if there is nothing to learn or the subject
// takes no case.
[[nodiscard]] Domain learn_domain(const std::function<Reply(const ConvCase&)>& ask, const KernelTypes& types = {});

// Does the same for a subject, which runs in a worker process. seconds: time limit for one answer. Returns the domain
// of all cases if the subject dies or hangs three times, or if go_on, which is called a few times a second, returns
// false.
[[nodiscard]] Domain learn_domain(
    Subject& subject, double seconds, const std::function<bool()>& go_on = [] { return true; });

}  // namespace tieout
