#pragma once
// The folder of a campaign: made and locked before it, and what one that was killed has left there.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

// Words on standard error, for who watches. Where nobody does any more the campaign goes on; fmt::print would throw.
void tell(const std::string& words);

// Makes the folder and the corpus, and locks the record for as long as this process lives. All that a campaign writes
// to is tried here: at the first finding, hours later, it would be late. The error names the option and what to do.
[[nodiscard]] tl::expected<void, std::string> prepare_folder(const std::filesystem::path& folder,
                                                             const std::filesystem::path& record,
                                                             const std::filesystem::path& corpus);

// Tells which cases were running when everything was killed, and forgets them: they are run again. in_flight: the
// folder of CampaignOptions::in_flight, which is there afterwards.
void tell_what_was_in_flight(const std::filesystem::path& in_flight);

}  // namespace tieout
