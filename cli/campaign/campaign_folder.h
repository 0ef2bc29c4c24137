#pragma once
// Prepares the folder of a campaign: creates and locks it, and handles what a killed campaign left there.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

// Prints a message on standard error, with control characters escaped. Errors are ignored, so that the campaign
// continues after its terminal has been closed; fmt::print would throw.
void write_log(const std::string& words);

// Creates the folder and the corpus if they are missing, and locks the record until this process and its workers have
// ended. Also checks that the corpus can be written to, because a failure at the first finding, hours later, would be
// too late. The error names the option and what to do.
[[nodiscard]] tl::expected<void, std::string> prepare_folder(const std::filesystem::path& folder,
                                                             const std::filesystem::path& record,
                                                             const std::filesystem::path& corpus);

// Prints the cases that were being verified when the campaign was killed, and removes their files; the campaign
// verifies these cases again. journal_folder: the folder CampaignOptions::journal_folder, which exists afterwards.
void report_unfinished_cases(const std::filesystem::path& journal_folder);

}  // namespace tieout
