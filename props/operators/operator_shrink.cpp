#include "props/operators/operator_shrink.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

#include "cases/operators/any_case.h"
#include "cases/operators/operator_text.h"
#include "props/operators/operator_subject.h"
#include "props/operators/operator_verify.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

// Gets a candidate; returns true to end the pass.
using Visitor = std::function<bool(OperatorCase&&)>;
// Visits the candidates of one kind, the largest simplifications first. Returns true if the visitor ended it.
using Pass = bool (*)(const OperatorCase& c, const Visitor& visit);

// ---- Shape.

// Returns the values of the elements whose index along dimension d lies in [begin, begin + count).
template <typename T>
std::vector<T> slice(const std::vector<T>& values, const Shape& shape, std::size_t d, std::int64_t begin,
                     std::int64_t count) {
  std::int64_t inner = 1;
  for (std::size_t i = d + 1; i < shape.size(); ++i) inner *= shape[i];
  std::vector<T> kept;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t at = static_cast<std::int64_t>(i) / inner % shape[d];
    if (at >= begin && at < begin + count) kept.push_back(values[i]);
  }
  return kept;
}

void cut(OperatorInput& input, std::size_t d, std::int64_t begin, std::int64_t count) {
  if (!input.contents.values.empty()) {
    input.contents.values = slice(input.contents.values, input.shape, d, begin, count);
  }
  if (!input.floats.empty()) input.floats = slice(input.floats, input.shape, d, begin, count);
  input.shape[d] = count;
}

// Cuts the dimension that lies `from_end` dimensions before the last one, of all inputs that have the extent there; the
// others are broadcast along it. Lists of one number for each channel are cut with the channels.
OperatorCase with_cut(OperatorCase c, std::size_t from_end, std::int64_t extent, std::int64_t begin,
                      std::int64_t count) {
  const bool cuts_channels = c.inputs.front().shape.size() >= 2 && c.inputs.front().shape.size() - from_end - 1 == 1;
  for (OperatorInput& input : c.inputs) {
    if (from_end >= input.shape.size()) continue;
    const std::size_t d = input.shape.size() - 1 - from_end;
    if (input.shape[d] == extent) cut(input, d, begin, count);
  }
  for (std::size_t i = 0; i < c.attributes.size() && cuts_channels; ++i) {
    std::vector<double>& values = c.attributes[i];
    if (c.schema->attributes[i].kind != AttributeSchema::Kind::numbers || std::ssize(values) != extent) continue;
    values = {values.begin() + begin, values.begin() + begin + count};
  }
  return c;
}

bool visit_fewer_inputs(const OperatorCase& c, const Visitor& visit) {
  for (std::size_t i = 0; i < c.inputs.size() && c.inputs.size() > c.schema->least_inputs; ++i) {
    OperatorCase fewer = c;
    fewer.inputs.erase(fewer.inputs.begin() + static_cast<std::ptrdiff_t>(i));
    if (visit(std::move(fewer))) return true;
  }
  return false;
}

bool visit_smaller_shapes(const OperatorCase& c, const Visitor& visit) {
  // Layouts that are listed do not fit another shape.
  OperatorCase dense = c;
  for (OperatorInput& input : dense.inputs) input.strides.clear();
  if (dense != c && visit(OperatorCase(dense))) return true;
  for (const OperatorInput& input : dense.inputs) {
    for (std::size_t from_end = 0; from_end < input.shape.size(); ++from_end) {
      const std::int64_t extent = input.shape[input.shape.size() - 1 - from_end];
      for (std::int64_t removed = extent - 1; removed > 0; removed /= 2) {
        for (std::int64_t begin = 0; begin <= removed; begin += std::max<std::int64_t>(1, removed)) {
          if (visit(with_cut(dense, from_end, extent, begin, extent - removed))) return true;
        }
      }
    }
  }
  return false;
}

// Makes the tensors one-dimensional, or removes dimensions of one element.
bool visit_fewer_dimensions(const OperatorCase& c, const Visitor& visit) {
  OperatorCase flat = c;
  OperatorCase squeezed = c;
  for (OperatorInput& input : flat.inputs) input.shape = {element_count(input.shape)};
  for (OperatorInput& input : squeezed.inputs) {
    std::erase(input.shape, 1);
    if (input.shape.empty()) input.shape = {1};
  }
  return visit(std::move(flat)) || visit(std::move(squeezed));
}

bool visit_plainer_execution(const OperatorCase& c, const Visitor& visit) {
  OperatorCase plain = c;
  plain.threads = 1;
  if (visit(OperatorCase(plain))) return true;
  plain.memory_format = MemoryFormat::contiguous;
  if (visit(std::move(plain))) return true;
  OperatorCase contiguous = c;
  contiguous.memory_format = MemoryFormat::contiguous;
  if (visit(std::move(contiguous))) return true;
  OperatorCase fewer = c;
  fewer.threads = std::max(1, c.threads - 1);
  return visit(std::move(fewer));
}

// ---- Values.

