#include "props/explain/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cases/contents.h"
#include "cases/operators/any_case.h"
#include "cases/text/case_cost.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/duration.h"
#include "cli/common/errors.h"
#include "cli/options/subject_option.h"
#include "props/explain/operator_explanation.h"

namespace tieout {
namespace {

struct ExplainArguments {
  std::string line;
  std::optional<std::string> at;
  std::vector<std::string> hypotheses;
  std::string subject;  // argument of --subject; empty: none
  double seconds = 60;  // time limit of the subject's answer
};

int refuse_explanation(std::string_view message) { return fail_command("explain", kBadUsage, message); }

std::string names_of_hypotheses() { return fmt::format("{}", fmt::join(names_of(hypotheses()), ", ")); }

// Returns the offset of the element at which the subject differs most from the hypothesis; nothing if they agree.
std::optional<std::int64_t> farthest(const Answers& answer, const Answers& expected) {
  std::optional<std::int64_t> found;
  std::int64_t most = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const std::int64_t apart = std::abs(std::int64_t{answer.values[i]} - expected.values[i]);
    if (apart <= most) continue;
    most = apart;
    found = static_cast<std::int64_t>(i);
  }
  return found;
}

std::string subject_text(const Subject& subject, const LayerAnswer& answer, std::int64_t offset) {
  if (!answer) return fmt::format("{} gives no answer\n  {}\n", subject.name(), answer.error());
  return fmt::format("{} answers: {}\n", subject.name(), answer->values[static_cast<std::size_t>(offset)]);
}

// Returns the hypotheses that --hypothesis names. Error: why one of them cannot be shown.
tl::expected<HypothesisList, std::string> hypotheses_for(const ExplainArguments& arguments, const ConvCase& c) {
  HypothesisList list;
  for (const std::string& name : arguments.hypotheses) {
    list.push_back(find_hypothesis(name));
    if (list.back() == nullptr) {
      return tl::unexpected(fmt::format("--hypothesis: must be one of {}, is '{}'", names_of_hypotheses(), name));
    }
    if (!applies_to(*list.back(), c)) {
      return tl::unexpected(fmt::format("--hypothesis: {} sums no integers, and has no int32 output", name));
    }
  }
  return list;
}

// Prints the explanation of an operator's element.
int explain_operator(const ExplainArguments& arguments, const OperatorCase& given) {
  if (!arguments.subject.empty())
    return refuse_explanation("--subject: is for convolutions; tieout check verifies kernels of operators");
  if (!arguments.hypotheses.empty()) return refuse_explanation("--hypothesis: is for convolutions; leave it out");
  const OperatorCase c = with_contents(given);
  const auto reference = libtorch();
  const Hardware hardware = reference ? (*reference)->hardware() : Hardware{};
  std::int64_t offset = 0;
  if (arguments.at) {
    const auto at = offset_at(*arguments.at, c);
    if (!at) return refuse_explanation(at.error().text());
    offset = *at;
  } else {
    offset = most_disputed(c, hardware);
  }
  std::string text = operator_explanation(given, offset, hardware, {});
  text += reference ? libtorch_answer_text(c, offset, **reference)
                    : "LibTorch gives no answer\n  " + load_error(reference.error()) + "\n";
  fmt::print("{}", text);
  return kEqual;
}

int run_explain(const ExplainArguments& arguments) {
  const auto any = parse_any_case(arguments.line);
  if (!any) return refuse_explanation(any.error().text());
  if (const auto* const of_operator = std::get_if<OperatorCase>(&*any)) {
    if (const auto cost = check_cost(*of_operator); !cost) return refuse_explanation(cost.error().text());
    return explain_operator(arguments, *of_operator);
  }
  const ConvCase* const c = &std::get<ConvCase>(*any);
  if (const auto cost = check_cost(*c); !cost) return refuse_explanation(cost.error().text());
  // Without --at, every hypothesis is computed at every element to find where they differ most.
  constexpr std::int64_t kMostToSearch = std::int64_t{1} << 28;
  if (!arguments.at && product_count(*c) > kMostToSearch) {
    return refuse_explanation(
        "--at: name an element: the case has more than 2^28 products, too many to search all elements");
  }
  if (element_count(output_shape(*c)) == 0)
    return refuse_explanation("batch: must be at least 1, or there is no element");
  auto asked = hypotheses_for(arguments, *c);
  if (!asked) return refuse_explanation(asked.error());
  const Columns columns = asked->empty() ? Columns::deciding : Columns::all;
  const HypothesisList list = asked->empty() ? explained_order() : std::move(*asked);

  std::int64_t offset = 0;
  if (arguments.at) {
    const auto given = offset_at(*arguments.at, *c);
    if (!given) return refuse_explanation(given.error().text());
    offset = *given;
  }
  const auto subject = arguments.subject.empty() ? tl::expected<std::unique_ptr<Subject>, int>()
                                                 : open_named(arguments.subject, "explain", {});
  if (!subject) return subject.error();
  const ConvProblem problem = with_contents(*c);
  std::optional<LayerAnswer> answer;
  if (*subject) answer = run_subject_alone(**subject, problem, arguments.seconds);
  if (!arguments.at) {
    std::optional<std::int64_t> disputed;
    if (answer && *answer) disputed = farthest(**answer, evaluate(*list.front(), problem));
    offset = disputed ? *disputed : most_disputed(problem, list);
  }
  Explanation explanation = explain(problem, offset, list, columns);
  if (const auto reference = libtorch()) {
    ask_engine(problem, **reference, explanation);
  } else {
    explanation.remark = load_error(reference.error());
  }
  fmt::print("{}", explanation_text(explanation));
  if (answer) fmt::print("{}", subject_text(**subject, *answer, offset));
  return kEqual;
}

}  // namespace

Command explain_command() {
  Command command{.name = "explain", .description = "The arithmetic of one output element, step by step"};
  const auto arguments = std::make_shared<ExplainArguments>();
  command.option("case", &arguments->line, "Case line, in quotes", {.required = true});
  command.option("--at", &arguments->at,
                 "Index of the element, n,c,y,x (default: where the hypotheses, or the codes of an operator, differ "
                 "most)");
  command.option("--hypothesis", &arguments->hypotheses,
                 "Hypotheses to print side by side, compared with the first; any of " + names_of_hypotheses(),
                 {.proposals = names_of(hypotheses())});
  command.option(
      "--subject", &arguments->subject,
      "Kernel whose answer is printed, too: a shared library, command:LINE, hypothesis:NAME or engine:NAME; without "
      "--at, the element is the one at which it differs most from the first hypothesis",
      {.is_path = true});
  command.option("--patience", &arguments->seconds, "Timeout of the subject's answer, seconds",
                 {.check = seconds_check(), .show_default = true});
  command.footer = "Without --hypothesis: integer_float32, the document's two, and those with another result.";
  command.run = [arguments] { return run_explain(*arguments); };
  return command;
}

}  // namespace tieout
