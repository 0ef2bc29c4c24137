#include "props/verify/exported_subject.h"

#include <cstring>
#include <string>
#include <utility>

#include "oracle/exported/conv_program.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/reference.h"

namespace tieout {
namespace {

SubjectError error(SubjectError::Kind kind, std::string message) { return {kind, std::move(message)}; }

SubjectError::Kind error_kind_of_model(ModelError::Kind kind) {
  switch (kind) {
    case ModelError::Kind::absent: return SubjectError::Kind::absent;
    case ModelError::Kind::no_memory: return SubjectError::Kind::no_resources;
    case ModelError::Kind::unreadable:
    case ModelError::Kind::refused: break;
  }
  return SubjectError::Kind::declined;
}

class ExportedSubject final : public Subject {
 public:
  std::string name() const override { return text(); }
  std::string text() const override { return std::string(kExportedSubject); }
  Isolation isolation() const override { return Isolation::none; }
  std::string version() const override { return libtorch_ == nullptr ? std::string() : Reference(*libtorch_).text(); }

  tl::expected<void, SubjectError> load(double /*seconds*/) override {
    const auto libtorch = tieout::libtorch(Waiting::asleep);
    if (!libtorch) {
      return tl::unexpected(
          error(SubjectError::Kind::absent, "LibTorch cannot be loaded: " + libtorch.error().message));
    }
    libtorch_ = *libtorch;
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) override {
    if (libtorch_ == nullptr) {
      if (const auto loaded = load(kSecondsToLoad); !loaded) return tl::unexpected(loaded.error());
    }
    if (!has_even_padding(problem.spec)) return run(with_even_padding(problem), conditions);
    if (needs_direct_call(problem.spec)) {
      return tl::unexpected(error(SubjectError::Kind::declined, "an int32 bias or output"));
    }
    const auto model = libtorch_->open_exported(exported_program_of(problem), {});
    if (!model) return tl::unexpected(error(error_kind_of_model(model.error().kind), model.error().message));
    ModelTensor x{ModelTensor::Type::uint8, activation_shape(problem.spec), {}};
    x.bytes.assign(problem.activation.begin(), problem.activation.end());
    const auto run = (*model)->run_layers({.name = "the case", .arguments = {std::move(x)}}, {}, {});
    if (!run) return tl::unexpected(error(error_kind_of_model(run.error().kind), run.error().message));
    const Tensor<double>& y = run->outputs.front();
    Answers answers{y.shape, {}};
    for (const double value : y.values) answers.values.push_back(static_cast<std::int32_t>(value));
    return answers;
  }

 private:
  LibTorch* libtorch_ = nullptr;
};

}  // namespace

std::unique_ptr<Subject> exported_subject() { return std::make_unique<ExportedSubject>(); }

}  // namespace tieout
