#include "reports/escape.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tieout {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool allowed(std::uint32_t code) {
  if (code == '\t' || code == '\n' || code == '\r') return true;
  if (code < 0x20 || (0x7F <= code && code < 0xA0)) return false;  // C1 is legal XML, and warned of
  return code < 0xD800 || (0xE000 <= code && code < 0xFFFE) || (0x10000 <= code && code <= 0x10FFFF);
}

// How many bytes the character at the front of `text` takes; 0 where it is none that is allowed. text: not empty.
std::size_t character_length(std::string_view text) {
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800,
                                                   0x10000};  // by length: no longer form than needed
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

}  // namespace

std::string legal_text(std::string_view text) {
  std::string legal;
  legal.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    legal += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return legal;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : legal_text(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group = group << 8U | (i + j < bytes.size() ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j > bytes.size() ? '=' : kDigits[group >> (18 - 6 * j) & 0x3FU];
    }
  }
  return text;
}

}  // namespace tieout
