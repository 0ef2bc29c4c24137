#pragma once
// Provides discriminating cases: small cases about one output element on which arithmetics differ, by ties with and
// without bias, decimal scales, pairs and sums that saturate, values that overflow, zero points and clamps. identify()
// runs a subject on them.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/random.h"
#include "cases/text/domain.h"
#include "oracle/engines/fbgemm_path.h"

namespace tieout {

struct DiscriminatingCase {
  ConvCase c;  // Its contents are listed.
  // The row-major offset in the output of the element that the case is about.
  std::int64_t offset = 0;
};

// Returns case `index` of an endless sequence that begins with small numbers. path: the path that FBGEMM takes for the
// shape; half of the cases have the path's plainest shape, the others any of its shapes. The products are adjacent in
// the reduction, so that neighbours form pairs. Where the domain asks for linear layers, these take the place of the
// path. domain: the domain that the cases lie in, as far as such cases are
// found.
[[nodiscard]] DiscriminatingCase draw_discriminating_case(FbgemmPath of_conv, std::uint64_t index,
                                                          const Domain& domain = {});

}  // namespace tieout
