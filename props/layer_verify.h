#pragma once
// One captured convolution verified three ways: by our kernel, by the hypotheses, by the subjects.

#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "oracle/compare.h"
#include "oracle/libtorch.h"
#include "oracle/model.h"
#include "props/layer_walk.h"
#include "reports/model_report.h"

namespace tieout {

// How the words begin of a subject that does not know such problems, as it may. Other words say how it failed to answer.
inline constexpr std::string_view kDeclined = "declined: ";

// An implementation under test: what it answers on a problem, or why it does not.
using LayerAnswer = tl::expected<Tensor<std::uint8_t>, std::string>;
struct LayerSubject {
  std::string name;
  std::function<LayerAnswer(const ConvProblem&)> run;
};

struct LayerOptions {
  std::vector<const Hypothesis*> hypotheses;
  std::vector<LayerSubject> subjects;
  Engine engine = Engine::fbgemm;  // that the model was opened for: X86 hands layers on
  int threads = 1;                 // of ours
};

// Who is compared with the operator, in this order: the kernel, the hypotheses, the subjects.
[[nodiscard]] std::vector<Column> columns_of(const LayerOptions& options);

// What one of them says the whole output is; or why it says nothing.
[[nodiscard]] tl::expected<Tensor<std::uint8_t>, std::string> answer_of(std::size_t column, const ConvProblem& problem,
                                                                        const LayerOptions& options,
                                                                        LibTorch& reference);

// What the model's own operator answered, in the order of Tensor.
[[nodiscard]] Tensor<std::uint8_t> answer_of(const CapturedConv& captured);

struct LayerResult {
  LayerReport report;
  std::vector<Disagreement> columns;
  std::vector<std::string> declined;  // by column: why it gave no answer; empty: it gave one
};

// What all threads of this process have taken so far.
[[nodiscard]] double processor_seconds();

// walks: of options.hypotheses.
[[nodiscard]] LayerResult verify_layer(const CapturedConv& captured, LayerWalks& walks, const LayerOptions& options,
                                       LibTorch& reference, SecondsByPart& seconds);

}  // namespace tieout
