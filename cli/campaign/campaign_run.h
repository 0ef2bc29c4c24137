#pragma once
// Runs a campaign with a progress line, stops it at Ctrl-C and prints its summary. `tieout fuzz` and `tieout campaign`
// share these functions.

#include <cstdint>
#include <functional>
#include <string>

#include "props/campaign/campaign.h"
#include "props/diagnose/finding_causes.h"
#include "reports/data/report.h"

namespace tieout {

struct Command;

inline constexpr std::int64_t kWorkerMemory = 8192;  // MiB, the default of --memory

// Adds --memory, the memory of a worker process in MiB.
void add_memory_option(Command& command, std::int64_t& memory);

struct CampaignEnd {
  RunSummary run;     // finished: false if it was interrupted or could not continue
  std::string error;  // why it could not continue: `block` failed, or no process could be started; empty: no error
};

// Runs a campaign and shows its progress on standard error. block: called after each block; its error ends the run.
using BlockWriter = std::function<tl::expected<void, std::string>(const RecordBlock&, const RunSummary&)>;
[[nodiscard]] CampaignEnd watch_campaign(const CampaignOptions& options, const Reference& reference,
                                         CampaignStart start, const BlockWriter& block);

// Returns an empty set of differing cases of a campaign's sequence.
[[nodiscard]] DifferingCases differing_cases(const CampaignOptions& options);

// Adds the cases of a block that differ in their values.
void add_differing(DifferingCases& differing, const RecordBlock& block);

// Prints the findings in the format of the experiment, the verdict and the counts of the run on standard output.
void print_run(const Report& report);

// Returns the exit status of a run: that of exit_status(), but kNotVerified instead of kEqual if not all outputs could
// be written.
[[nodiscard]] int end_status(const Report& report, bool written);

}  // namespace tieout
