#include "props/diagnose/diagnose.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

#include "cases/contents.h"
#include "cases/random.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "cases/validate.h"
#include "props/diagnose/model_search.h"
#include "props/generate/discriminating_case.h"
#include "props/generate/fit_lists.h"
#include "props/generate/strategy.h"
#include "props/shrink/shrink.h"

namespace tieout {
namespace {

// Returns case `index` of a sequence that mixes the cases of fuzz with probes of ties, ends and overflow.
ConvCase mixed_case(std::uint64_t seed, std::int64_t index, const Domain& domain) {
  const auto i = static_cast<std::uint64_t>(index);
  if (i % 4 != 3) return case_of(seed, i, kForSubjects, domain);
  return draw_discriminating_case(kFbgemmPaths[i / 4 % kFbgemmPaths.size()], i / 4 + seed * 1'000'003, domain).c;
}

// A case that the kernel has answered.
struct AnsweredProblem {
  std::shared_ptr<const ModelProblem> problem;
  std::vector<std::uint8_t> y;
  std::vector<std::int64_t> differing;  // the elements that differ from the contract
};

// What an edit does on fresh cases, in elements.
struct Tally {
  std::int64_t active = 0;   // the prediction depends on it; without elements that the model does not describe
  std::int64_t wrong = 0;    // ... and is wrong
  std::int64_t harmful = 0;  // ... and would be right without it
  std::int64_t harmful_in_overflow = 0;  // the same, at elements that the model does not describe
  std::int64_t explains = 0;             // cases with an element that is right because of it
};

class Diagnoser {
 public:
  Diagnoser(const KernelAnswer& kernel, const DiagnoseOptions& options) : kernel_(kernel), options_(options) {}

