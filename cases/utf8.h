#pragma once
// Characters of text that comes from elsewhere.

#include <cstddef>
#include <string_view>

namespace tieout {

// How many bytes the character at the front of `text` takes, in UTF-8; 0 where it is none that XML 1.0 and HTML allow, such as
// a control character. text: not empty.
[[nodiscard]] std::size_t character_length(std::string_view text);

}  // namespace tieout
