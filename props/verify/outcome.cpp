#include "props/verify/outcome.h"

#include <chrono>
#include <cmath>
#include <utility>

#include "cases/strings/bytes.h"
#include "cases/strings/digest.h"
#include "oracle/engines/known_defects.h"

namespace tieout {
namespace {

constexpr std::string_view kDeclined = "declined by the subject: ";
// More than any run makes.
constexpr std::int64_t kMostAttempts = 1'000;

// Returns the digest of everything that is counted of a case but times, appended to what `digest` holds.
std::uint64_t digest_of(const CaseOutcome& outcome, Digest digest) {
  const auto add_letters = [&](const std::string& text) {
    for (const char letter : text) digest.add(std::uint64_t{static_cast<unsigned char>(letter)});
  };
  digest.add(static_cast<std::uint64_t>(outcome.status));
  digest.add(outcome.elements);
  digest.add(outcome.classes);
  digest.add(outcome.departing);
  const Cell& cell = outcome.cell;
  for (const std::string* text :
       {&outcome.reason, &outcome.departure, &cell.engine, &cell.isa, &cell.path, &cell.granularity, &cell.bias}) {
    add_letters(*text);
    digest.add(std::uint64_t{0});
  }
  for (const auto& [reason, times] : outcome.declined) {
    add_letters(reason);
    digest.add(times);
  }
  return digest.value();
}

const StatusName& status_name(Status status) { return kStatusNames.at(static_cast<std::size_t>(status)); }

// Returns the outcome of a case on which LibTorch accesses memory outside of its buffers. How such a case ends is
// random, so that recording it would make two runs differ.
CaseOutcome outcome_of_memory_defect(const ConvCase& c, const KnownDefect& defect, const Reference& reference) {
  return {.status = Status::known_defect,
          .reason = text_of(defect, "it reads or writes outside of its tensors"),
          .cell = cell_of(c, fbgemm_path(c, reference.hardware()), c.execution.engine, reference)};
}

}  // namespace

CaseOutcome outcome_of(const ConvCase& c, const Verdict& verdict, const Reference& reference) {
  if (verdict.status == Status::known_defect && verdict.defect != nullptr && verdict.defect->memory) {
    return outcome_of_memory_defect(c, *verdict.defect, reference);
  }
  const bool differs = verdict.status == Status::differed || verdict.status == Status::crashed;
  return {.status = verdict.status,
          .elements = verdict.elements,
          .classes = classify(c, verdict.path, verdict.traces).to_ullong(),
          .departing = verdict.departure.elements,
          .departure = verdict.departure.cause,
          .reason = differs ? sampled_kind(verdict.finding) : verdict.reason,
          .cell = cell_of(c, verdict.path, verdict.picked, reference)};
}

CaseOutcome run_case(const ConvCase& c, const CaseSetup& setup, Placement where) {
  const auto start = std::chrono::steady_clock::now();
  const Reference& reference = setup.reference;
  const double before = reference.seconds_inside();
  const Verdict verdict = where == Placement::alone
                              ? verify_alone(c, reference, setup.seconds, setup.subject, setup.rules)
                              : verify(c, reference, setup.subject, setup.rules);
  CaseOutcome outcome = outcome_of(c, verdict, reference);
  outcome.seconds_in_engine = reference.seconds_inside() - before;
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return outcome;
}

bool is_declined(const CaseOutcome& outcome) {
  return outcome.status == Status::skipped && outcome.reason.starts_with(kDeclined);
}

CaseOutcome run_first_taken_case(const std::function<CaseOutcome(std::int64_t)>& run, std::int64_t attempts) {
  double seconds = 0;
  double seconds_in_engine = 0;
  std::map<std::string, std::int64_t> declined;
  for (std::int64_t attempt = 0;; ++attempt) {
    CaseOutcome outcome = run(attempt);
    seconds += outcome.seconds;
    seconds_in_engine += outcome.seconds_in_engine;
    if (is_declined(outcome) && attempt + 1 < attempts) {
      ++declined[outcome.reason.substr(kDeclined.size())];
      continue;
    }
    outcome.attempt = attempt;
    outcome.declined = std::move(declined);
    outcome.seconds = seconds;
    outcome.seconds_in_engine = seconds_in_engine;
    return outcome;
  }
}

CaseOutcome outcome_of_exit(const ConvCase& c, const CaseSetup& setup, const ExitReason& reason) {
  const Reference& reference = setup.reference;
  const KnownDefect* const defect =
      setup.subject == nullptr ? known_defect(as_run(c, reference), reference.hardware()) : nullptr;
  if (defect != nullptr && defect->memory) return outcome_of_memory_defect(c, *defect, reference);
  const Cell cell = cell_of(c, fbgemm_path(c, reference.hardware()), c.execution.engine, reference);
  if (reason.by_machine && reason.signal == 0)
    return {.status = Status::no_resources, .reason = reason.text(), .cell = cell};
  if (reference.other() != nullptr && reference.other()->isolation() == Isolation::none) {
    return {.status = Status::unavailable, .reason = std::string(kReferenceDied) + reason.text(), .cell = cell};
  }
  if (defect == nullptr) {
    return {.status = Status::crashed, .reason = kind_of({.failure = "died: " + reason.text()}), .cell = cell};
  }
  return {.status = Status::known_defect, .reason = text_of(*defect, reason.text()), .cell = cell};
}

CaseOutcome outcome_of_answer(const ConvCase& c, const CaseSetup& setup, const std::string& bytes) {
  auto outcome = unpack(bytes);
  return outcome ? std::move(*outcome) : outcome_of_exit(c, setup, {.stderr_tail = kOverwritten});
}

bool is_finding(const CaseOutcome& outcome) {
  return outcome.status == Status::differed || outcome.status == Status::crashed;
}

bool needs_recheck(const CaseOutcome& outcome, const Subject* subject) {
  if (outcome.status == Status::no_resources) return true;
  if (!is_finding(outcome)) return false;
  const auto mentions = [&](std::string_view words) { return outcome.reason.find(words) != std::string::npos; };
  if (mentions("SIGKILL") || mentions("ended its supervisor")) return true;
  if (subject == nullptr) return (outcome.status == Status::crashed && !mentions("hang")) || mentions("refused");
  return mentions("bad_alloc") || mentions("no memory") || mentions("out of memory") ||
         mentions("annot allocate memory");
}

std::string pack(const CaseOutcome& outcome) {
  ByteWriter bytes;
  bytes.put(outcome.status);
  bytes.put(outcome.elements);
  bytes.put(outcome.departing);
  bytes.put(outcome.classes);
  bytes.put(outcome.seconds);
  bytes.put(outcome.seconds_in_engine);
  bytes.put(outcome.attempt);
  const Cell& cell = outcome.cell;
  for (const std::string* text :
       {&outcome.reason, &outcome.departure, &cell.engine, &cell.isa, &cell.path, &cell.granularity, &cell.bias}) {
    bytes.put(*text);
  }
  bytes.put(static_cast<std::int64_t>(outcome.declined.size()));
  for (const auto& [reason, times] : outcome.declined) {
    bytes.put(reason);
    bytes.put(times);
  }
  return bytes.take();
}

std::optional<CaseOutcome> unpack(const std::string& bytes) {
  ByteReader reader(bytes);
  CaseOutcome outcome;
  reader.get(outcome.status);
  reader.get(outcome.elements);
  reader.get(outcome.departing);
  reader.get(outcome.classes);
  reader.get(outcome.seconds);
  reader.get(outcome.seconds_in_engine);
  reader.get(outcome.attempt);
  Cell& cell = outcome.cell;
  for (std::string* text :
       {&outcome.reason, &outcome.departure, &cell.engine, &cell.isa, &cell.path, &cell.granularity, &cell.bias}) {
    reader.get(*text);
  }
  std::int64_t reasons = 0;
  reader.get(reasons);
  for (std::int64_t i = 0; i < reasons && i < kMostAttempts; ++i) {
    std::string reason;
    reader.get(reason);
    reader.get(outcome.declined[reason]);
  }
  const auto is_time = [](double seconds) { return std::isfinite(seconds) && seconds >= 0; };
  if (!reader.complete() || outcome.status > Status::no_resources || outcome.elements < 0 || outcome.departing < 0 ||
      outcome.attempt < 0 || outcome.attempt >= kMostAttempts || !is_time(outcome.seconds) ||
      !is_time(outcome.seconds_in_engine)) {
    return {};
  }
  return outcome;
}

void count(RunSummary& run, const CaseOutcome& outcome, std::string_view strategy) {
  run.seconds_in_engine += outcome.seconds_in_engine;
  for (const auto& [reason, times] : outcome.declined) run.declined[reason] += times;
  const std::string key(strategy);
  ++run.strategies[key];
  run.strategy_seconds[key] += outcome.seconds;
  ++(run.cases.*status_name(outcome.status).count);
  const bool differs = is_finding(outcome);
  if (differs) ++run.differences[outcome.reason];
  if (outcome.status == Status::passed && !outcome.reason.empty()) ++run.accepted_deviations[outcome.reason];
  if (outcome.status != Status::passed && outcome.status != Status::differed) {
    ++run.reasons[outcome.reason];
    return;
  }
  if (outcome.departing > 0) run.departures[outcome.departure] += {.cases = 1, .elements = outcome.departing};
  CellCounts& cell = run.cells[outcome.cell];
  ++cell.cases;
  cell.elements += outcome.elements;
  cell.differed += differs ? 1 : 0;
  const ClassSet classes(outcome.classes);
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    if (classes.test(i)) ++cell.classes[std::string(name(static_cast<CaseClass>(i)))];
  }
}

void count(RecordBlock& block, const CaseOutcome& outcome, std::string_view strategy) {
  block.verdicts += status_name(outcome.status).letter;
  block.digest = digest_of(outcome, Digest(block.digest));
  count(block.counts, outcome, strategy);
}

}  // namespace tieout
