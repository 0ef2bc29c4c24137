#include "cli/options/domain_option.h"

#include <fmt/core.h>

#include <cstdio>

#include "cases/strings/printable.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/interruption.h"
#include "props/generate/learn_domain.h"
#include "props/generate/strategy.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

constexpr std::string_view kAllCases = "all";  // nothing is learnt from the subject

}  // namespace

void add_where_option(Command& command, DomainArguments& arguments) {
  command.option(
      "--where", &arguments.where,
      "Conditions on the cases, such as 'dims=2 kernel=3x3|5x5 stride=1 in_channels%16=0'; all: no conditions "
      "(default: those that the subject states, else those learnt from what it declines)",
      {.type = "CONDITIONS"});
}

void add_allow_skipped_option(Command& command, DomainArguments& arguments) {
  command.option("--allow-skipped", &arguments.allow_skipped,
                 "Do not exit with status 3 if less than a tenth of the cases was verified");
}

std::string words_of(const Domain& domain) {
  return domain.is_everything() ? std::string() : " --where " + shell_word(domain.text());
}

tl::expected<Domain, std::string> read_domain(const std::string& text) {
  if (text == kAllCases) return Domain();
  auto domain = Domain::parse(text);
  if (!domain || domain->is_everything()) return domain;
  for (std::uint64_t index = 0; index < 4; ++index) {
    const GeneratorOptions small{.products = 2'000, .audience = Audience::subject};
    if (domain->contains(case_of(1, index, small, *domain))) return domain;
  }
  return tl::unexpected(
      fmt::format("no case was found that keeps '{}': do its conditions contradict each other?", text));
}

namespace {

tl::expected<Domain, int> read_or_refuse(std::string_view command, const std::string& from, const std::string& text) {
  auto domain = read_domain(text);
  if (domain) return std::move(*domain);
  fmt::print(stderr, "tieout {}: {}: {}\n", command, from, domain.error());
  return tl::unexpected(int{kBadUsage});
}

// Returns the alternatives for which a case is found.
Domain with_cases(const Domain& domain) {
  std::string text;
  for (const Domain::Alternative& alternative : domain.alternatives()) {
    std::string conditions;
    for (const Condition& condition : alternative) conditions += " " + condition.text;
    if (read_domain(conditions)) text += (text.empty() ? "" : " or") + conditions;
  }
  return Domain::parse(text).value();
}

// Returns the cases of the domain that have the types which the subject declares.
tl::expected<Domain, int> with_types(const Domain& domain, const Subject& subject, std::string_view command) {
  const std::string conditions = conditions_of(subject.types());
  if (conditions.empty()) return domain;
  const Domain typed = with_cases(domain.intersected_with(Domain::parse(conditions).value()));
  if (!typed.is_everything()) return typed;
  fmt::print(stderr, "tieout {}: no case of the domain '{}' has the types that {} declares: {}\n", command,
             printable(domain.text(), 200), subject.name(), conditions);
  return tl::unexpected(int{kBadUsage});
}

// Returns the domain that the subject or reference states, or that is learnt from what it declines, without its types.
// role: "subject" or "reference".
tl::expected<Domain, int> domain_of(Subject& subject, const std::string& role, double seconds,
                                    std::string_view command) {
  const std::string stated = subject.domain();
  if (!stated.empty()) {
    fmt::print(stderr, "domain, as the {} states it: {}\n", role, printable(stated, 200));
    return read_or_refuse(command, "the " + role + "'s tieout_kernel_info.domain", stated);
  }
  take_interruptions();
  Domain learnt = learn_domain(subject, seconds, [] { return !is_interrupted(); });
  if (!learnt.is_everything()) {
    fmt::print(stderr,
               "domain, learnt from what the {} declines: {}\n  say it yourself by --where '...', or --where all\n",
               role, learnt.text());
  }
  return learnt;
}

// Returns the cases of a domain that the reference takes: those of its own types or, if there are none, those that it
// takes by conversion between uint8 and int8.
tl::expected<Domain, int> of_both(const Domain& domain, const Domain& stated, const Subject& reference,
                                  std::string_view command) {
  const auto typed = with_types(stated, reference, command);
  if (!typed) return typed;
  Domain both = domain.intersected_with(*typed);
  if (domain.is_everything() || typed->is_everything()) return both;
  both = with_cases(both);
  if (!both.is_everything()) return both;
  const Domain converting = Domain::parse(conditions_with_conversion(reference.types())).value();
  both = with_cases(domain.intersected_with(stated.intersected_with(converting)));
  if (!both.is_everything()) return both;
  fmt::print(stderr,
             "tieout {}: --reference: no case was found that both subject and reference accept; say by --where which "
             "cases to draw\n",
             command);
  return tl::unexpected(int{kBadUsage});
}

}  // namespace

tl::expected<Domain, int> choose_domain(const DomainArguments& arguments, Subject* subject, double seconds,
                                        std::string_view command, Subject* reference) {
  if (!arguments.where.empty()) {
    const auto domain = read_or_refuse(command, "--where", arguments.where);
    return domain && subject != nullptr ? with_types(*domain, *subject, command) : domain;
  }
  // LibTorch takes every case, apart from what it is known to refuse.
  if (subject == nullptr || subject->reads_execution()) return Domain();
  const auto stated = domain_of(*subject, "subject", seconds, command);
  if (!stated) return stated;
  auto domain = with_types(*stated, *subject, command);
  if (!domain || reference == nullptr) return domain;
  const auto of_reference = domain_of(*reference, "reference", seconds, command);
  return of_reference ? of_both(*domain, *of_reference, *reference, command) : of_reference;
}

}  // namespace tieout
