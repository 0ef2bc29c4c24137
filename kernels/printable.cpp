#include "kernels/printable.h"

namespace tieout {

std::string printable(std::string_view text, std::size_t most) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string shown;
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (0x20 <= byte && byte < 0x7F) {
      shown += c;
    } else {
      shown.append("\\x") += {kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return text.size() > most ? shown + "..." : shown;
}

}  // namespace tieout