template <typename T>
bool visit_plainer_values(const OperatorCase& c, std::size_t i, std::vector<T>& (*values_of)(OperatorInput&), T plain,
                          const Visitor& visit) {
  OperatorCase copy = c;
  const std::vector<T> values = values_of(copy.inputs[i]);
  for (std::size_t length = values.size(); length > 0; length /= 2) {
    for (std::size_t begin = 0; begin < values.size(); begin += length) {
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto to = values.begin() + static_cast<std::ptrdiff_t>(std::min(begin + length, values.size()));
      if (std::all_of(from, to, [&](T value) { return value == plain; })) continue;
      std::vector<T>& target = values_of(copy.inputs[i]);
      target = values;
      std::fill(target.begin() + (from - values.begin()), target.begin() + (to - values.begin()), plain);
      if (visit(OperatorCase(copy))) return true;
    }
  }
  return false;
}

bool visit_values_toward_zero(const OperatorCase& c, const Visitor& visit) {
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const OperatorInput& input = c.inputs[i];
    const bool ended =
        c.schema->has_float_input
            ? visit_plainer_values<float>(
                  c, i, [](OperatorInput& in) -> std::vector<float>& { return in.floats; }, 0.0F, visit)
            : visit_plainer_values<std::uint8_t>(
                  c, i, [](OperatorInput& in) -> std::vector<std::uint8_t>& { return in.contents.values; },
                  static_cast<std::uint8_t>(input.quantization.zero_point), visit);
    if (ended) return true;
  }
  return false;
}

// ---- Attributes and parameters.

bool visit_default_attributes(const OperatorCase& c, const Visitor& visit) {
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    if (c.schema->attributes[i].kind == AttributeSchema::Kind::numbers) continue;
    OperatorCase plain = c;
    plain.attributes[i] = {c.schema->attributes[i].default_value};
    if (visit(std::move(plain))) return true;
  }
  return false;
}

// Returns a number with as many significant decimal digits.
double rounded_to_digits(double value, int digits) {
  const double unit = std::pow(10.0, std::floor(std::log10(value)) + 1 - digits);
  // A division by a power of ten gives the double nearest to the decimal number.
  return unit < 1 ? std::round(value / unit) / std::round(1 / unit) : std::round(value / unit) * unit;
}

// Visits the case with simpler values of one scale and zero point. of: returns them in a case.
template <typename Of>
bool visit_simpler(const OperatorCase& c, const Visitor& visit, Of of) {
  OperatorCase copy = c;
  Quantization& q = of(copy);
  const Quantization given = q;
  const auto digits = [&](int count) { return rounded_to_digits(given.scale, count); };
  const std::array<double, 5> scales{1, digits(1), digits(2), digits(3),
                                     static_cast<double>(static_cast<float>(given.scale))};
  // The digits that a case line has for it.
  const auto length = [](double scale) { return fmt::format("{}", scale).size(); };
  for (const double scale : scales) {
    if (length(scale) >= length(given.scale)) continue;
    q.scale = scale;
    if (visit(OperatorCase(copy))) return true;
  }
  q = given;
  for (const std::int64_t zero_point : {std::int64_t{0}, std::int64_t{128}}) {
    if (given.zero_point == 0 || given.zero_point == zero_point) continue;
    q.zero_point = zero_point;
    if (visit(OperatorCase(copy))) return true;
  }
  return false;
}

bool visit_simpler_parameters(const OperatorCase& c, const Visitor& visit) {
  for (std::size_t i = 0; i < c.inputs.size() && !c.schema->has_float_input; ++i) {
    if (visit_simpler(c, visit, [i](OperatorCase& of) -> Quantization& { return of.inputs[i].quantization; })) {
      return true;
    }
  }
  if (c.schema->output_parameters != OutputParameters::own || c.schema->has_float_output) return false;
  return visit_simpler(c, visit, [](OperatorCase& of) -> Quantization& { return of.output; });
}

constexpr std::array<Pass, 7> kPasses{visit_fewer_inputs,      visit_smaller_shapes,     visit_fewer_dimensions,
                                      visit_plainer_execution, visit_values_toward_zero, visit_default_attributes,
                                      visit_simpler_parameters};

// ---- Findings.

std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return '0' <= c && c <= '9'; });
  return text;
}

bool is_failure(const Verdict& verdict) {
  return verdict.status == Status::differed || verdict.status == Status::crashed;
}

// Returns true if both fail in the same way.
bool fails_alike(const Verdict& one, const Verdict& whole) {
  return one.status == whole.status && one.finding.mismatch_class == whole.finding.mismatch_class &&
         without_numbers(one.conduct) == without_numbers(whole.conduct) &&
         without_numbers(one.finding.failure) == without_numbers(whole.finding.failure);
}

// Verifies cases while a finding is shrunk: of LibTorch, or of a subject.
class OperatorTries {
 public:
  OperatorTries(const Reference& reference, Subject* subject, const Rules& rules)
      : reference_(reference), subject_(subject), rules_(rules) {}

