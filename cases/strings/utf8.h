#pragma once
// Decodes characters of text from untrusted sources, for printing and for reports in XML and HTML.

#include <cstddef>
#include <string_view>

namespace tieout {

// Returns the number of bytes of the UTF-8 character at the front of `text`, or 0 if the bytes are not a character that
// XML 1.0 and HTML allow, such as a control character. text: must not be empty.
[[nodiscard]] std::size_t character_length(std::string_view text);

}  // namespace tieout
