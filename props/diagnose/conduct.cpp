#include "props/diagnose/conduct.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/strings/bytes.h"
#include "cases/text/case_cost.h"
#include "cases/text/case_text.h"
#include "props/generate/strategy.h"
#include "props/generate/twins.h"
#include "props/process/forked_task.h"
#include "props/shrink/shrink.h"
#include "props/verify/subject_trial.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kCases = 700;
// After the first case that fails: enough for a condition.
constexpr std::int64_t kFurther = 200;
// Maximum number of products of a case that is run after its twins.
constexpr std::int64_t kSmall = 8'000;

// Returns the variables of a case, as far as they do not depend on its contents.
Variables variables_of_case(const ConvCase& c) {
  return ModelProblem({.spec = c, .activation = {}, .weight = {}}).variables(0);
}

// What came of a call: an answer, or what is wrong with it. Both are empty if the subject declined.
struct Response {
  std::string fault;
  std::vector<std::int32_t> y;

  bool operator==(const Response&) const = default;
};

Response response_to_hang(const std::string& message) {
  return {.fault = "hang: " + (message == "hang" ? "no answer in time" : message), .y = {}};
}

Response response_of(const SubjectAnswer& answer) {
  if (answer) return {.fault = {}, .y = answer->values};
  switch (answer.error().kind) {
    case SubjectError::Kind::died: return {.fault = "crash: " + answer.error().message, .y = {}};
    case SubjectError::Kind::hung: return response_to_hang(answer.error().message);
    case SubjectError::Kind::misbehaved: return {.fault = answer.error().message, .y = {}};
    default: return {};
  }
}

Response response_of(const ExitReason& reason) {
  if (reason.timed_out) return response_to_hang(reason.text());
  return {.fault = "crash: " + reason.text(), .y = {}};
}

Response response_of(const Trial& trial) {
  switch (trial.kind) {
    case Trial::Kind::unstable:
    case Trial::Kind::misbehaved: return {.fault = trial.message, .y = trial.first};
    case Trial::Kind::died: return {.fault = "crash: " + trial.message, .y = {}};
    case Trial::Kind::hung: return response_to_hang(trial.message);
    default: return {.fault = {}, .y = trial.first};
  }
}

std::string pack(const Response& response) {
  ByteWriter bytes;
  bytes.put(response.fault);
  bytes.put(response.y);
  return bytes.take();
}

Response unpack(const std::string& text) {
  Response response;
  ByteReader reader(text);
  reader.get(response.fault);
  reader.get(response.y);
  return response;
}

// Returns the kind of a fault, by which the cases that show it are told from others.
std::string_view kind_of(std::string_view fault) { return fault.substr(0, fault.find(':')); }

bool is_crash_or_hang(std::string_view fault) { return kind_of(fault) == "crash" || kind_of(fault) == "hang"; }

// Returns the kind without numbers, so that reading 3 bytes too many is the same as reading 1 byte.
std::string kind_without_numbers(std::string_view fault) {
  std::string text(kind_of(fault));
  std::erase_if(text, [](char c) { return '0' <= c && c <= '9'; });
  if (const auto at = text.find("bytes"); at != std::string::npos) text.replace(at, 5, "byte");
  return text;
}

// Parts of lists, and the twins that change the whole list. A kernel that ignores the list ignores its parts.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kParts{{
    {"last weight scale", "weight scales"},
    {"last weight zero point", "weight zero points"},
    {"last bias", "bias"},
    {"first weight", "weights"},
    {"middle weight", "weights"},
    {"last weight", "weights"},
    {"order of weights", "weights"},
    {"last activation", "activation"},
}};

std::string joined(const std::set<std::string_view>& names) {
  std::string text;
  for (const std::string_view name : names) {
    const auto* const part = std::ranges::find(kParts, name, &std::pair<std::string_view, std::string_view>::first);
    if (part != kParts.end() && names.contains(part->second)) continue;
    text.append(text.empty() ? "" : " or ").append(another(name));
  }
  return text;
}

class ConductFinder {
 public:
  ConductFinder(Subject& subject, const DiagnoseOptions& options, double seconds)
      : subject_(subject), options_(options), seconds_(seconds), linked_(subject.isolation() == Isolation::none) {}

