#pragma once
// Records of many runs and shards, read together or merged into one.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reports/run_record.h"

namespace tieout {

// The records that a path names: a file is itself, a folder every *.tieout in it, by name. The error says what to do.
[[nodiscard]] tl::expected<std::vector<std::filesystem::path>, std::string> record_files(
    const std::filesystem::path& path);

// The runs of these records, which are only read. Shards of one run become one; of a shard that is there twice, the record
// that goes further counts.
[[nodiscard]] tl::expected<std::vector<RunSummary>, std::string> read_records(
    const std::vector<std::filesystem::path>& files);

// Writes the shards of one run as one record, a new file: the same counts, blocks and findings as if one process had done
// it all. Records of several runs are refused.
[[nodiscard]] tl::expected<void, std::string> merge_records(const std::filesystem::path& merged,
                                                            const std::vector<std::filesystem::path>& files);

}  // namespace tieout
