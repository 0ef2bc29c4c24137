#pragma once
// Reads the baseline, a JSON file that users write to accept known findings:
//
//   [{"kind": "pair saturation", "path": "depthwise", "reason": "waits for the vendor", "link": "https://..."},
//    {"cause": "rounding: roundf(s)", "condition": "k >= K / 8 * 8", "reason": "the remainder rounds half away"},
//    {"case": "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]", "reason": "rounded half away, as agreed"}]
//
// kind, cause, engine, isa, path and case select findings; a missing member matches all. At least one of them is
// required, and so is reason. condition narrows a cause.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reports/data/report.h"

namespace tieout {

// Reads a baseline from a regular file of at most 4 MiB. A pipe is refused, because it may never end. The error names
// the file.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> read_baseline(const std::filesystem::path& file);

// Reads a baseline from JSON. The error names the entry and what is wrong with it.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> parse_baseline(std::string_view text);

}  // namespace tieout
