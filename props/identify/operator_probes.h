#pragma once
// Provides cases of an operator at which its variants (oracle/variants/) differ: short ones of elements that decide
// between variants, the same elements often enough to fill the blocks of a kernel and its tail, drawn cases, and ones
// that contain all bytes or all pairs of bytes. Scales are moved so that some result is at a tie.

#include <cstdint>
#include <span>
#include <vector>

#include "cases/operators/operator_case.h"

namespace tieout {

// Returns probe `index` of the sequence of `seed`. The kinds take turns. Inputs are dense and contiguous; their
// contents may be drawn by the case's seed (with_contents()).
[[nodiscard]] OperatorCase operator_probe(const OperatorSchema& schema, std::uint64_t seed, std::uint64_t index);

// Returns the first `count` probes of a sequence.
[[nodiscard]] std::vector<OperatorCase> operator_probes(const OperatorSchema& schema, std::uint64_t seed,
                                                        std::int64_t count);

// True if each output element depends on one element of each input and on nothing else of the case's shape.
[[nodiscard]] bool is_elementwise(const OperatorSchema& schema);

// Returns a case of these elements of an elementwise operator's output alone. c: with contents.
[[nodiscard]] OperatorCase case_of_elements(const OperatorCase& c, std::span<const std::int64_t> offsets);

}  // namespace tieout
