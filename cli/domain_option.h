#pragma once
// --where and --allow-skipped: which cases are drawn, and what a run that verified few of them ends with.

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/domain.h"
#include "kernels/subject.h"

namespace tieout {

struct DomainArguments {
  std::string where;  // empty: what the subject states, or what it declines tells
  bool allow_skipped = false;
};

void add_where_option(CLI::App& command, DomainArguments& arguments);
void add_allow_skipped_option(CLI::App& command, DomainArguments& arguments);

// The option again, as a command line has it: "" or " --where 'dims=2 stride=1'".
[[nodiscard]] std::string words_of(const Domain& domain);

// The domain that a text names. Error: what is wrong with it, also where no case lies in it.
[[nodiscard]] tl::expected<Domain, std::string> read_domain(const std::string& text);

// Returns the domain that cases are drawn from and says on standard error where it is from: --where; or what the
// subject states in tieout_kernel_info; or what is learnt from the cases that it declines. subject may be nullptr.
// seconds: limit for one answer. Error: the exit status, after saying why.
[[nodiscard]] tl::expected<Domain, int> choose_domain(const DomainArguments& arguments, Subject* subject,
                                                      double seconds, std::string_view command);

}  // namespace tieout
