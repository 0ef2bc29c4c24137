#pragma once
// The baseline: findings that are known and accepted, in a JSON file that people write.
//
//   [{"kind": "pair saturation", "path": "depthwise", "reason": "waits for the vendor", "link": "https://..."},
//    {"case": "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]", "reason": "rounded half away, as agreed"}]
//
// kind, engine, isa, path and case say which findings are meant; what is left out matches all, and one of them is needed.
// reason is needed too.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reports/report.h"

namespace tieout {

// Reads a baseline from a regular file of at most 4 MiB: a pipe, which may never end, is refused. The error names the file.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> read_baseline(const std::filesystem::path& file);

// The error names the entry and what is wrong with it.
[[nodiscard]] tl::expected<std::vector<KnownFinding>, std::string> parse_baseline(std::string_view text);

}  // namespace tieout