  Diagnosis run() {
    gather();
    if (result_.cases * 20 < result_.declined || result_.cases == 0) {
      result_.verdict = Diagnosis::Verdict::declines;
      return finish();
    }
    if (!differing_.empty()) {
      ask_neighbours();
      search();
      merge_requantizations();
    }
    // The cases of a failed proof are learned from; the next proof has others.
    constexpr std::uint64_t kProofs = 4;
    for (std::uint64_t i = 0; i < kProofs; ++i) {
      run_proof(i);
      if (is_proven() || i + 1 == kProofs || !go_on("models", 0, 1)) break;
      search();
      merge_requantizations();
    }
    leave_out_overflow();
    drop_refuted();
    shrink_left();
    judge();
    for (std::size_t i = 0; i < result_.model.size(); ++i) result_.causes.push_back(cause_of(i));
    return finish();
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  // Returns the part of the search's time that is used, in seconds. On a busy machine the search has less of the
  // processor, and may take twice as long.
  [[nodiscard]] double used() const {
    const double of_processor = static_cast<double>(std::clock() - start_of_processor_) / CLOCKS_PER_SEC;
    return std::max(of_processor, elapsed() / 2);
  }

  bool go_on(const std::string& stage, std::int64_t done, std::int64_t of) {
    if (!stopped_ && !options_.progress(stage, done, of)) stopped_ = true;
    return !stopped_ && used() < options_.seconds;
  }

  std::optional<AnsweredProblem> ask(ConvCase c) {
    ConvProblem problem = with_contents(std::move(c));
    if (element_count(output_shape(problem.spec)) == 0) return {};
    auto y = kernel_(problem);
    if (!y) return {};
    AnsweredProblem answered{std::make_shared<ModelProblem>(std::move(problem)), std::move(*y), {}};
    const std::vector<int> contract = evaluate_all({}, *answered.problem);
    for (std::size_t i = 0; i < contract.size(); ++i) {
      if (contract[i] != answered.y[i]) answered.differing.push_back(static_cast<std::int64_t>(i));
    }
    return answered;
  }

  void observe(const AnsweredProblem& answered, std::int64_t offset) {
    observations_.push_back({answered.problem, offset, answered.y[static_cast<std::size_t>(offset)]});
  }

  // Adds some elements of each kind.
  void observe_some(const AnsweredProblem& answered, std::size_t differing, std::size_t equal) {
    const std::size_t count = answered.differing.size();
    for (std::size_t i = 0; i < std::min(differing, count); ++i) {
      observe(answered, answered.differing[count <= differing ? i : i * (count - 1) / (differing - 1)]);
    }
    for (std::size_t tries = 0, found = 0; tries < 3 * equal && found < equal; ++tries) {
      const auto offset =
          static_cast<std::int64_t>(random_.next() % static_cast<std::uint64_t>(answered.problem->elements()));
      if (std::ranges::binary_search(answered.differing, offset)) continue;
      observe(answered, offset);
      ++found;
    }
  }

  // Adds some of the elements that a model predicts wrongly, and some others of the case; nothing if none is wrong.
  void learn_from(const AnsweredProblem& answered, const std::vector<std::int64_t>& wrong) {
    if (wrong.empty()) return;
    for (std::size_t i = 0; i < wrong.size(); i += std::max<std::size_t>(1, wrong.size() / 6)) {
      observe(answered, wrong[i]);
    }
    observe_some(answered, 4, 4);
  }

  void add(AnsweredProblem answered) {
    ++result_.cases;
    if (answered.differing.empty()) {
      observe_some(answered, 0, 2);
      return;
    }
    ++result_.differing;
    observe_some(answered, 6, 8);
    differing_.push_back(std::move(answered));
  }

  void gather() {
    constexpr std::int64_t kEnough = 60;      // differing cases
    constexpr std::int64_t kAtLeast = 1'200;  // cases
    for (const ConvCase& c : options_.known) {
      if (auto answered = ask(c)) add(std::move(*answered));
    }
    for (std::int64_t i = 0; i < options_.cases; ++i) {
      if (result_.differing >= kEnough && i >= kAtLeast) break;
      if (result_.differing >= 5 && used() > options_.seconds / 3) break;
      if (i % 64 == 0 && !go_on("cases", i, options_.cases)) break;
      auto answered = ask(mixed_case(options_.seed, i, options_.domain));
      if (!answered) {
        ++result_.declined;
        continue;
      }
      // Equal cases are needed in some number only.
      if (answered->differing.empty() && result_.cases > 4'000) {
        ++result_.cases;
        continue;
      }
      add(std::move(*answered));
    }
  }

  // Asks for cases that differ from a differing one in one parameter, which shows on which the differences depend.
  void ask_neighbours() {
    std::vector<const AnsweredProblem*> smallest;
    for (const AnsweredProblem& one : differing_) smallest.push_back(&one);
    std::ranges::stable_sort(smallest, {}, [](const AnsweredProblem* a) { return a->problem->elements(); });
    std::vector<AnsweredProblem> more;
    const std::size_t count = std::min<std::size_t>(smallest.size(), 6);
    for (std::size_t i = 0; i < count; ++i) {
      const ConvCase& c =
          smallest[i * (smallest.size() - 1) / std::max<std::size_t>(count - 1, 1)]->problem->problem().spec;
      for (ConvCase& neighbour : neighbours(c)) {
        if (!go_on("neighbours", static_cast<std::int64_t>(i), static_cast<std::int64_t>(count))) break;
        if (auto answered = ask(std::move(neighbour))) more.push_back(std::move(*answered));
      }
    }
    for (AnsweredProblem& one : more) add(std::move(one));
  }

  // Returns valid cases of the domain that differ from c in one parameter.
  [[nodiscard]] std::vector<ConvCase> neighbours(const ConvCase& c) const {
    std::vector<ConvCase> all;
    const auto add_case = [&](ConvCase other) {
      if (other.activation.fill == Fill::listed) other.activation = {Fill::uniform, {}};
      if (other.weight.fill == Fill::listed) other.weight = {Fill::uniform, {}};
      fit_lists(other);
      constexpr std::int64_t kLargest = 300'000;
      if (!validate(other) || !options_.domain.contains(other)) return;
      if (product_count(other) > kLargest) return;
      all.push_back(std::move(other));
    };
    const auto values = [](std::int64_t v) { return std::array<std::int64_t, 6>{v - 1, v + 1, v / 2, 2 * v, 1, 0}; };
    for (Spatial ConvCase::* const of :
         {&ConvCase::input, &ConvCase::kernel, &ConvCase::stride, &ConvCase::padding, &ConvCase::dilation}) {
      for (std::size_t d = 0; d < 3; ++d) {
        for (const std::int64_t value : values((c.*of)[d])) {
          ConvCase other = c;
          (other.*of)[d] = value;
          add_case(std::move(other));
        }
      }
    }
    for (const std::int64_t value : values(c.in_channels / c.groups)) {
      ConvCase other = c;
      other.in_channels = value * c.groups;
      add_case(std::move(other));
    }
    for (const std::int64_t value : values(c.out_channels / c.groups)) {
      ConvCase other = c;
      other.out_channels = value * c.groups;
      add_case(std::move(other));
    }
    for (const std::int64_t value : values(c.batch)) {
      ConvCase other = c;
      other.batch = value;
      add_case(std::move(other));
    }
    for (int change = 0; change < 7; ++change) {
      ConvCase other = c;
      switch (change) {
        case 0: other.relu = c.relu == Relu::on ? Relu::off : Relu::on; break;
        case 1:
          other.bias.clear();
          other.int32_bias.clear();
          break;
        case 2: other.activation_zero_point = stored_shift(c.activation_type); break;
        case 3: other.output_zero_point = stored_shift(c.output_type); break;
        case 4: std::ranges::fill(other.weight_zero_points, 0); break;
        case 5:
          other.granularity = Granularity::per_tensor;
          other.weight_scales.resize(1);
          other.weight_zero_points.resize(1);
          break;
        default: other.granularity = Granularity::per_channel; break;
      }
      add_case(std::move(other));
    }
    return all;
  }

  // Makes one edit of those edits of the requantization that always hold, because a later one may replace a step of an
  // earlier one, which would then be named although it has no effect.
  void merge_requantizations() {
    const auto is_merged = [](const Edit& edit) {
      return edit.slot == Slot::requantization && edit.condition.always();
    };
    KernelModel merged;
    std::optional<std::size_t> first;
    for (const Edit& edit : result_.model) {
      if (is_merged(edit) && first) {
        merged[*first].requantization = combine(merged[*first].requantization, edit.requantization);
        continue;
      }
      if (is_merged(edit)) first = merged.size();
      merged.push_back(edit);
    }
    const bool same = wrong_predictions(merged, observations_) == wrong_predictions(result_.model, observations_);
    if (same) result_.model = std::move(merged);
  }

  // Learns models, tests them on fresh cases, and learns again from the cases that refute them.
  void search() {
    constexpr int kRounds = 40;
    constexpr std::int64_t kTests = 6'000;
    for (int round = 0; round < kRounds && go_on("models", round, kRounds); ++round) {
      const std::int64_t best = wrong_predictions(result_.model, observations_);
      FoundModels found = find_models(observations_, [&] { return go_on("models", round, kRounds); });
      if (found.models.empty()) return;
      // A search that was ended may have found less than an earlier one.
      if (wrong_predictions(found.models.front(), observations_) > best) return;
      candidates_ = std::move(found.models);
      without_extremes_ = found.without_extremes;
      ordinary_ = std::move(found.ordinary);
      result_.model = candidates_.front();
      if (result_.model.empty()) return;
      const bool complete = found.complete;
      bool refuted = false;
      for (std::int64_t test = 0; test < kTests && !refuted && go_on("tests", test, kTests); ++test, ++tested_) {
        const auto answered = ask(test_case(tested_));
        if (answered) refuted = complete ? !keep_right(*answered) : is_refuted(*answered);
      }
      if (!refuted) break;
    }
    if (!candidates_.empty()) result_.model = candidates_.front();
  }

  // Returns true, after adding the case to the observations, if the first candidate has edits that make an element of
  // it wrong. Elements that the model leaves as the contract has them are not its fault.
  bool is_refuted(const AnsweredProblem& answered) {
    const std::vector<int> predicted = evaluate_all(candidates_.front(), *answered.problem);
    const std::vector<int> contract = evaluate_all({}, *answered.problem);
    std::vector<std::int64_t> wrong;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      if (predicted[i] != answered.y[i] && predicted[i] != contract[i]) wrong.push_back(static_cast<std::int64_t>(i));
    }
    learn_from(answered, wrong);
    return !wrong.empty();
  }

