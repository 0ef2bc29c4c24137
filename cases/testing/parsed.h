#pragma once
// Converts lines of text to cases and problems in tests. An invalid line throws, which fails the test.

#include <cstdlib>
#include <string>
#include <string_view>

#include "cases/contents.h"
#include "cases/conv_case.h"
#include "cases/text/case_text.h"

namespace tieout {

// Returns the number that python's float.hex() wrote.
[[nodiscard]] inline double from_hex(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

[[nodiscard]] inline ConvCase parse_case(std::string_view line) { return parse(line).value(); }

// Returns the case with its contents.
[[nodiscard]] inline ConvProblem parse_problem(std::string_view line) { return with_contents(parse_case(line)); }

}  // namespace tieout
