#pragma once
// The page's sources, made part of the program by cmake/EmbedText.cmake. Sha256: of the text before it, in hexadecimal.

#include <string_view>

namespace tieout {

extern const std::string_view kHtmlPage;
extern const std::string_view kHtmlPageSha256;
extern const std::string_view kHtmlCoverage;
extern const std::string_view kHtmlCoverageSha256;
extern const std::string_view kHtmlTrend;
extern const std::string_view kHtmlTrendSha256;
extern const std::string_view kHtmlLayers;
extern const std::string_view kHtmlLayersSha256;
extern const std::string_view kHtmlFinding;
extern const std::string_view kHtmlFindingSha256;
extern const std::string_view kHtmlStyle;
extern const std::string_view kHtmlStyleSha256;
extern const std::string_view kHtmlScript;
extern const std::string_view kHtmlScriptSha256;

}  // namespace tieout