  // Returns case `index` of the tests: mostly probes, which are small.
  [[nodiscard]] ConvCase test_case(std::int64_t index) const {
    const std::uint64_t seed = options_.seed ^ 0x7465737473U;
    const auto i = static_cast<std::uint64_t>(index);
    if (index % 3 == 0) return mixed_case(seed, index / 3, options_.domain);
    return draw_discriminating_case(kFbgemmPaths[i % kFbgemmPaths.size()], i + seed % 1'000'003 * 1'000,
                                    options_.domain)
        .c;
  }

  // Returns the elements that are predicted wrongly, without those that the model does not describe.
  [[nodiscard]] std::vector<std::int64_t> wrong_elements(const std::vector<int>& predicted,
                                                         const AnsweredProblem& answered) const {
    std::vector<std::int64_t> wrong;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const auto offset = static_cast<std::int64_t>(i);
      if (predicted[i] == answered.y[i]) continue;
      if (without_extremes_ && is_extreme(answered.problem->requantization_input(offset))) continue;
      wrong.push_back(offset);
    }
    return wrong;
  }

  // Removes the candidates that a case refutes. Returns false, after adding the case to the observations, if none is
  // left.
  bool keep_right(const AnsweredProblem& answered) {
    const auto wrong_of = [&](const KernelModel& model) {
      return wrong_elements(evaluate_all(model, *answered.problem), answered);
    };
    const std::vector<std::int64_t> wrong = wrong_of(candidates_.front());
    if (wrong.empty()) return true;
    learn_from(answered, wrong);
    std::erase_if(candidates_, [&](const KernelModel& model) { return !wrong_of(model).empty(); });
    return !candidates_.empty();
  }