  std::optional<Conduct> find() {
    run_alone_each();
    for (const Outcome& outcome : outcomes_) {
      if (!outcome.response.fault.empty() && !outcome.unstable) return with_condition(outcome.response.fault);
    }
    if (suspects_.empty()) run_after_twins();
    if (suspects_.empty()) return {};
    std::optional<Conduct> conduct = named();
    if (conduct) conduct->planned = planned_;
    return conduct;
  }

 private:
  struct Outcome {
    ConvCase c;
    Response response;
    bool unstable = false;  // the answer changed with a condition of the call
  };

  [[nodiscard]] double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  [[nodiscard]] ConvCase draw(std::int64_t index) const {
    return case_of(options_.seed, static_cast<std::uint64_t>(index), kForSubjects, options_.domain);
  }

  // Runs every case twice, under different conditions, without other problems before it.
  void run_alone_each() {
    std::optional<std::int64_t> first;  // the first case with a fault
    bool hangs = false;
    double limit = seconds_;
    double longest = 0;  // time of a case that was answered, seconds
    auto last = Clock::now();
    const auto note = [&](std::int64_t index, Response response, bool unstable) {
      // Answers that arrived before the process was stopped would make the result depend on the time.
      if (first && index > *first + kFurther) return;
      const auto now = Clock::now();
      if (response.fault.empty()) longest = std::max(longest, std::chrono::duration<double>(now - last).count());
      last = now;
      if (!response.fault.empty() && !first) first = index;
      hangs = hangs || kind_of(response.fault) == "hang";
      if (unstable) suspects_.push_back(index);
      outcomes_.push_back({draw(index), std::move(response), unstable});
      tried_ = std::ssize(outcomes_);
    };
    const auto run = [&](const std::function<bool()>& go_on) {
      run_task(
          {.begin = std::ssize(outcomes_),
           .end = kCases,
           .seconds = linked_ ? limit : 2 * limit + Subject::kSecondsToLoad,
           .work =
               [&](std::int64_t index) {
                 const Trial trial = run_trial(subject_, with_contents(draw(index)), WarmUp::none, limit);
                 return std::string(trial.kind == Trial::Kind::unstable ? "u" : " ") + pack(response_of(trial));
               },
           .answered = [&](std::int64_t index,
                           const std::string& bytes) { note(index, unpack(bytes.substr(1)), bytes.front() == 'u'); },
           .died = [&](std::int64_t index, const ExitReason& reason) { note(index, response_of(reason), false); }},
          go_on);
    };
    run([&] { return !hangs && wants_more(first); });
    if (!hangs || !wants_more(first)) return;
    // Once a call has hung, the cases that follow need only show which do, and have a shorter limit.
    limit = std::clamp(20 * longest, std::min(0.3, seconds_), seconds_);
    run([&] { return wants_more(first); });
  }

  [[nodiscard]] bool wants_more(const std::optional<std::int64_t>& first) {
    const auto done = std::ssize(outcomes_);
    const bool enough = first && done > *first + kFurther;
    if (enough || done >= kCases) return false;
    const bool in_time = elapsed() < options_.seconds / 2;
    if (!in_time) planned_ = first ? *first + kFurther + 1 : kCases;
    return in_time && options_.progress("conduct", done, kCases);
  }

  // Shows whether a problem has the conduct.
  using Shows = std::function<bool(const ConvProblem&)>;

  // Returns the case, shrunk as long as `shows` holds.
  [[nodiscard]] ConvCase shrunk(const ConvCase& c, const Shows& shows, bool hangs = false) const {
    const ConvProblem whole = with_contents(c);
    if (!shows(whole)) return c;
    // Every try starts processes.
    const ShrinkLimits limits{.tries = 400, .steps = hangs ? 10 : 400, .seconds = options_.seconds / 3};
    ConvCase smallest = shrink(
        listed(whole),
        [&](const ConvCase& smaller) {
          return options_.domain.contains(smaller) && options_.progress("shrinking", 0, 1) &&
                 shows(with_contents(smaller));
        },
        limits);
    // The contents of a case that could not be shrunk are longer than its seed.
    return print(smallest).size() < print(c).size() ? smallest : c;
  }

  // Returns the fault of a problem, under the conditions of run_alone_each(), in a process that has computed no other.
  [[nodiscard]] std::string fault_of(const ConvProblem& problem, double seconds) const {
    if (linked_) return response_of(run_trial_alone(subject_, problem, WarmUp::none, seconds)).fault;
    subject_.stop();
    return response_of(run_trial(subject_, problem, WarmUp::none, seconds)).fault;
  }

