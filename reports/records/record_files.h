#pragma once
// Reads the records of several runs and shards together, and merges the shards of one run.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reports/records/run_record.h"

namespace tieout {

// Returns the records that a path names: a file is a record, a folder names each *.tieout in it, sorted by name. The
// error states what to do.
[[nodiscard]] tl::expected<std::vector<std::filesystem::path>, std::string> record_files(
    const std::filesystem::path& path);

// Returns the runs of these records, which are not changed. Shards of one run become one run; if several records hold
// the same shard, the one with the most blocks counts.
[[nodiscard]] tl::expected<std::vector<RunSummary>, std::string> read_records(
    const std::vector<std::filesystem::path>& files);

// Writes the shards of one run to a new file as one record, with the same counts, blocks and findings as if one process
// had run all of it. Records of several runs are an error.
[[nodiscard]] tl::expected<void, std::string> merge_records(const std::filesystem::path& merged,
                                                            const std::vector<std::filesystem::path>& files);

}  // namespace tieout
