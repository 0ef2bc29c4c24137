#include "props/selftest/fault_diagnosis.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/random.h"
#include "cases/strings/bytes.h"
#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/generate/discriminating_case.h"
#include "props/generate/strategy.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

using Outcome = FaultDiagnosis::Outcome;

// Returns case `index` of the fresh cases: three cases of fuzz, and one about ties, ends and overflow; one in forty is
// `shown` with other contents.
ConvCase fresh_case(std::uint64_t seed, std::uint64_t index, const Domain& domain,
                    const std::optional<ConvCase>& shown) {
  // Differs from the seeds of the diagnosis.
  constexpr std::uint64_t kFresh = 0x667265736820636bU;
  if (shown && index % 40 == 38) {
    ConvCase c = *shown;
    c.seed = Random(seed ^ kFresh, index).next();
    if (c.activation.fill == Fill::listed) c.activation = {Fill::uniform, {}};
    if (c.weight.fill == Fill::listed) c.weight = {Fill::uniform, {}};
    return c;
  }
  if (index % 4 != 3) return case_of(seed ^ kFresh, index, kForSubjects, domain);
  return draw_discriminating_case(kFbgemmPaths[index / 4 % kFbgemmPaths.size()], index + (seed + 1) * 7'000'003, domain)
      .c;
}

// Compares the model with the kernel on fresh cases.
void check_on_fresh_cases(FaultDiagnosis& result, const KernelModel& model, const KernelAnswer& kernel,
                          const DiagnoseOptions& options, const std::optional<ConvCase>& shown) {
  for (std::int64_t i = 0; i < options.proof; ++i) {
    ConvProblem drawn = with_contents(fresh_case(options.seed, static_cast<std::uint64_t>(i), options.domain, shown));
    if (element_count(output_shape(drawn.spec)) == 0) continue;
    const auto y = kernel(drawn);
    if (!y) continue;
    const ModelProblem problem(std::move(drawn));
    const std::vector<int> contract = evaluate_all({}, problem);
    const std::vector<int> predicted = evaluate_all(model, problem);
    bool differs = false;
    bool wrong = false;
    bool refutes = false;
    for (std::size_t e = 0; e < y->size(); ++e) {
      differs = differs || (*y)[e] != contract[e];
      wrong = wrong || (*y)[e] != predicted[e];
      refutes = refutes || ((*y)[e] != predicted[e] && (*y)[e] == contract[e]);
    }
    ++result.fresh;
    result.predicted += wrong ? 0 : 1;
    result.differing += differs ? 1 : 0;
    result.differing_predicted += differs && !wrong ? 1 : 0;
    result.refuting += refutes ? 1 : 0;
  }
}

FaultDiagnosis diagnose_here(const FaultyKernel& faulty, const DiagnoseOptions& options, double patience,
                             const std::optional<ConvCase>& shown) {
  const std::shared_ptr<Subject> subject = linked_subject(std::string(faulty.name), faulty.kernel, nullptr);
  FaultDiagnosis result;
  if (const auto conduct = find_conduct(*subject, options, patience)) {
    result.causes = conduct->text;
    if (!conduct->condition.empty()) result.causes += ", where " + conduct->condition;
    const bool right = !faulty.named.empty() && result.causes.find(faulty.named) != std::string::npos;
    result.outcome = right ? Outcome::named : Outcome::misnamed;
    return result;
  }
  const KernelAnswer kernel = answers_of(*subject, patience);
  const Diagnosis diagnosis = diagnose(kernel, options);
  result.causes = causes_text(diagnosis);
  if (result.causes.ends_with('\n')) result.causes.pop_back();
  check_on_fresh_cases(result, diagnosis.model, kernel, options, shown);
  if (!faulty.named.empty()) {
    result.outcome = Outcome::misnamed;
  } else if (!diagnosis.causes.empty()) {
    const bool all =
        diagnosis.verdict == Diagnosis::Verdict::explained && result.predicted == result.fresh && result.differing > 0;
    result.outcome = all ? Outcome::explained : Outcome::partly;
  }
  return result;
}

std::string pack(const FaultDiagnosis& result) {
  ByteWriter bytes;
  bytes.put(result.outcome);
  bytes.put(result.causes);
  for (const std::int64_t number :
       {result.fresh, result.predicted, result.differing, result.differing_predicted, result.refuting}) {
    bytes.put(number);
  }
  return bytes.take();
}

std::optional<FaultDiagnosis> unpack(const std::string& bytes) {
  FaultDiagnosis result;
  ByteReader reader(bytes);
  reader.get(result.outcome);
  reader.get(result.causes);
  for (std::int64_t* const number :
       {&result.fresh, &result.predicted, &result.differing, &result.differing_predicted, &result.refuting}) {
    reader.get(*number);
  }
  if (!reader.complete() || result.outcome > Outcome::ended) return {};
  return result;
}

}  // namespace

bool is_right(const FaultDiagnosis& diagnosis) {
  return (diagnosis.outcome == Outcome::explained || diagnosis.outcome == Outcome::named) && diagnosis.refuting == 0;
}

FaultDiagnosis diagnose_fault(const FaultyKernel& faulty, const DiagnoseOptions& options, double patience,
                              const std::optional<ConvCase>& shown) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  // The proofs and the search for small cases come in addition to the time limit of the search.
  const double limit = 10 * options.seconds + 600;
  const auto answer = run_alone([&] { return pack(diagnose_here(faulty, options, patience, shown)); }, limit);
  FaultDiagnosis result{.outcome = Outcome::ended, .causes = {}};
  if (!answer) {
    result.causes = answer.error().text();
  } else if (auto unpacked = unpack(*answer)) {
    result = std::move(*unpacked);
  } else {
    result.causes = "the answer of its process cannot be read";
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

}  // namespace tieout
