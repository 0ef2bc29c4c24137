#pragma once
// Moves a drawn case into a domain: each parameter that violates a condition gets the nearest value that satisfies all
// conditions. Cases are thus constructed within the domain however narrow it is, and keep the property that they were
// drawn for.

#include <cstdint>

#include "cases/conv_case.h"
#include "cases/random.h"
#include "cases/text/domain.h"

namespace tieout {

// Returns a random alternative of the domain; nullptr for the domain of all cases, for which no random number is drawn.
[[nodiscard]] const Domain::Alternative* pick_alternative(const Domain& domain, Random& random);

// Chooses dimensions, channels, window and input. most_products: limit for the whole case; batch, input and channels
// are halved, as far as the conditions allow, until the case costs at most that. Returns false if no values were found;
// the case then has an unspecified but valid shape.
[[nodiscard]] bool conform_shape(ConvCase& c, const Domain::Alternative& where, Random& random,
                                 std::int64_t most_products);

// Returns the drawn granularity if the conditions allow it, else the other one.
[[nodiscard]] Granularity conform_granularity(Granularity drawn, const Domain::Alternative& where);

// True if the shape meets the conditions on it.
[[nodiscard]] bool keeps_shape(const ConvCase& c, const Domain::Alternative& where);

// True if a condition begins with the parameter.
[[nodiscard]] bool mentions(Parameter p, const Domain::Alternative& where);

// Adjusts the types of activation, output and bias; call it before conform_quantization().
void conform_types(ConvCase& c, const Domain::Alternative& where, Random& random);

// Sets what the types and the int32 bias of a case leave no choice of: the engine, and all that an int32 output
// ignores.
void settle_types(ConvCase& c);

// Adjusts scales, zero points, bias and relu of a case whose shape and granularity are final.
void conform_quantization(ConvCase& c, const Domain::Alternative& where, Random& random);

// Adjusts engine, instruction set, memory format and threads.
void conform_execution(ConvCase& c, const Domain::Alternative& where, Random& random);

}  // namespace tieout