  // Returns what the subject does on all cases with such a fault, and the condition of that.
  [[nodiscard]] Conduct with_condition(const std::string& fault) const {
    const std::string kind = kind_without_numbers(fault);
    std::vector<Variables> failing;
    std::vector<Variables> others;
    const Outcome* smallest = nullptr;
    for (const Outcome& outcome : outcomes_) {
      const bool fails = !outcome.response.fault.empty() && kind_without_numbers(outcome.response.fault) == kind;
      (fails ? failing : others).push_back(variables_of_case(outcome.c));
      if (fails && (smallest == nullptr || product_count(outcome.c) < product_count(smallest->c))) smallest = &outcome;
    }
    Conduct conduct{.text = smallest->response.fault,
                    .c = smallest->c,
                    .condition = {},
                    .cases = std::ssize(outcomes_),
                    .failing = std::ssize(failing),
                    .planned = planned_};
    const bool hangs = kind == "hang";
    const double limit =
        hangs ? std::min(seconds_, 0.5) : seconds_;  // a smaller case that does not hang answers at once
    // The tries show on what it depends, too.
    conduct.c = shrunk(
        conduct.c,
        [&](const ConvProblem& smaller) {
          const bool fails = kind_without_numbers(fault_of(smaller, limit)) == kind;
          (fails ? failing : others).push_back(variables_of_case(smaller.spec));
          return fails;
        },
        hangs);
    if (const auto condition = separate(failing, others, false)) conduct.condition = condition->text();
    const std::string of_smallest = fault_of(with_contents(conduct.c), limit);
    if (kind_without_numbers(of_smallest) == kind) conduct.text = of_smallest;
    return conduct;
  }

  // Runs the cases again, in reverse order, each after all of its twins. A kernel that keeps no state answers the same.
  // The twin that comes last differs from case to case.
  void run_after_twins() {
    subject_.stop();
    const auto last = std::ssize(outcomes_) - 1;
    const double end = elapsed() + options_.seconds / 4;
    const auto problem_at = [&](std::int64_t i) {
      return with_contents(outcomes_[static_cast<std::size_t>(last - i)].c);
    };
    tried_ = 0;
    constexpr std::size_t kEnough = 40;
    const auto compare = [&](std::int64_t i, const Response& response) {
      if (suspects_.size() >= kEnough) return;  // as in run_alone_each()
      ++tried_;
      if (response != outcomes_[static_cast<std::size_t>(last - i)].response) suspects_.push_back(last - i);
    };
    run_task({.end = last + 1,
              .seconds = linked_ ? seconds_ : 8 * seconds_ + Subject::kSecondsToLoad,
              .work =
                  [&](std::int64_t i) {
                    const ConvProblem problem = problem_at(i);
                    std::vector<ConvProblem> before;
                    if (product_count(problem.spec) <= kSmall) before = twins_of(problem, static_cast<std::size_t>(i));
                    std::vector<SubjectCall> calls;
                    for (const ConvProblem& twin : before) calls.push_back({twin, {.seconds = seconds_}});
                    calls.push_back({problem, {.seconds = seconds_}});
                    return pack(response_of(subject_.run_all(calls).back()));
                  },
              .answered = [&](std::int64_t i, const std::string& bytes) { compare(i, unpack(bytes)); },
              .died = [&](std::int64_t i, const ExitReason& reason) { compare(i, response_of(reason)); }},
             [&] {
               if (suspects_.size() >= kEnough) return false;
               const bool in_time = elapsed() < end;
               if (!in_time) planned_ = last + 1;
               return in_time && options_.progress("state", tried_, last + 1);
             });
  }

  // Returns the small twins of a problem, starting with kind `first`.
  [[nodiscard]] static std::vector<ConvProblem> twins_of(const ConvProblem& problem, std::size_t first) {
    std::vector<ConvProblem> twins;
    for (std::size_t i = 0; i < twin_kinds(); ++i) {
      auto twin = twin_of(problem, (first + i) % twin_kinds());
      if (twin && product_count(twin->spec) <= 2 * kSmall) twins.push_back(std::move(*twin));
    }
    return twins;
  }