  [[nodiscard]] bool is_proven() const { return result_.predicted + result_.overflowing == result_.fresh; }

  // Replaces a model that fresh cases refute by the one without the edits for elements that overflow, if that predicts
  // all others.
  void leave_out_overflow() {
    if (is_proven() || ordinary_.empty() || stopped_) return;
    const Diagnosis refuted = result_;
    const std::vector<Tally> of_refuted = tallies_;
    result_.model = ordinary_;
    without_extremes_ = true;
    run_proof(101);
    if (is_proven()) return;
    result_ = refuted;
    tallies_ = of_refuted;
    without_extremes_ = false;
  }

  // Whether fresh cases refute an edit: without it, an element would be right, or it is wrong at more than one element
  // in a hundred. Of a model that does not predict all cases, an edit must explain some of them, and one with a narrow
  // condition must explain many, in a model that predicts many.
  [[nodiscard]] bool is_refuted(std::size_t edit) const {
    const Tally& tally = tallies_[edit];
    if (tally.harmful > 0 || tally.wrong * 100 > tally.active) return true;
    if (tally.active == 0 && tally.harmful_in_overflow > 0) return true;
    if (is_proven()) return false;
    const bool narrow = result_.model[edit].condition.literals.size() > 1;
    const bool predicts_few = result_.fresh_differing_predicted * 4 < result_.fresh_differing;
    return tally.explains == 0 || (narrow && (predicts_few || tally.explains * 10 < result_.fresh_differing));
  }

  // Removes the edits that fresh cases refute, and counts again without them.
  void drop_refuted() {
    bool refuted = false;
    for (std::size_t i = result_.model.size(); i-- > 0;) {
      if (!is_refuted(i)) continue;
      result_.model.erase(result_.model.begin() + static_cast<std::ptrdiff_t>(i));
      refuted = true;
    }
    if (!refuted) return;
    run_proof(100);
    drop_refuted();
  }

