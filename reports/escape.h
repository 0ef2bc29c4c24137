#pragma once
// Text from elsewhere, made fit for a page: whatever bytes it holds, a parser reads text and nothing but text.

#include <string>
#include <string_view>

namespace tieout {

// Valid UTF-8 of characters that XML 1.0 and HTML allow: everything else becomes U+FFFD, one for each byte.
[[nodiscard]] std::string legal_text(std::string_view text);

// legal_text() with & < > " ' escaped: for the contents of elements and for quoted attributes, in XML and in HTML.
[[nodiscard]] std::string escaped(std::string_view text);

// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace tieout
