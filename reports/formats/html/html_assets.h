#pragma once
// The sources of the HTML page as constants, which cmake/EmbedText.cmake generates.

#include <string_view>

namespace tieout {

struct EmbeddedText {
  std::string_view text;
  std::string_view sha256;  // of the text, in hexadecimal
};

extern const EmbeddedText kHtmlPage;
extern const EmbeddedText kHtmlCauses;
extern const EmbeddedText kHtmlCoverage;
extern const EmbeddedText kHtmlTrend;
extern const EmbeddedText kHtmlLayers;
extern const EmbeddedText kHtmlFinding;
extern const EmbeddedText kHtmlStyle;
extern const EmbeddedText kHtmlScript;

}  // namespace tieout