  static KernelModel without(const KernelModel& model, std::size_t i) {
    KernelModel rest = model;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    return rest;
  }

  // Returns case `index` of a proof. One in eight resembles a case that differed, because many causes show on few of
  // the others.
  [[nodiscard]] ConvCase proof_case(std::uint64_t seed, std::int64_t index) const {
    if (index % 8 == 7 && !differing_.empty()) {
      Random random(seed, static_cast<std::uint64_t>(index));
      const auto pick = static_cast<std::size_t>(random.below(static_cast<std::uint32_t>(differing_.size())));
      std::vector<ConvCase> near = neighbours(differing_[pick].problem->problem().spec);
      if (!near.empty()) {
        ConvCase c = std::move(near[random.below(static_cast<std::uint32_t>(near.size()))]);
        c.seed = random.next();
        return c;
      }
    }
    return mixed_case(seed, index, options_.domain);
  }

  void run_proof(std::uint64_t round) {
    const KernelModel& model = result_.model;
    tallies_.assign(model.size(), {});
    result_.fresh = result_.predicted = result_.overflowing = result_.fresh_differing =
        result_.fresh_differing_predicted = result_.fresh_elements = result_.planned = 0;
    result_.left.clear();
    const double end = used() + options_.seconds;
    const std::uint64_t seed = options_.seed ^ (0x70726f6f66U + (round << 40U));
    for (std::int64_t i = 0; i < options_.proof; ++i) {
      if (i % 64 == 0 && (stopped_ || !options_.progress("proof", i, options_.proof))) {
        stopped_ = true;
        break;
      }
      if (used() > end) {
        result_.planned = options_.proof;
        break;
      }
      const ConvCase c = proof_case(seed, i);
      const auto answered = ask(c);
      if (!answered) continue;
      ++result_.fresh;
      result_.fresh_elements += std::ssize(answered->y);
      const std::vector<int> predicted = evaluate_all(model, *answered->problem);
      const std::vector<std::int64_t> wrong = wrong_elements(predicted, *answered);
      const bool right = is_right(predicted, *answered);
      const bool differs = !answered->differing.empty();
      result_.predicted += right ? 1 : 0;
      result_.overflowing += wrong.empty() && !right ? 1 : 0;
      result_.fresh_differing += differs ? 1 : 0;
      result_.fresh_differing_predicted += differs && right ? 1 : 0;
      if (!wrong.empty()) {
        if (result_.left.size() < 5) result_.left.push_back(c);
        learn_from(*answered, wrong);
      }
      if (differs || !wrong.empty()) tally(*answered, predicted);
    }
  }

  // Counts what each edit changes on a case.
  void tally(const AnsweredProblem& answered, const std::vector<int>& predicted) {
    for (std::size_t edit = 0; edit < result_.model.size(); ++edit) {
      const KernelModel rest = without(result_.model, edit);
      const std::vector<int> otherwise = evaluate_all(rest, *answered.problem);
      Tally& tally = tallies_[edit];
      bool needed = false;
      for (std::size_t e = 0; e < predicted.size(); ++e) {
        if (predicted[e] == otherwise[e]) continue;
        const auto offset = static_cast<std::int64_t>(e);
        needed = needed || predicted[e] == answered.y[e];
        if (without_extremes_ && is_extreme(answered.problem->requantization_input(offset))) {
          tally.harmful_in_overflow += otherwise[e] == answered.y[e] ? 1 : 0;
          continue;
        }
        ++tally.active;
        tally.wrong += predicted[e] != answered.y[e] ? 1 : 0;
        tally.harmful += otherwise[e] == answered.y[e] ? 1 : 0;
      }
      tally.explains += needed ? 1 : 0;
    }
  }

