#pragma once
// Provides the advice that error messages give on a word or a value that a case line does not accept. It covers common
// mistakes of users of PyTorch, ONNX and other notations.

#include <functional>
#include <string>
#include <string_view>

namespace tieout {

// Returns at most 60 bytes of the text, for a message: a longer text is cut and ends with "...", and each control
// character becomes a "?".
[[nodiscard]] std::string excerpt(std::string_view text);

// All functions below return advice that begins with "; ", or an empty text if they have none.

// Returns advice on a word that no case line has, such as "relu6" or "kernel_size".
[[nodiscard]] std::string advice_on_word(std::string_view word);

// Returns advice on a word that cases of the other operator have: linear = true: the case is a linear layer, and the
// word is one of convolutions such as "kernel"; false: the reverse. Empty if the case can have the word.
[[nodiscard]] std::string advice_on_other_operator(std::string_view word, bool linear);

// Returns advice on a value that the word does not accept, such as "same" for padding or "0.1,0.2" for ws. dims: the
// number of dimensions of the case. is_read: returns whether the word accepts a value; other values are not advised.
[[nodiscard]] std::string advice_on_value(std::string_view word, std::string_view value, int dims,
                                          const std::function<bool(std::string_view)>& is_read);

// Returns advice on a word that has no value, such as "kernel=", or that is separated from it by spaces, such as
// "x = [1]". rest: the line behind the word. is_read: as for advice_on_value().
[[nodiscard]] std::string advice_on_no_value(std::string_view word, std::string_view rest,
                                             const std::function<bool(std::string_view)>& is_read);

// Returns true if a case line can have the word.
[[nodiscard]] bool is_case_word(std::string_view word);

// Returns the whole numbers that a word accepts, such as "1..256"; empty if the word accepts none.
[[nodiscard]] std::string_view whole_numbers_of(std::string_view word);

// Returns advice on a value or zero point outside the range of its type, if it lies in the range of the other one-byte
// type.
[[nodiscard]] std::string advice_on_int8(std::string_view word, std::int64_t value);

// Returns advice on a list that is broken up by spaces, such as "x=[1, 2, 3]". value: the text up to the closing
// bracket.
[[nodiscard]] std::string advice_on_spaces(std::string_view word, std::string_view value);

}  // namespace tieout
