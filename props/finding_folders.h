#pragma once
// A corpus of findings on disk: a folder each, with what a person needs who is sent it. A campaign replays it before it
// draws anything, and adds what it finds.
//
//   CLASS-HASH/case.txt          the smallest case, one line
//   CLASS-HASH/finding.txt       both tensors and the differing elements, in the format of the experiment
//   CLASS-HASH/explanation.txt   the worst element, step by step
//   CLASS-HASH/finding.json      all of it, for programs
//   CLASS-HASH/reproduce.py      the case with torch alone

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "reports/finding.h"

namespace tieout {

// The name of a finding's folder: its kind, and a hash of its case line. Findings of one kind and one smallest case share it.
[[nodiscard]] std::string folder_name(const Finding& finding);

// Adds the finding, unless it is there. The folder appears whole or not at all. The error says what to do.
[[nodiscard]] tl::expected<void, std::string> add_finding(const std::filesystem::path& corpus, const Finding& finding);

// The cases of a corpus, by folder name; none where there is no such folder. The error names the file that cannot be read.
[[nodiscard]] tl::expected<std::vector<ConvCase>, std::string> read_corpus(const std::filesystem::path& corpus);

}  // namespace tieout
