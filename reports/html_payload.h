#pragma once
// What the page's script unpacks: an index of all findings, and their contents in blocks that are read on demand.
//
// Each is JSON, deflated (zlib's format) and in base64: letters that end no script element. Finding i is entry
// i % kFindingsPerBlock of block i / kFindingsPerBlock. The script's own reading of it: html/unpack.js, html/finding.js.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/report.h"

namespace tieout {

// Large enough for findings to share their text, small enough to be unpacked in an instant.
inline constexpr std::size_t kFindingsPerBlock = 50;

// What a page holds at most. Of larger tensors it shows all but the maps of their elements; it says so, and what has them.
inline constexpr std::int64_t kMappedElements = 1 << 18;     // of one finding
inline constexpr std::int64_t kMappedOnThePage = 1 << 24;    // of all findings
inline constexpr std::int64_t kElementsInAScript = 1 << 16;  // of a case that is shown as a python script

struct HtmlPayload {
  std::string index;
  std::vector<std::string> blocks;
};

[[nodiscard]] HtmlPayload html_payload(const Report& report);

}  // namespace tieout
