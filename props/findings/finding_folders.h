#pragma once
// Stores a corpus of findings on disk, a folder for each, with everything that a recipient needs. A campaign replays
// the corpus before it draws any case, and adds its findings.
//
//   CLASS-HASH/case.txt          the smallest case, one line
//   CLASS-HASH/finding.txt       both tensors and the differing elements, in the format of the experiment
//   CLASS-HASH/explanation.txt   the worst element, step by step
//   CLASS-HASH/finding.json      all of it, for programs
//   CLASS-HASH/reproduce.py      the case with torch alone; missing if the reference is not LibTorch

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/operators/any_case.h"
#include "reports/data/finding.h"

namespace tieout {

// Returns the name of a finding's folder: its kind, and a hash of its case line. Findings with the same kind and
// smallest case share a folder.
[[nodiscard]] std::string folder_name(const Finding& finding);

// Adds the finding unless the corpus has it. The folder appears complete or not at all. The error states what to do.
[[nodiscard]] tl::expected<void, std::string> add_finding(const std::filesystem::path& corpus, const Finding& finding);

// Returns the cases of a corpus, ordered by folder name; none if there is no such folder. The error names the file that
// cannot be read.
[[nodiscard]] tl::expected<std::vector<AnyCase>, std::string> read_corpus(const std::filesystem::path& corpus);

}  // namespace tieout
