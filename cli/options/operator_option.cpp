#include "cli/options/operator_option.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cases/operators/operator_case.h"
#include "cases/strings/case_advice.h"
#include "cases/strings/nearest_word.h"
#include "cli/common/command.h"
#include "cli/options/domain_option.h"

namespace tieout {
namespace {

constexpr const char* kConvolutions = "conv";
constexpr const char* kEverything = "all";

std::vector<std::string> accepted_names() {
  std::vector<std::string> names{kConvolutions, kEverything};
  for (const OperatorSchema* const schema : operator_schemas()) names.emplace_back(schema->name);
  return names;
}

// Returns true if the subject takes the operator, as far as it states that.
bool is_taken(const SubjectScope& scope, const OperatorSchema& schema) {
  return scope.declared.empty() || std::ranges::find(scope.declared, schema.name) != scope.declared.end();
}

// Adds the operators that `name` means.
tl::expected<void, std::string> add_named(CampaignOptions& options, const std::string& name,
                                          const SubjectScope& scope) {
  const OperatorSchema* const found = find_operator(name);
  if (found == nullptr && name != kEverything) {
    const auto nearest = nearest_word(name, accepted_names());
    return tl::unexpected("--operator: there is no operator " + excerpt(name) +
                          (nearest ? "; did you mean " + *nearest + "?" : "; see `tieout help operators`"));
  }
  if (found != nullptr && !is_taken(scope, *found)) {
    return tl::unexpected(fmt::format("--operator: the subject states that it takes {}, and not {}",
                                      fmt::join(scope.declared, ", "), name));
  }
  for (const OperatorSchema* const schema : operator_schemas()) {
    const bool is_chosen = name == kEverything ? is_taken(scope, *schema) : schema == found;
    const bool is_new = std::ranges::find(options.operators, schema) == options.operators.end();
    if (is_chosen && is_new) options.operators.push_back(schema);
  }
  return {};
}

}  // namespace

void add_operator_option(Command& command, std::vector<std::string>& names) {
  command.option("--operator", &names,
                 "Operator to draw cases of (see `tieout help operators`), conv for convolutions, all for everything; "
                 "can be repeated (default: all; with --subject, --reference or --where: conv)",
                 {.type = "NAME", .proposals = accepted_names(), .one_value = true});
}

tl::expected<void, std::string> select_operators(CampaignOptions& options, const std::vector<std::string>& names,
                                                 const Reference& reference, const DomainArguments& domain) {
  const SubjectScope scope = options.subject == nullptr ? SubjectScope{.operators = true} : options.subject->scope();
  const bool is_about_libtorch = options.subject == nullptr && reference.other() == nullptr;
  const bool draws_all = is_about_libtorch ? domain.where.empty() : !scope.convolutions;
  if (names.empty() && !draws_all) return {};
  options.convolutions = false;
  for (const std::string& name : names.empty() ? std::vector<std::string>{kEverything} : names) {
    const bool is_all = name == kEverything;
    options.convolutions = options.convolutions || name == kConvolutions || (is_all && scope.convolutions);
    if (name == kConvolutions || (is_all && !scope.operators)) continue;
    if (const auto added = add_named(options, name, scope); !added) return added;
  }
  if (options.operators.empty()) return {};
  const Subject* const other = reference.other();
  const bool of_subject = !scope.operators;
  if (of_subject || (other != nullptr && !other->scope().operators)) {
    return tl::unexpected(std::string("--operator: the ") + (of_subject ? "subject" : "reference") + " declines " +
                          kNoOperators + "; see docs/bring_your_own.md for kernels of operators");
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
