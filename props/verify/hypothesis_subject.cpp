#include "props/verify/hypothesis_subject.h"

#include <string>

#include "cases/strings/nearest_word.h"
#include "oracle/hypotheses/hypothesis.h"

namespace tieout {
namespace {

class HypothesisSubject final : public Subject {
 public:
  explicit HypothesisSubject(const Hypothesis& hypothesis) : hypothesis_(hypothesis) {}

  std::string name() const override { return text(); }
  std::string text() const override { return std::string(kHypothesisPrefix).append(hypothesis_.name); }
  Isolation isolation() const override { return Isolation::none; }
  tl::expected<void, SubjectError> load(double /*seconds*/) override { return {}; }
  tl::expected<Answers, SubjectError> run(const ConvProblem& problem, const Conditions&) override {
    if (!applies_to(hypothesis_, problem.spec)) {
      return tl::unexpected(SubjectError{SubjectError::Kind::declined, "an int32 output: it sums no integers"});
    }
    return evaluate(hypothesis_, problem);
  }

 private:
  const Hypothesis& hypothesis_;
};

}  // namespace

tl::expected<std::unique_ptr<Subject>, SubjectError> hypothesis_subject(std::string_view text) {
  const std::string_view name = text.substr(kHypothesisPrefix.size());
  if (const Hypothesis* const hypothesis = find_hypothesis(name)) {
    return std::make_unique<HypothesisSubject>(*hypothesis);
  }
  std::vector<std::string> names;
  std::string all;
  for (const Hypothesis& hypothesis : hypotheses()) {
    all.append(names.empty() ? "" : ", ").append(hypothesis.name);
    names.emplace_back(hypothesis.name);
  }
  const auto nearest = nearest_word(name, names);
  return tl::unexpected(SubjectError{SubjectError::Kind::absent,
                                     "hypothesis: must be one of " + all + ", is '" + std::string(name) + "'" +
                                         (nearest ? "; did you mean " + *nearest + "?" : std::string())});
}

}  // namespace tieout
