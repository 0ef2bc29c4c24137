#pragma once
// Provides the advice that error messages give on a word or a value that a case line does not accept. It covers common
// mistakes of users of PyTorch, ONNX and other notations.

#include <string>
#include <string_view>

namespace tieout {

// Returns at most 60 bytes of the text, for a message: a longer text is cut and ends with "...", and each control
// character becomes a "?".
[[nodiscard]] std::string excerpt(std::string_view text);

// All functions below return advice that begins with "; ", or an empty text if they have none.

// Returns advice on a word that no case line has, such as "relu6" or "kernel_size".
[[nodiscard]] std::string advice_on_word(std::string_view word);

// Returns advice on a value that the word does not accept, such as "same" for padding or "0.1,0.2" for ws.
[[nodiscard]] std::string advice_on_value(std::string_view word, std::string_view value);

// Returns advice on a value or zero point outside the range of its type, if it lies in the range of the other one-byte
// type.
[[nodiscard]] std::string advice_on_int8(std::string_view word, std::int64_t value);

// Returns advice on a list that is broken up by spaces, such as "x=[1, 2, 3]". value: the text up to the closing
// bracket.
[[nodiscard]] std::string advice_on_spaces(std::string_view word, std::string_view value);

}  // namespace tieout
