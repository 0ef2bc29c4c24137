#pragma once
// What to write in place of a word or a value that a case line does not take: the commonest mistakes, by what people
// write who come from PyTorch, ONNX or another notation.

#include <string>
#include <string_view>

namespace tieout {

// At most 60 characters of a text, for a message: what is longer ends with "...", what cannot be printed is a "?".
[[nodiscard]] std::string excerpt(std::string_view text);

// Advice begins with "; " and is empty where there is none.

// On a word that no case line has: "relu6", "kernel_size".
[[nodiscard]] std::string advice_on_word(std::string_view word);

// On a value that the word does not take: "same" for padding, "0.1,0.2" for ws.
[[nodiscard]] std::string advice_on_value(std::string_view word, std::string_view value);

// On a value or zero point beyond the range of its type, where it lies in the range of the other one-byte type.
[[nodiscard]] std::string advice_on_int8(std::string_view word, std::int64_t value);

// On a list that the spaces in it have broken: "x=[1, 2, 3]". value: up to the closing bracket.
[[nodiscard]] std::string advice_on_spaces(std::string_view word, std::string_view value);

}  // namespace tieout
