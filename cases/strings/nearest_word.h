#pragma once
// Finds the known word that a mistyped word was probably meant to be, for error messages.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// Returns the first of `known` with the smallest distance: the number of letters to insert, delete, replace or exchange
// with their neighbour, without regard to case. Returns nothing if that exceeds a third of the word's letters.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace tieout
