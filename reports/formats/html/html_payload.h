#pragma once
// Packs the findings for the page's script: an index of all findings, and their contents in blocks that are read on
// demand.
//
// Each part is JSON, deflated (zlib's format) and encoded in base64, whose letters cannot end a script element. Finding
// i is entry i % kFindingsPerBlock of block i / kFindingsPerBlock. unpack.js and finding.js read these parts.

#include <cstdint>
#include <string>
#include <vector>

#include "reports/data/report.h"

namespace tieout {

// Large enough that findings share repeated text, small enough to be unpacked at once.
inline constexpr std::size_t kFindingsPerBlock = 50;

// Limits of a page. For larger tensors it shows everything except the maps of their elements, and states where these
// are found.
inline constexpr std::int64_t kMappedElements = 1 << 18;     // elements of one finding's maps
inline constexpr std::int64_t kMappedOnThePage = 1 << 24;    // elements of all findings' maps
inline constexpr std::int64_t kElementsInAScript = 1 << 16;  // elements of a case that is shown as a python script

struct HtmlPayload {
  std::string index;
  std::vector<std::string> blocks;
};

[[nodiscard]] HtmlPayload html_payload(const Report& report);

}  // namespace tieout
