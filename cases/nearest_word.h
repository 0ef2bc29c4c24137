#pragma once
// Finds the word that a mistyped one was probably meant to be.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// The first of `known` with the fewest letters to insert, delete, replace or exchange with their neighbour, upper and lower
// case alike; nothing where that takes more than a third of the word's letters.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace tieout
