#pragma once
// Provides probes: small cases about one output element that separate arithmetics, by ties with and without bias,
// decimal scales, pairs and sums that saturate, values that overflow, zero points and clamps. identify() runs a subject
// on them.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/random.h"
#include "cases/text/domain.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

struct Probe {
  ConvCase c;  // Its contents are listed.
  // The row-major offset in the output of the element that the probe is about.
  std::int64_t offset = 0;
};

// Returns probe `index` of an endless sequence that begins with small numbers. path: the path that FBGEMM takes for the
// shape; half of the probes have the path's plainest shape, the others any of its shapes. The products are adjacent in
// the reduction, so that neighbours form pairs. domain: the domain that the probes lie in, as far as such probes are
// found.
[[nodiscard]] Probe probe_of(FbgemmPath path, std::uint64_t index, const Domain& domain = {});

}  // namespace tieout
