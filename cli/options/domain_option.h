#pragma once
// Provides the options --where, which selects the cases that are drawn, and --allow-skipped, which accepts a run that
// verified few of its cases.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "cases/text/domain.h"
#include "kernels/subject/subject.h"

namespace tieout {

struct Command;

struct DomainArguments {
  std::string where;  // empty: the domain that the subject states, or that is learnt from what it declines
  bool allow_skipped = false;
};

void add_where_option(Command& command, DomainArguments& arguments);
void add_allow_skipped_option(Command& command, DomainArguments& arguments);

// Returns the option as a command line contains it: "" or " --where 'dims=2 stride=1'".
[[nodiscard]] std::string words_of(const Domain& domain);

// Returns the domain that a text names; "all" is the domain of all cases. Error: what is wrong with the text, or that
// no case was found within the domain.
[[nodiscard]] tl::expected<Domain, std::string> read_domain(const std::string& text);

// Returns the domain that cases are drawn from: that of --where; or that which the subject states in
// tieout_kernel_info; or that which is learnt from the cases that the subject declines. The latter two are printed on
// standard error. If another implementation than LibTorch is the reference, its domain is found in the same way, and
// the cases lie in both. subject and reference: nullptr: without --where, it does not limit the domain. seconds: time
// limit of one answer. Error: the exit status, after the reason has been printed.
[[nodiscard]] tl::expected<Domain, int> choose_domain(const DomainArguments& arguments, Subject* subject,
                                                      double seconds, std::string_view command,
                                                      Subject* reference = nullptr);

}  // namespace tieout
