#pragma once
// Tells whether a subject is still the same: a digest over the files that it is made of.

#include <string>
#include <string_view>

namespace tieout {

// text: what --subject takes. Of a library: a digest over the file's contents. Of a command: over its line, and over the
// contents of every file that a word of the line names ("python3 kernel.py": of kernel.py; programs found by PATH and what a
// script imports are not looked at). 16 hexadecimal digits.
[[nodiscard]] std::string subject_digest(std::string_view text);

}  // namespace tieout
