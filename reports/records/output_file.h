#pragma once
// Writes the output files of commands: reports, scripts, cases.
//
// A regular file is replaced as a whole, so that a failure leaves the former contents: the text is written to a draft
// in the same folder, which is then renamed. Symbolic links are followed first, and mode and owner are kept. A file
// that has several names, or whose folder accepts no new files, is overwritten in place. Devices, pipes and descriptors
// of this process (/dev/stdout, /dev/fd/3) are written to directly.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// Writes the file, and creates its folder if it is missing. The error states what to do.
[[nodiscard]] tl::expected<void, std::string> write_file(const std::filesystem::path& path, std::string_view text);

// Writes a file that must not exist yet, and creates its folder if it is missing. If the process is killed, the file is
// complete or does not exist, and no other file has changed. The error names the file and what to do.
[[nodiscard]] tl::expected<void, std::string> write_new_file(const std::filesystem::path& path, std::string_view bytes);

// Checks whether write_file() can be expected to succeed, before the work whose result is to be written. Creates the
// folder if it is missing, leaves no file behind, and does not open pipes and devices. The error is that of
// write_file().
[[nodiscard]] tl::expected<void, std::string> check_writable(const std::filesystem::path& path);

// Writes the whole text to a descriptor. A pipe without a reader is an error and does not end the process.
[[nodiscard]] tl::expected<void, std::string> write_descriptor(int descriptor, std::string_view text);

// Returns a text that is equal for two paths to the same file, by device and inode, through any links. "-" is standard
// output. Empty for a character device such as /dev/null, which can take any number of outputs.
[[nodiscard]] std::string file_identity(const std::filesystem::path& path);

// Returns an unused path in the folder of `path`, for a file or folder that is renamed to `path` later. Its name
// contains this machine, this process and 16 unpredictable digits: ".tieout-draft-MACHINE-PID-DIGITS".
[[nodiscard]] std::filesystem::path unused_path_beside(const std::filesystem::path& path);

// Removes the drafts in the folder whose process was killed: those of this machine whose process no longer runs, and
// the journals that SQLite puts beside such a file. Nothing else is changed.
void remove_abandoned_drafts(const std::filesystem::path& folder);

}  // namespace tieout
