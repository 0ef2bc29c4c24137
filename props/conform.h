#pragma once
// Moves a drawn case into a domain: each parameter that breaks a condition gets the nearest value that keeps all of them,
// so that cases are constructed within the domain however narrow it is, and keep what they were drawn for.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/domain.h"
#include "cases/random.h"

namespace tieout {

// One alternative of the domain, at random; nullptr for the domain of all cases, in which case nothing is drawn.
[[nodiscard]] const Domain::Alternative* pick_alternative(const Domain& domain, Random& random);

// Chooses dimensions, channels, window and input. most_products: of the whole case; input and channels are halved, as
// far as the conditions allow, until the case costs at most that. Returns false if no values were found; the case is
// then left in an unspecified but valid shape.
[[nodiscard]] bool conform_shape(ConvCase& c, const Domain::Alternative& where, Random& random,
                                 std::int64_t most_products);

// The granularity itself if the conditions allow it, else the other one.
[[nodiscard]] Granularity conform_granularity(Granularity drawn, const Domain::Alternative& where);

// Scales, zero points, bias and relu of a case whose shape and granularity are final.
void conform_quantization(ConvCase& c, const Domain::Alternative& where, Random& random);

// Engine, instruction set, memory format and threads.
void conform_execution(ConvCase& c, const Domain::Alternative& where, Random& random);

}  // namespace tieout
