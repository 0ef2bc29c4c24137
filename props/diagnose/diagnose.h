#pragma once
// Diagnoses a kernel: finds how it departs from the contract of tieout_kernel.h, as a model that predicts its output,
// and proves the model by fresh cases.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cases/text/domain.h"
#include "kernels/subject/subject.h"
#include "props/diagnose/kernel_model.h"

namespace tieout {

// Returns the kernel's output, NCHW, or nothing if it declines the problem or gives no answer.
using KernelAnswer = std::function<std::optional<std::vector<std::uint8_t>>(const ConvProblem&)>;

// Returns the answers of a subject, which must outlive the result. seconds: time limit of one answer.
[[nodiscard]] KernelAnswer answers_of(Subject& subject, double seconds);

struct DiagnoseOptions {
  std::uint64_t seed = 1;
  // Number of cases that are run to find differences; the search ends earlier if it has enough.
  std::int64_t cases = 20'000;
  // Number of fresh cases of the proof, drawn by another seed.
  std::int64_t proof = 10'000;
  // Limit of the search, and again of each proof: so much time of the processor, and at most twice as much in all.
  double seconds = 45;
  Domain domain;
  // Cases that are known to differ; they are run first.
  std::vector<ConvCase> known;
  // Is told what is being done. Returns false to end with what is known.
  std::function<bool(const std::string& stage, std::int64_t done, std::int64_t of)> progress =
      [](const std::string&, std::int64_t, std::int64_t) { return true; };
};

// One cause of differences.
struct Cause {
  Edit edit;
  // The smallest case, with the values of its first element that differs, as its type stores them.
  ConvCase smallest = {};
  int expected = 0, actual = 0;
  std::int64_t offset = 0;
  // Number of the differing fresh cases that have an element which only this edit explains.
  std::int64_t explains = 0;
};

struct Diagnosis {
  enum class Verdict {
    no_difference,  // the kernel follows the contract on all cases
    explained,      // the model predicts every fresh case
    partly,         // the model predicts some of the differing cases
    unexplained,    // no model was found
    declines,       // the kernel answered too few cases
  } verdict = Verdict::no_difference;
  std::vector<Cause> causes;
  KernelModel model;
  // Of the search.
  std::int64_t cases = 0, declined = 0, differing = 0;
  // Of the proof: fresh cases answered, those predicted in every element, and those that differ from the contract.
  std::int64_t fresh = 0, predicted = 0, fresh_differing = 0, fresh_differing_predicted = 0;
  // Number of elements of the fresh cases.
  std::int64_t fresh_elements = 0;
  // Number of cases that the proof would have had; 0: it had them all. Its time was up before.
  std::int64_t planned = 0;
  // Of those not predicted, the cases that are wrong only at elements that overflow (is_extreme()), if the model does
  // not describe these.
  std::int64_t overflowing = 0;
  // Fresh cases that are not predicted, shrunk; at most two.
  std::vector<ConvCase> left;
  double seconds = 0;
  // True if options.progress ended the search or the proof, so that causes may not be proven.
  bool interrupted = false;
};

[[nodiscard]] Diagnosis diagnose(const KernelAnswer& kernel, const DiagnoseOptions& options = {});

}  // namespace tieout
