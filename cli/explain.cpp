#include "props/explain.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "cli/commands.h"

namespace tieout {
namespace {

struct Arguments {
  std::string line;
  std::optional<std::string> at;
  std::vector<std::string> hypotheses;
};

int refuse(const std::string& text) {
  fmt::print(stderr, "tieout explain: {}\n", text);
  return kBadUsage;
}

std::string names_of_hypotheses() {
  std::string names;
  for (const Hypothesis& hypothesis : hypotheses()) {
    if (!names.empty()) names += ", ";
    names += hypothesis.name;
  }
  return names;
}

int run_explain(const Arguments& arguments) {
  const auto c = parse(arguments.line);
  if (!c) return refuse(c.error().text());
  if (element_count(output_shape(*c)) == 0) return refuse("batch: must be at least 1, or there is no element");
  HypothesisList list;
  for (const std::string& name : arguments.hypotheses) {
    list.push_back(find_hypothesis(name));
    if (list.back() == nullptr) {
      return refuse(fmt::format("--hypothesis: must be one of {}, is '{}'", names_of_hypotheses(), name));
    }
  }
  const Columns columns = list.empty() ? Columns::deciding : Columns::all;
  if (list.empty()) list = explained_order();

  std::int64_t offset = 0;
  if (arguments.at) {
    const auto given = offset_at(*arguments.at, *c);
    if (!given) return refuse(given.error().text());
    offset = *given;
  }
  const ConvProblem problem = with_contents(*c);
  if (!arguments.at) offset = most_disputed(problem, list);
  Explanation explanation = explain(problem, offset, list, columns);
  if (const auto reference = libtorch()) {
    ask_engine(problem, **reference, explanation);
  } else {
    explanation.remark = "LibTorch cannot be loaded: " + reference.error().message;
  }
  fmt::print("{}", explanation_text(explanation));
  return kEqual;
}

}  // namespace

void add_explain(CLI::App& app, int& exit_status) {
  auto* const command = app.add_subcommand("explain", "The arithmetic of one output element, step by step");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("case", arguments->line, "A case's line of text, in quotes")->required();
  command->add_option("--at", arguments->at,
                      "The element's index, n,c,y,x; left out: where the hypotheses lie farthest apart");
  command->add_option("--hypothesis", arguments->hypotheses,
                      "These hypotheses side by side, compared with the first; any of " + names_of_hypotheses());
  command->footer("Without --hypothesis: integer_float32, the document's two, and those with another result.");
  command->callback([arguments, &exit_status] { exit_status = run_explain(*arguments); });
}

}  // namespace tieout
