#pragma once
// A campaign on the terminal: started, watched, stopped by Ctrl-C, and summed up. What fuzz and campaign have in
// common.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "props/campaign.h"
#include "reports/report.h"

namespace tieout {

inline constexpr std::int64_t kWorkerMemory = 8192;  // MiB, the default of --memory

// --memory, as fuzz and campaign have it.
void add_memory_option(CLI::App& command, std::int64_t& memory);

// From now on SIGINT, SIGTERM and SIGHUP stop a run, which then reports what it has found, and not the process. Called
// before the first code of a subject runs.
void take_interruptions();
[[nodiscard]] bool is_interrupted();

struct CampaignEnd {
  RunSummary run;
  bool interrupted = false;
  std::string error;  // why it could not go on, from `block`
};

// Runs it with progress on standard error. block: after each; the error ends the run.
using BlockWriter = std::function<tl::expected<void, std::string>(const RecordBlock&, const RunSummary&)>;
[[nodiscard]] CampaignEnd watch_campaign(const CampaignOptions& options, LibTorch& reference, CampaignStart start,
                                         const BlockWriter& block);

// The findings in the document's format, the verdict and what was reached, on standard output.
void print_run(const Report& report, bool stopped);

// The exit status of a run: less than was asked for has not verified it; a difference found is one all the same.
// allow_skipped: also if it verified less than a tenth of its cases.
[[nodiscard]] int end_status(const Report& report, bool complete, bool allow_skipped);

}  // namespace tieout
