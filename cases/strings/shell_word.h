#pragma once
// Quotes a text as one word for a shell. This header uses C++17 and no other header of Tieout, because <tieout/gtest.h>
// includes it.

#include <string>

namespace tieout {

// Returns the text unchanged if a shell reads it as one word, and otherwise in single quotes. A text with control
// characters is written as $'...', which bash and zsh read, so that a printed command can be pasted whatever it
// contains.
[[nodiscard]] inline std::string shell_word(const std::string& text) {
  constexpr const char* kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:=+-";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  bool controls = false;
  for (const char c : text) controls = controls || is_control(c);
  std::string word = controls ? "$'" : "'";
  for (const char c : text) {
    if (!controls) {
      word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    } else if (is_control(c)) {
      constexpr const char* kDigits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      word += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    } else {
      word += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
  }
  return word + "'";
}

}  // namespace tieout
