#include "props/verify/engine_subject.h"

#include <string>
#include <utility>

#include "cases/text/case_words.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch.h"
#include "props/verify/exported_subject.h"
#include "props/verify/reference.h"
#include "props/verify/reference_answer.h"

namespace tieout {
namespace {

SubjectError::Kind error_kind_of_reference(ReferenceFailure::Kind kind) {
  switch (kind) {
    case ReferenceFailure::Kind::absent: return SubjectError::Kind::absent;
    case ReferenceFailure::Kind::unsupported:
    case ReferenceFailure::Kind::refused: return SubjectError::Kind::declined;
    case ReferenceFailure::Kind::no_resources: return SubjectError::Kind::no_resources;
    case ReferenceFailure::Kind::died: break;
  }
  return SubjectError::Kind::died;
}

class EngineSubject final : public Subject {
 public:
  explicit EngineSubject(Engine engine) : engine_(engine) {}

  std::string name() const override { return text(); }
  std::string text() const override { return std::string(kEnginePrefix).append(tieout::name(engine_)); }
  Isolation isolation() const override { return Isolation::none; }
  std::string version() const override { return libtorch_ == nullptr ? std::string() : Reference(*libtorch_).text(); }

  tl::expected<void, SubjectError> load(double /*seconds*/) override {
    const auto libtorch = tieout::libtorch(Waiting::asleep);
    if (!libtorch) return absent("LibTorch cannot be loaded: " + libtorch.error().message);
    if (const auto can = (*libtorch)->available({.engine = engine_}); !can) return absent(can.error().message);
    libtorch_ = *libtorch;
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions&) override {
    if (libtorch_ == nullptr) {
      if (const auto loaded = load(kSecondsToLoad); !loaded) return tl::unexpected(loaded.error());
    }
    const ConvCase& c = problem.spec;
    if (needs_direct_call(c) && (engine_ != Engine::fbgemm_direct || c.output_type == OutputType::int32)) {
      const bool sums = c.output_type == OutputType::int32;
      return tl::unexpected(SubjectError{SubjectError::Kind::declined, sums ? "an int32 output" : "an int32 bias"});
    }
    ConvProblem asked = problem;
    asked.spec.execution = {.engine = engine_};
    if (const KnownDefect* const defect = known_defect(as_run(asked.spec, *libtorch_), libtorch_->hardware())) {
      return tl::unexpected(
          SubjectError{SubjectError::Kind::declined, "LibTorch's known defect " + std::string(defect->id)});
    }
    auto answer = run_reference(asked, *libtorch_);
    if (answer) return as_answers(answer->y);
    return tl::unexpected(SubjectError{error_kind_of_reference(answer.error().kind), std::move(answer.error().text)});
  }

 private:
  [[nodiscard]] static tl::expected<void, SubjectError> absent(std::string why) {
    return tl::unexpected(SubjectError{SubjectError::Kind::absent, std::move(why)});
  }

  Engine engine_;
  LibTorch* libtorch_ = nullptr;
};

}  // namespace

tl::expected<std::unique_ptr<Subject>, SubjectError> engine_subject(std::string_view text) {
  if (text == kExportedSubject) return exported_subject();
  const auto engine = from_name<Engine>("engine", text.substr(kEnginePrefix.size()));
  if (!engine) return tl::unexpected(SubjectError{SubjectError::Kind::absent, engine.error().text()});
  return std::make_unique<EngineSubject>(*engine);
}

}  // namespace tieout
