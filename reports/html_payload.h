#pragma once
// What the page's script unpacks: an index of all findings, and their contents in blocks that are read on demand.
//
// Each is JSON, deflated (zlib's format) and in base64: letters that end no script element. Finding i is entry
// i % kFindingsPerBlock of block i / kFindingsPerBlock. The script's own reading of it: html/unpack.js, html/finding.js.

#include <string>
#include <vector>

#include "reports/report.h"

namespace tieout {

// Large enough for findings to share their text, small enough to be unpacked in an instant.
inline constexpr std::size_t kFindingsPerBlock = 50;

struct HtmlPayload {
  std::string index;
  std::vector<std::string> blocks;
};

[[nodiscard]] HtmlPayload html_payload(const Report& report);

}  // namespace tieout
