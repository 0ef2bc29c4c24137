#pragma once
// Provides the option --operator, which selects the operators of which `fuzz` and `campaign` draw cases.

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "props/campaign/campaign_options.h"

namespace tieout {

struct Command;
struct DomainArguments;

void add_operator_option(Command& command, std::vector<std::string>& names);

// Sets the kinds of cases that the options draw. options: with the subject, which is loaded. names: values of
// --operator; none: everything; with a subject, another reference or conditions, convolutions only, or all that the
// subject takes if it takes no convolutions. "all" is limited to what the subject states to take. Error: a message
// that names the option and what is wrong with it.
[[nodiscard]] tl::expected<void, std::string> select_operators(CampaignOptions& options,
                                                               const std::vector<std::string>& names,
                                                               const Reference& reference,
                                                               const DomainArguments& domain);

// Returns the option as a command line contains it: "" or " --operator add --operator conv".
[[nodiscard]] std::string words_of_operators(const std::vector<std::string>& names);

}  // namespace tieout
