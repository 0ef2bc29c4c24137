#include "cases/strings/utf8.h"

#include <array>
#include <cstdint>

namespace tieout {
namespace {

bool allowed(std::uint32_t code) {
  if (code == '\t' || code == '\n' || code == '\r') return true;
  // XML permits C1 characters, but discourages them.
  if (code < 0x20 || (0x7F <= code && code < 0xA0)) return false;
  return code < 0xD800 || (0xE000 <= code && code < 0xFFFE) || (0x10000 <= code && code <= 0x10FFFF);
}

}  // namespace

std::size_t character_length(std::string_view text) {
  // UTF-8 forbids longer forms than needed, so that each length has a smallest code.
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC0 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF8 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    code = code << 6U | (next & 0x3FU);
  }
  return code >= kSmallest[length] && allowed(code) ? length : 0;
}

}  // namespace tieout
