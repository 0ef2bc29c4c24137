#pragma once
// Lists the ways in which a kernel may compute an operator, and finds those that give a kernel's values: the
// specification, LibTorch's two codes, each change of change_list.def, changes that hold in the vectors or the tail of
// a kernel only, and pairs of changes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cases/operators/operator_case.h"
#include "oracle/engines/fbgemm_path.h"
#include "oracle/operators/element_record.h"
#include "oracle/variants/changes.h"

namespace tieout {

struct OperatorVariant {
  std::string name{};     // "ties_away", "ties_away in tails of 16", "ties_away and wraps", "specification"
  std::string what{};     // what it computes: "ties rounded away from zero: roundf()"
  std::string instead{};  // what the specification has in its place; empty for the specification and LibTorch

  // Elements that have the changes: all; those in whole blocks of `block` elements of the row-major output; or those
  // behind the last whole block.
  enum class Place { everywhere, blocks, tail } place = Place::everywhere;
  std::int64_t block = 1;
  Changes changes{};

  // Set if the variant is LibTorch: as it computes the case, or all elements by one of its codes.
  bool is_libtorch = false;
  std::optional<OperatorCode> code{};
};

// Return the variants of an operator, from those with the simplest description on: LibTorch, the specification and one
// change everywhere; one change at a place; and two changes.
[[nodiscard]] std::vector<OperatorVariant> simple_variants(const OperatorSchema& schema);
[[nodiscard]] std::vector<OperatorVariant> placed_variants(const OperatorSchema& schema);
[[nodiscard]] std::vector<OperatorVariant> paired_variants(const OperatorSchema& schema);

// Returns the output, or nothing if LibTorch refuses the case. c: valid, with contents.
[[nodiscard]] std::optional<OperatorOutput> compute_variant(const OperatorVariant& variant, const OperatorCase& c,
                                                            const Hardware& hardware);

// Returns the variants that have the actual values at every element of a case, of the simplest kind that has any. c:
// valid, with contents. expected: the values from which the actual ones differ; a variant that has these is none.
[[nodiscard]] std::vector<OperatorVariant> explain_difference(const OperatorCase& c, const Hardware& hardware,
                                                              const OperatorOutput& expected,
                                                              const OperatorOutput& actual);

}  // namespace tieout
