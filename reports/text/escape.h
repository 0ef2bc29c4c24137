#pragma once
// Makes untrusted text safe for XML and HTML: whatever bytes it has, a parser reads it as text.

#include <string>
#include <string_view>

namespace tieout {

// Returns the text as valid UTF-8 of characters that XML 1.0 and HTML allow; each other byte becomes one U+FFFD.
[[nodiscard]] std::string legal_text(std::string_view text);

// Returns legal_text() with & < > " ' escaped, for the contents of elements and for quoted attributes.
[[nodiscard]] std::string escaped(std::string_view text);

// Returns the bytes in base64 (RFC 4648) with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace tieout