  // Verifies the case in processes of their own.
  [[nodiscard]] Verdict verify_alone(const OperatorCase& c) const {
    return subject_ != nullptr ? verify_operator_subject(c, reference_, *subject_, rules_, TrialMode::alone)
                               : verify_operator_alone(c, *reference_.libtorch());
  }
  // Verifies the case in this process. once: a subject is called once, which suffices if it is wrong in all calls.
  [[nodiscard]] Verdict verify_here(const OperatorCase& c, bool once) const {
    return subject_ != nullptr
               ? verify_operator_subject(c, reference_, *subject_, rules_, once ? TrialMode::once : TrialMode::here)
               : verify_operator(c, *reference_.libtorch());
  }

  // Returns true if a case that ends a process ends the caller's unless it is verified alone.
  [[nodiscard]] bool share_a_process() const { return subject_ == nullptr || subject_->isolation() == Isolation::none; }

  // Sets the time limit of the subject's answers.
  void limit_answers(double seconds) { rules_.seconds = std::min(rules_.seconds, seconds); }

 private:
  const Reference& reference_;
  Subject* subject_;
  Rules rules_;
};

OperatorShrinkLimits limits_of_tries(const Verdict& whole, const Subject* subject, double seconds, Effort effort) {
  OperatorShrinkLimits limits{.seconds = seconds};
  if (subject != nullptr && subject->isolation() == Isolation::program) limits.tries = 1'000;
  if (whole.status == Status::crashed) limits.tries = 300;  // each try starts a process
  // Each candidate that still hangs takes the full time limit.
  if (without_numbers(whole.finding.failure) == "died: hang") limits.tries = 20;
  if (effort == Effort::quick) limits = {limits.tries / 20, limits.elements / 20, seconds};
  return limits;
}

}  // namespace

OperatorCase shrink_operator_case(const OperatorCase& c, const std::function<bool(const OperatorCase&)>& still_fails,
                                  const OperatorShrinkLimits& limits) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(limits.seconds);
  OperatorCase smallest = with_contents(c);
  smallest.seed = 0;
  int tries = 0;
  std::int64_t elements = 0;
  bool out_of_budget = false;
  // A pass is repeated while it succeeds. Candidates that failed are tried again after another pass succeeded.
  std::size_t failed_passes = 0;
  for (std::size_t pass = 0; failed_passes < kPasses.size() && !out_of_budget;) {
    const OperatorCase base = smallest;
    const bool smaller = kPasses[pass](base, [&](OperatorCase&& candidate) {
      set_output_parameters(candidate);
      if (candidate == base || !validate(candidate)) return false;
      elements += tensor_elements(candidate);
      out_of_budget = ++tries > limits.tries || elements > limits.elements || Clock::now() > deadline;
      if (out_of_budget) return true;
      if (!still_fails(candidate)) return false;
      smallest = std::move(candidate);
      return true;
    });
    failed_passes = smaller ? 0 : failed_passes + 1;
    if (!smaller) pass = (pass + 1) % kPasses.size();
  }
  return smallest;
}

Finding shrink_operator_finding(const Finding& finding, const Reference& reference, double seconds, Effort effort,
                                Subject* subject, const Rules& rules) {
  const auto original = parse_operator(finding.original_line);
  // This cannot happen: print() wrote the line.
  if (!original) std::abort();
  OperatorTries tries(reference, subject, rules);
  const Verdict whole = tries.verify_alone(*original);
  if (!is_failure(whole)) {
    Finding unrepeatable = finding;
    if (whole.status == Status::no_resources || whole.status == Status::unavailable) return unrepeatable;
    unrepeatable.failure = (finding.failure.empty() ? "differed" : finding.failure) + " ";
    unrepeatable.failure += kOnlyAmongOthers;
    return unrepeatable;
  }
  const OperatorShrinkLimits limits = limits_of_tries(whole, subject, seconds, effort);
  std::string smallest = finding.original_line;
  if (whole.status == Status::crashed && tries.share_a_process()) {
    smallest = print(shrink_operator_case(
        *original, [&](const OperatorCase& one) { return fails_alike(tries.verify_alone(one), whole); }, limits));
  } else {
    // One process runs all tries. If it dies, the case stays as it was drawn.
    const auto found = run_alone(
        [&] {
          // A smaller case that does not hang answers at once.
          if (whole.status == Status::crashed) tries.limit_answers(0.5);
          const bool by_values = whole.conduct.empty() && whole.status == Status::differed;
          const bool once = by_values && fails_alike(tries.verify_here(*original, true), whole);
          return print(shrink_operator_case(
              *original, [&](const OperatorCase& one) { return fails_alike(tries.verify_here(one, once), whole); },
              limits));
        },
        60 + seconds);
    if (found) smallest = *found;
  }
  Verdict verdict = tries.verify_alone(parse_operator(smallest).value());
  Finding result = whole.finding;
  if (is_failure(verdict) && fails_alike(verdict, whole)) result = std::move(verdict.finding);
  result.original_line = finding.original_line;
  // More elements tell more variants apart.
  if (result.mismatch_class == kOtherArithmetic && !whole.finding.derivation.empty()) {
    result.derivation = whole.finding.derivation;
  }
  return result;
}

}  // namespace tieout
