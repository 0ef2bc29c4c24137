#include "cli/options/domain_option.h"

#include <fmt/format.h>

#include <cstdio>

#include "cases/strings/printable.h"
#include "cli/common/commands.h"
#include "cli/common/interruption.h"
#include "props/generate/learn_domain.h"
#include "props/generate/strategy.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

constexpr std::string_view kAll = "all";  // selects all cases, and nothing is learnt from the subject

}  // namespace

void add_where_option(CLI::App& command, DomainArguments& arguments) {
  command
      .add_option(
          "--where", arguments.where,
          "Conditions on the cases, such as 'dims=2 kernel=3x3|5x5 stride=1 in_channels%16=0'; all: no conditions "
          "(default: those that the subject states, else those learnt from what it declines)")
      ->type_name("CONDITIONS");
}

void add_allow_skipped_option(CLI::App& command, DomainArguments& arguments) {
  command.add_flag("--allow-skipped", arguments.allow_skipped,
                   "Do not exit with status 3 if less than a tenth of the cases was verified");
}

std::string words_of(const Domain& domain) {
  return domain.is_everything() ? std::string() : " --where " + shell_word(domain.text());
}

tl::expected<Domain, std::string> read_domain(const std::string& text) {
  if (text == kAll) return Domain();
  auto domain = Domain::parse(text);
  if (!domain || domain->is_everything()) return domain;
  for (std::uint64_t index = 0; index < 4; ++index) {
    const GeneratorOptions small{.products = 2'000, .audience = Audience::subject};
    if (domain->contains(case_of(1, index, small, *domain))) return domain;
  }
  return tl::unexpected(
      fmt::format("no case was found that keeps '{}': do its conditions contradict each other?", text));
}

tl::expected<Domain, int> choose_domain(const DomainArguments& arguments, Subject* subject, double seconds,
                                        std::string_view command) {
  const auto read = [&](std::string_view from, const std::string& text) -> tl::expected<Domain, int> {
    auto domain = read_domain(text);
    if (domain) return std::move(*domain);
    fmt::print(stderr, "tieout {}: {}: {}\n", command, from, domain.error());
    return tl::unexpected(int{kBadUsage});
  };
  if (!arguments.where.empty()) return read("--where", arguments.where);
  if (subject == nullptr) return Domain();
  const std::string stated = subject->domain();
  if (!stated.empty()) {
    fmt::print(stderr, "domain, as the subject states it: {}\n", printable(stated, 200));
    return read("the subject's tieout_kernel_info.domain", stated);
  }
  take_interruptions();
  Domain learnt = learn_domain(*subject, seconds, [] { return !is_interrupted(); });
  if (!learnt.is_everything()) {
    fmt::print(
        stderr,
        "domain, learnt from what the subject declines: {}\n  say it yourself by --where '...', or --where all\n",
        learnt.text());
  }
  return learnt;
}

}  // namespace tieout
