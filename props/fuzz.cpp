#include "props/fuzz.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

#include "cases/case_text.h"
#include "props/case_class.h"
#include "props/generator.h"
#include "props/isolated.h"
#include "props/verify.h"
#include "reports/finding_text.h"

namespace tieout {
namespace {

// What the worker says of a case: enough to count it. Findings are made again where they are reduced.
struct CaseRecord {
  Status status;
  bool memory_defect;  // not run here, because the reference is known to leave its buffers
  FbgemmPath path;
  Engine picked;
  std::int64_t elements;
  std::uint64_t classes;
  double seconds_in_engine;
  std::array<char, 160> reason;  // cut, if need be
};

std::string pack(const CaseRecord& record) { return {reinterpret_cast<const char*>(&record), sizeof record}; }

CaseRecord unpack(const std::string& answer) {
  CaseRecord record;
  answer.copy(reinterpret_cast<char*>(&record), sizeof record);
  return record;
}

CaseRecord examine(const ConvCase& c, LibTorch& reference, const FuzzOptions& options) {
  const double before = reference.seconds_inside();
  const Verdict verdict = verify(c, reference, options.subject, options.rules);
  CaseRecord record{.status = verdict.status,
                    .memory_defect = options.subject == nullptr && verdict.status == Status::skipped &&
                                     verdict.defect != nullptr && verdict.defect->memory,
                    .path = verdict.path,
                    .picked = verdict.picked,
                    .elements = verdict.elements,
                    .classes = classify(c, verdict.path, verdict.traces).to_ullong(),
                    .seconds_in_engine = reference.seconds_inside() - before,
                    .reason = {}};
  verdict.reason.copy(record.reason.data(), record.reason.size() - 1);
  return record;
}

class Run {
 public:
  Run(const FuzzOptions& options, LibTorch& reference, const std::function<bool(const RunSummary&)>& progress)
      : options_(options), reference_(reference), progress_(progress), native_(reference.native_isa()) {
    summary_.seed = options.seed;
    summary_.command = "tieout fuzz --cases " + std::to_string(options.cases) + " --seed " +
                       std::to_string(options.seed) + (options.policy == Policy::uniform ? " --uniform" : "") +
                       (options.subject == nullptr ? "" : " --subject " + shell_word(options.subject->text())) +
                       (options.rules.strictness == Strictness::libtorch ? " --strict" : "");
    summary_.reference = "LibTorch " + reference.version() + ", " + std::string(name(native_));
  }

  RunSummary run() {
    run_isolated(0, options_.cases, patience(),
                 {.work = [this](std::int64_t index) { return pack(examine(draw(index), reference_, options_)); },
                  .answered = [this](std::int64_t index, const std::string& a) { return count(index, unpack(a)); },
                  .died = [this](std::int64_t index, const Death& death) { return count_death(index, death); },
                  .idle = [this] { return go_on(); }});
    find_missing_classes();
    (void)go_on();
    return std::move(summary_);
  }

 private:
  [[nodiscard]] ConvCase draw(std::int64_t index) const {
    Random random(options_.seed, static_cast<std::uint64_t>(index));
    const GeneratorOptions drawn = options_.subject == nullptr ? GeneratorOptions{} : kForSubjects;
    return options_.policy == Policy::uniform ? draw_uniform_case(random, drawn) : draw_case(random, drawn);
  }

  // For a case. A subject is asked several times; a process sees to its hangs itself.
  [[nodiscard]] double patience() const {
    if (options_.subject == nullptr) return options_.seconds_per_case;
    constexpr double kCalls = 12;
    return options_.rules.seconds * (options_.subject->isolation() == Isolation::own_process ? kCalls : 1);
  }

  bool count(std::int64_t index, const CaseRecord& record) {
    summary_.seconds_in_engine += record.seconds_in_engine;
    const ConvCase c = draw(index);  // again: a record is cheaper to send than a case
    if (record.memory_defect) return count_alone(c);
    count(record.status, record.reason.data());
    if (record.status == Status::passed && record.reason.front() != '\0') ++summary_.excused[record.reason.data()];
    if (record.status == Status::passed || record.status == Status::differed) count_verified(c, record);
    if (record.status == Status::differed) keep(unreduced(c, {}));
    return go_on();
  }

  // The reference is known to leave its buffers here: it runs alone, and how it ends is counted.
  bool count_alone(const ConvCase& c) {
    const Verdict verdict = verify_alone(c, reference_, options_.seconds_per_case);
    count(verdict.status, verdict.reason);
    if (verdict.status == Status::differed) keep(verdict.finding);
    return go_on();
  }

  void count(Status status, const std::string& reason) {
    CaseCounts& cases = summary_.cases;
    switch (status) {
      case Status::passed: ++cases.passed; return;
      case Status::differed: ++cases.differed; return;
      case Status::skipped: ++cases.skipped; break;
      case Status::mistrusted: ++cases.mistrusted; break;
      case Status::crashed: ++cases.crashed; break;
      case Status::errored: ++cases.errored; break;
    }
    ++summary_.reasons[reason];
  }

  void count_verified(const ConvCase& c, const CaseRecord& record) {
    CellCounts& cell = summary_.cells[cell_of(c, record.path, record.picked, native_)];
    ++cell.cases;
    cell.elements += record.elements;
    cell.differed += record.status == Status::differed ? 1 : 0;
    const ClassSet classes(record.classes);
    for (std::size_t i = 0; i < kCaseClasses; ++i) {
      if (classes.test(i)) ++summary_.cases_by_class[std::string(name(static_cast<CaseClass>(i)))];
    }
  }

  bool count_death(std::int64_t index, const Death& death) {
    count(Status::crashed, death.text());
    keep(unreduced(draw(index), "died: " + death.text()));
    return go_on();
  }

  [[nodiscard]] Finding unreduced(const ConvCase& c, std::string failure) const {
    return {.case_line = print(c),
            .original_line = print(c),
            .expected_name = std::string(name(c.execution.engine)),
            .actual_name = options_.subject == nullptr ? "actual" : options_.subject->name(),
            .failure = std::move(failure),
            .subject = options_.subject == nullptr ? "" : options_.subject->text()};
  }

  void keep(const Finding& finding) {
    if (summary_.findings.size() == options_.max_findings) return;
    summary_.findings.push_back(reduce(finding, reference_, 2, options_.subject, options_.rules));
  }

  // Hunting is meant to reach every class. In a run that is long enough, one that was not reached is a hole.
  void find_missing_classes() {
    constexpr std::int64_t kLongEnough = 10'000;
    if (options_.policy != Policy::hunting || summary_.cases.verified() < kLongEnough) return;
    // What a subject declines, it cannot reach.
    if (options_.subject != nullptr && summary_.cases.skipped > 0) return;
    for (std::size_t i = 0; i < kCaseClasses; ++i) {
      if (options_.subject != nullptr && of_execution(static_cast<CaseClass>(i))) continue;
      const std::string what(name(static_cast<CaseClass>(i)));
      if (!summary_.cases_by_class.contains(what)) summary_.missing_classes.push_back(what);
    }
  }

  bool go_on() {
    summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    return progress_(summary_);
  }

  const FuzzOptions& options_;
  LibTorch& reference_;
  const std::function<bool(const RunSummary&)>& progress_;
  Isa native_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  RunSummary summary_;
};

}  // namespace

RunSummary fuzz(const FuzzOptions& options, LibTorch& reference,
                const std::function<bool(const RunSummary&)>& progress) {
  return Run(options, reference, progress).run();
}

}  // namespace tieout