  // Returns the response to the last of the calls, in a process that has answered no others.
  [[nodiscard]] Response fresh(std::span<const SubjectCall> calls) const {
    const auto run = [&] { return response_of(subject_.run_all(calls).back()); };
    if (!linked_) {
      subject_.stop();
      return run();
    }
    const auto answer = run_alone([&] { return pack(run()); }, seconds_);
    return answer ? unpack(*answer) : response_of(answer.error());
  }

  [[nodiscard]] Response fresh(const ConvProblem& problem, const Conditions& conditions) const {
    const SubjectCall call{problem, conditions};
    return fresh({&call, 1});
  }

  // Returns which condition of a single call changes the response `usual`; empty if none does.
  [[nodiscard]] std::string changed_by_condition(const ConvProblem& problem, const Response& usual) const {
    for (const auto& [text, conditions] : condition_changes(seconds_)) {
      // Another thread is tried in a second call: what a kernel keeps for its thread comes from the first.
      if (conditions.caller == Conditions::Caller::new_thread) continue;
      const Response other = fresh(problem, conditions);
      if (other != usual) return other.fault.empty() ? std::string(text) : other.fault;
    }
    return {};
  }

  // Returns what a second call of the same problem shows; empty if it is answered as the first.
  [[nodiscard]] std::string changed_by_repetition(const ConvProblem& problem, const Response& usual) const {
    const Conditions same{.seconds = seconds_};
    const std::array calls{SubjectCall{problem, same}, SubjectCall{problem, same}, SubjectCall{problem, same}};
    const Response second = fresh(std::span(calls).first(2));
    if (second == usual) {
      const ConditionChange thread = condition_changes(seconds_).back();
      const std::array threads{SubjectCall{problem, same}, SubjectCall{problem, thread.conditions}};
      if (fresh(threads) != usual) return std::string(thread.text);
      return {};
    }
    if (is_crash_or_hang(second.fault)) return second.fault + ", in the second call";
    const Response third = fresh(calls);
    if (third == usual) return "not repeatable: every second call of the same problem is answered differently";
    return "kept state: the answer depends on what an earlier call left behind, even one of the same problem";
  }

