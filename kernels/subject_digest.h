#pragma once
// Computes a digest over the files of a subject, by which campaigns detect that the subject has changed.

#include <string>
#include <string_view>

namespace tieout {

// Returns 16 hexadecimal digits. text: the argument of --subject. The digest of a library covers the file's contents.
// The digest of a command covers its line and the contents of every file that a word of the line names: for "python3
// kernel.py" those of kernel.py. It does not cover programs that are found by PATH, nor what a script imports.
[[nodiscard]] std::string subject_digest(std::string_view text);

}  // namespace tieout
