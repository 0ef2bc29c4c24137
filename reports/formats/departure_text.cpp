#include "reports/formats/departure_text.h"

#include <fmt/core.h>

#include "reports/text/number_text.h"

namespace tieout {

std::vector<std::string> departure_sentences(const RunSummary& run) {
  std::vector<std::string> sentences;
  for (const auto& [cause, departures] : run.departures) {
    sentences.push_back(
        fmt::format("{} in {} {} equal to LibTorch's values but not to the exact contract's, because {}.",
                    counted(departures.elements, "element"), counted(departures.cases, "case"),
                    departures.elements == 1 ? "is" : "are", cause));
  }
  for (const auto& [reason, cases] : run.accepted_deviations) {
    sentences.push_back(fmt::format("{} as equal although some values are not LibTorch's, because the subject {}.",
                                    cases == 1 ? "1 case counts" : grouped(cases) + " cases count", reason));
  }
  return sentences;
}

std::string verdict_with_departures(const Report& report) {
  std::string text = verdict(report);
  for (const std::string& sentence : departure_sentences(report.total)) text += "\n" + sentence;
  return text;
}

}  // namespace tieout
