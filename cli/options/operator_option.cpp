#include "cli/options/operator_option.h"

#include <algorithm>

#include "cases/operators/operator_case.h"
#include "cases/strings/case_advice.h"
#include "cases/strings/nearest_word.h"
#include "cli/common/command.h"
#include "cli/options/domain_option.h"
#include "cli/options/subject_option.h"
#include "props/operators/any_case_outcome.h"

namespace tieout {
namespace {

constexpr const char* kConvolutions = "conv";
constexpr const char* kEverything = "all";

std::vector<std::string> accepted_names() {
  std::vector<std::string> names{kConvolutions, kEverything};
  for (const OperatorSchema* const schema : operator_schemas()) names.emplace_back(schema->name);
  return names;
}

}  // namespace

void add_operator_option(Command& command, std::vector<std::string>& names) {
  command.option("--operator", &names,
                 "Operator to draw cases of (see `tieout help operators`), conv for convolutions, all for everything; "
                 "can be repeated (default: conv)",
                 {.type = "NAME", .proposals = accepted_names(), .one_value = true});
}

tl::expected<void, std::string> select_operators(CampaignOptions& options, const std::vector<std::string>& names,
                                                 const SubjectArguments& subject, const DomainArguments& domain) {
  if (names.empty()) return {};
  options.convolutions = false;
  for (const std::string& name : names) {
    if (name == kConvolutions || name == kEverything) options.convolutions = true;
    if (name == kConvolutions) continue;
    const OperatorSchema* const found = find_operator(name);
    if (found == nullptr && name != kEverything) {
      const auto nearest = nearest_word(name, accepted_names());
      return tl::unexpected("--operator: there is no operator " + excerpt(name) +
                            (nearest ? "; did you mean " + *nearest + "?" : "; see `tieout help operators`"));
    }
    for (const OperatorSchema* const schema : operator_schemas()) {
      const bool is_chosen = name == kEverything || schema == found;
      const bool is_new = std::ranges::find(options.operators, schema) == options.operators.end();
      if (is_chosen && is_new) options.operators.push_back(schema);
    }
  }
  if (options.operators.empty()) return {};
  if (!subject.text.empty() || !subject.reference.empty()) {
    return tl::unexpected(std::string("--operator: ") + kNoOperatorSubjects);
  }
  if (!domain.where.empty()) {
    return tl::unexpected(std::string("--operator: --where is about convolutions; leave one of the two out"));
  }
  return {};
}

std::string words_of_operators(const std::vector<std::string>& names) {
  std::string words;
  for (const std::string& name : names) words += " --operator " + name;
  return words;
}

}  // namespace tieout