  // Returns the names of the twins that change the answer if they come before.
  [[nodiscard]] std::set<std::string_view> twins_that_matter(const ConvProblem& problem, const Response& usual) const {
    std::set<std::string_view> names;
    const Conditions same{.seconds = seconds_};
    for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
      const auto twin = twin_of(problem, kind);
      if (!twin || product_count(twin->spec) > 2 * kSmall) continue;
      const std::array calls{SubjectCall{*twin, same}, SubjectCall{problem, same}};
      if (fresh(calls) != usual) names.insert(twin_name(kind));
    }
    return names;
  }

  // Returns whether one of the twins changes the answer if it comes before.
  [[nodiscard]] bool depends_on(const std::set<std::string_view>& twins, const ConvProblem& problem) const {
    const Conditions same{.seconds = seconds_};
    const Response usual = fresh(problem, same);
    for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
      if (!twins.contains(twin_name(kind))) continue;
      const auto twin = twin_of(problem, kind);
      if (!twin) continue;
      const std::array calls{SubjectCall{*twin, same}, SubjectCall{problem, same}};
      if (fresh(calls) != usual) return true;
    }
    return false;
  }

  // Returns whether the answer is another one if the other problem comes before.
  [[nodiscard]] bool is_changed(const ConvProblem& problem, const ConvProblem& before) const {
    const Conditions same{.seconds = seconds_};
    const std::array calls{SubjectCall{before, same}, SubjectCall{problem, same}};
    return fresh(calls) != fresh(problem, same);
  }

  // Returns which of the other cases change the answer if one of them comes before; empty if none does. end: when to
  // stop, in the seconds of elapsed(). first: is set to the smallest of them.
  [[nodiscard]] std::string changed_by_another_case(const ConvProblem& problem, const Response& usual, double end,
                                                    std::optional<ConvCase>& first) const {
    constexpr std::size_t kMostCases = 300;
    const Conditions same{.seconds = seconds_};
    std::vector<Variables> matter;
    std::vector<Variables> others;
    const ConvCase* smallest = nullptr;
    for (std::size_t i = 0; i < std::min(kMostCases, outcomes_.size()) && elapsed() < end; ++i) {
      const ConvCase& c = outcomes_[i].c;
      const ConvProblem before = with_contents(c);
      const std::array calls{SubjectCall{before, same}, SubjectCall{problem, same}};
      const bool matters = fresh(calls) != usual;
      (matters ? matter : others).push_back(variables_of_case(c));
      if (matters && (smallest == nullptr || product_count(c) < product_count(*smallest))) smallest = &c;
    }
    if (smallest == nullptr) return {};
    first = *smallest;
    const auto condition = separate(matter, others, false);
    return std::string(kKeptState) + ", " +
           (condition && !condition->always() ? "if in that problem " + condition->text()
                                              : "such as the one given below");
  }

  // Returns what the answers of the suspects depend on. Every call is made in a process of its own, so that one
  // dependence is not taken for another.
  [[nodiscard]] std::optional<Conduct> named() {
    constexpr std::size_t kMostNamed = 8;
    const double end = elapsed() + options_.seconds / 2;
    std::ranges::stable_sort(suspects_, {}, [&](std::int64_t i) { return product_count(at(i).c); });
    Conduct conduct{.text = {}, .c = {}, .condition = {}, .cases = tried_, .failing = std::ssize(suspects_)};
    std::set<std::string_view> names;
    std::size_t with_names = 0;
    for (const std::int64_t suspect : suspects_) {
      if (with_names == kMostNamed || elapsed() > end) break;
      const ConvProblem problem = with_contents(at(suspect).c);
      const Response usual = fresh(problem, {.seconds = seconds_});
      if (fresh(problem, {.seconds = seconds_}) != usual) {
        conduct.text = std::string(kUnrepeatable);
        conduct.c = problem.spec;
        return conduct;
      }
      for (const auto change : {&ConductFinder::changed_by_condition, &ConductFinder::changed_by_repetition}) {
        conduct.text = (this->*change)(problem, usual);
        if (conduct.text.empty()) continue;
        conduct.c = shrunk(at(suspect).c, [&](const ConvProblem& smaller) {
          return (this->*change)(smaller, fresh(smaller, {.seconds = seconds_})) == conduct.text;
        });
        return conduct;
      }
      const std::set<std::string_view> found = twins_that_matter(problem, usual);
      if (found.empty()) continue;
      if (names.empty()) conduct.c = at(suspect).c;
      names.insert(found.begin(), found.end());
      ++with_names;
    }
    if (!names.empty()) {
      conduct.text = std::string(kKeptState) + ", which had " + joined(names);
      conduct.c = shrunk(conduct.c, [&](const ConvProblem& smaller) { return depends_on(names, smaller); });
      return conduct;
    }
    // A process that the machine ended is no answer.
    const auto answered =
        std::ranges::find_if(suspects_, [&](std::int64_t i) { return at(i).unstable || at(i).response.fault.empty(); });
    if (answered == suspects_.end()) return {};
    conduct.c = at(*answered).c;
    const ConvProblem problem = with_contents(conduct.c);
    conduct.text = changed_by_another_case(problem, fresh(problem, {.seconds = seconds_}), 2 * end, conduct.before);
    if (conduct.before) {
      const ConvCase before = *conduct.before;
      const ConvProblem drawn = with_contents(before);
      conduct.c = shrunk(conduct.c, [&](const ConvProblem& smaller) { return is_changed(smaller, drawn); });
      const ConvProblem after = with_contents(conduct.c);
      conduct.before = shrunk(before, [&](const ConvProblem& smaller) { return is_changed(after, smaller); });
      return conduct;
    }
    conduct.text =
        at(*answered).unstable ? at(*answered).response.fault : "kept state: the answer depends on the problems before";
    return conduct;
  }

  [[nodiscard]] const Outcome& at(std::int64_t index) const { return outcomes_[static_cast<std::size_t>(index)]; }

  Subject& subject_;
  const DiagnoseOptions& options_;
  double seconds_;
  bool linked_;
  Clock::time_point start_ = Clock::now();
  // Of the cases 0, 1, ... of the seed.
  std::vector<Outcome> outcomes_;
  // Indices of the cases whose answers depend on more than the case, and the number of cases among which they were
  // found.
  std::vector<std::int64_t> suspects_;
  std::int64_t tried_ = 0;
  std::int64_t planned_ = 0;  // Conduct::planned
};

}  // namespace

std::optional<Conduct> find_conduct(Subject& subject, const DiagnoseOptions& options, double seconds) {
  return ConductFinder(subject, options, seconds).find();
}

}  // namespace tieout
