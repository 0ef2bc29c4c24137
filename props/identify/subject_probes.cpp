#include "props/identify/subject_probes.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "props/process/forked_task.h"

namespace tieout {

Responder ask_probes(Subject& subject, std::span<const FbgemmPath> paths, std::int64_t probes, const Domain& domain,
                     double seconds) {
  struct ProbeAnswers {
    std::vector<std::optional<std::uint8_t>> values;
    std::size_t next = 0;
  };
  const auto answers = std::make_shared<ProbeAnswers>();
  run_task({.end = probes,
            .seconds = seconds + Subject::kSecondsToLoad,
            .work =
                [&](std::int64_t index) {
                  const DiscriminatingCase probe = probe_at(paths, index, domain);
                  const auto y = subject.run(with_contents(probe.c), {.seconds = seconds});
                  if (!y) return std::string();
                  return std::string(1, static_cast<char>(y->values[static_cast<std::size_t>(probe.offset)]));
                },
            .answered =
                [&](std::int64_t, const std::string& answer) {
                  answers->values.emplace_back();
                  if (!answer.empty()) answers->values.back() = static_cast<std::uint8_t>(answer.front());
                },
            .died = [&](std::int64_t, const ExitReason&) { answers->values.emplace_back(); }});
  return [answers](const ConvProblem&, std::int64_t) { return answers->values.at(answers->next++); };
}

}  // namespace tieout
