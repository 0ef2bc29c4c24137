#pragma once
// Verifies one captured convolution in three ways: by our kernel, by the hypotheses and by the subjects.

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "layers/layer_comparison.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/libtorch/model.h"
#include "props/model/layer_walk.h"
#include "reports/data/model_report.h"

namespace tieout {

// The prefix of a message by which a subject declines a problem, which it may. Other messages report a failure.
inline constexpr std::string_view kDeclined = "declined: ";
// The prefix of a message that the subject was not called, because it can no longer be loaded or the system refused a
// process.
inline constexpr std::string_view kNotAsked = "not asked: ";

// Holds an implementation's answer to a problem, or the reason why there is none.
using LayerAnswer = tl::expected<Answers, std::string>;
struct LayerSubject {
  std::string name;
  std::function<LayerAnswer(const ConvProblem&)> run;
  std::function<std::string()> change = [] { return std::string(); };  // Subject::change()
  std::string argument = {};                                           // of --subject
};

struct LayerOptions {
  std::vector<const Hypothesis*> hypotheses;
  std::vector<LayerSubject> subjects;
  // The engine that the model was opened for; X86 passes layers on to other engines.
  Engine engine = Engine::fbgemm;
  // Number of threads of our own code.
  int threads = 1;
};

// Returns what is compared with the operator, in this order: the kernel, the hypotheses, the subjects.
[[nodiscard]] std::vector<Column> columns_of(const LayerOptions& options);

// Returns the subject of a column, or nullptr if it is the kernel or a hypothesis.
[[nodiscard]] const LayerSubject* subject_of(std::size_t column, const LayerOptions& options);

// Returns the whole output by one of the columns, or the reason why it has none.
[[nodiscard]] LayerAnswer answer_of(std::size_t column, const ConvProblem& problem, const LayerOptions& options,
                                    LibTorch& reference);

// Returns the output of the model's own operator, in the order of Tensor.
[[nodiscard]] Tensor<std::uint8_t> answer_of(const CapturedConv& captured);

struct LayerResult {
  LayerReport report;
  std::vector<Mismatches> columns;
  // By column: the reason why it gave no answer; empty: it gave one.
  std::vector<std::string> declined;
};

// Returns the kernel, and those of stride, padding, dilation and groups that differ from their defaults: "k3x3 s2x2".
[[nodiscard]] std::string geometry_of(const ConvCase& c);

// Returns the processor time of all threads of this process so far, seconds.
[[nodiscard]] double processor_seconds();

// Verifies a captured layer. walks: constructed with options.hypotheses.
[[nodiscard]] LayerResult verify_layer(const CapturedConv& captured, LayerWalks& walks, const LayerOptions& options,
                                       LibTorch& reference, SecondsByPart& seconds);

}  // namespace tieout
