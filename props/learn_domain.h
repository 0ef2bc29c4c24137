#pragma once
// Learns which cases a subject takes, from what it declines.
//
// The subject is asked a fixed list of small cases, one parameter moved at a time, so that the same subject gives the same
// domain on every machine. A subject that takes nine of ten ordinary cases has no domain to learn. Otherwise a first case
// that it takes is sought: from an ordinary layer, by moves that change the reason for declining. Around that case each
// parameter is moved through a list of values, and the simplest condition is taken that separates the values taken from
// those declined: =v, <=v, %N=0 and so on; parameters that can only move together become conditions such as
// groups=in_channels or padding=same. Ordinary layers that are taken and lie outside give further alternatives.

#include <cstdint>
#include <functional>

#include "cases/domain.h"
#include "kernels/subject.h"

namespace tieout {

// What a subject does with a case. A case on which it dies or misbehaves counts as taken: that is a finding.
struct Reply {
  bool taken = true;
  std::uint32_t reason = 0;  // a hash of the reason for declining
};

// The domain learnt; the domain of all cases if there is nothing to learn, or nothing that the subject takes.
[[nodiscard]] Domain learn_domain(const std::function<Reply(const ConvCase&)>& ask);

// The same for a subject, whose code runs in a worker process. seconds: limit for one answer. A subject that dies or hangs
// three times has no domain that can be learnt: the domain of all cases. So has learning that go_on, which is asked a few
// times a second, stops.
[[nodiscard]] Domain learn_domain(
    Subject& subject, double seconds, const std::function<bool()>& go_on = [] { return true; });

}  // namespace tieout