  // Replaces the cases that are not predicted by small ones.
  void shrink_left() {
    constexpr std::size_t kMost = 2;
    if (result_.left.size() > kMost) result_.left.resize(kMost);
    for (ConvCase& c : result_.left) {
      c = shrink(c,
                 [&](const ConvCase& smaller) {
                   if (!options_.domain.contains(smaller)) return false;
                   const auto answered = ask(smaller);
                   return answered && !is_right(evaluate_all(result_.model, *answered->problem), *answered);
                 },
                 {.tries = 2'000, .seconds = 3});
    }
    if (result_.left.size() == kMost && print(result_.left.front()) == print(result_.left.back())) {
      result_.left.pop_back();
    }
  }

  static bool is_right(const std::vector<int>& predicted, const AnsweredProblem& answered) {
    return std::ranges::equal(predicted, answered.y, [](int a, std::uint8_t b) { return a == b; });
  }

  void judge() {
    using Verdict = Diagnosis::Verdict;
    const bool differs = result_.differing + result_.fresh_differing > 0;
    if (!differs) {
      result_.verdict = Verdict::no_difference;
    } else if (result_.model.empty()) {
      result_.verdict = Verdict::unexplained;
    } else {
      result_.verdict = result_.predicted == result_.fresh ? Verdict::explained : Verdict::partly;
    }
  }

  Cause cause_of(std::size_t i) {
    Cause cause{.edit = result_.model[i], .smallest = {}, .explains = tallies_[i].explains};
    const KernelModel rest = without(result_.model, i);
    // Returns the first element that the kernel and the model have, and neither the contract nor the other causes.
    const auto shown = [&](const ConvCase& c) -> std::optional<std::int64_t> {
      if (!options_.domain.contains(c)) return {};
      const auto answered = ask(c);
      if (!answered) return {};
      KernelRun with(result_.model, *answered->problem);
      KernelRun without_it(rest, *answered->problem);
      for (const std::int64_t offset : answered->differing) {
        const int y = answered->y[static_cast<std::size_t>(offset)];
        if (with.evaluate(offset) == y && without_it.evaluate(offset) != y) return offset;
      }
      return {};
    };
    for (const AnsweredProblem& one : differing_) {
      const ConvCase& c = one.problem->problem().spec;
      if (!shown(c)) continue;
      cause.smallest =
          shrink(listed(one.problem->problem()), [&](const ConvCase& smaller) { return shown(smaller).has_value(); },
                 {.tries = 3'000, .seconds = 3});
      const auto offset = shown(cause.smallest);
      if (!offset) continue;  // the kernel is not repeatable
      cause.offset = *offset;
      const auto answered = ask(cause.smallest);
      const int shift = stored_shift(cause.smallest.output_type);
      if (answered) cause.actual = answered->y[static_cast<std::size_t>(*offset)] - shift;
      if (answered) cause.expected = KernelRun({}, *answered->problem).evaluate(*offset) - shift;
      break;
    }
    return cause;
  }

  Diagnosis finish() {
    result_.seconds = elapsed();
    result_.interrupted = stopped_;
    return std::move(result_);
  }

  const KernelAnswer& kernel_;
  const DiagnoseOptions& options_;
  Clock::time_point start_ = Clock::now();
  std::clock_t start_of_processor_ = std::clock();
  bool stopped_ = false;
  bool without_extremes_ = false;  // the model does not describe elements that overflow
  Random random_{0x6f627365727665};
  Diagnosis result_;
  std::vector<Observation> observations_;
  std::vector<AnsweredProblem> differing_;
  std::vector<KernelModel> candidates_;
  KernelModel ordinary_;     // of the last search, without the edits for elements that overflow
  std::int64_t tested_ = 0;  // the index of the next case of the tests
  std::vector<Tally> tallies_;
};

}  // namespace

KernelAnswer answers_of(Subject& subject, double seconds) {
  return [&subject, seconds](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
    // Sums have no bytes, and the search knows no other answers.
    if (problem.spec.output_type == OutputType::int32) return {};
    const auto y = subject.run(problem, {.seconds = seconds});
    if (!y) return {};
    return as_bytes(*y).values;
  };
}

Diagnosis diagnose(const KernelAnswer& kernel, const DiagnoseOptions& options) {
  return Diagnoser(kernel, options).run();
}

}  // namespace tieout
