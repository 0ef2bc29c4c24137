#pragma once
// Probes: small cases about one output element, made to tell arithmetics apart: ties with and without bias, decimal scales,
// pairs and sums that saturate, values that overflow, zero points, clamps. identify() runs a subject on them.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/domain.h"
#include "cases/random.h"
#include "oracle/fbgemm_path.h"

namespace tieout {

struct Probe {
  ConvCase c;               // contents listed
  std::int64_t offset = 0;  // of the element that it is about, in the output, row-major
};

// Probe `index` of an endless sequence, the small ones first. path: the shape makes FBGEMM take it, and half of the probes
// have the path's plainest shape, the others any of its shapes. The products stand in the reduction one after the other, so
// that neighbours are pairs. domain: that the probes lie in, as far as such probes are found.
[[nodiscard]] Probe probe_of(FbgemmPath path, std::uint64_t index, const Domain& domain = {});

}  // namespace tieout
