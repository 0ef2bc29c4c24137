#pragma once
// Writes the files that a command is asked for: reports, scripts, cases.
//
// A regular file is replaced as a whole, so that a failure leaves what was there before: the text goes to a file of
// another name in the same folder, which is renamed. Symbolic links are followed first, and mode and owner stay. A file
// that has several names, or whose folder takes no new files, is overwritten in place. Devices, pipes and descriptors
// of this process (/dev/stdout, /dev/fd/3) are written to as they are.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// Makes the folder if it is missing, and writes the file. On error the text says what to do.
[[nodiscard]] tl::expected<void, std::string> write_file(const std::filesystem::path& path, std::string_view text);

// Writes a file that must not exist yet, with its folder. Killed at any moment, it leaves the whole file or none under this
// name, and changes no other file. The error names the file and says what to do.
[[nodiscard]] tl::expected<void, std::string> write_new_file(const std::filesystem::path& path, std::string_view bytes);

// Whether write_file() can be expected to succeed, tried before the work whose result is to be written. Makes the
// folder if it is missing, leaves no file behind, and does not open pipes and devices. The error is write_file()'s.
[[nodiscard]] tl::expected<void, std::string> check_writable(const std::filesystem::path& path);

// Writes everything to a descriptor. A pipe that has no reader is an error, and not the end of the process.
[[nodiscard]] tl::expected<void, std::string> write_descriptor(int descriptor, std::string_view text);

// A text that two paths have in common if they lead to the same file: by device and inode, whatever links lead there.
// "-" stands for standard output. Empty for a character device such as /dev/null, which takes any number of outputs.
[[nodiscard]] std::string file_identity(const std::filesystem::path& path);

// A path in the folder of `path` that nothing has, for a file or folder that is renamed to `path` later. Its name holds
// this machine, this process and 16 digits that cannot be foreseen: ".tieout-draft-MACHINE-PID-DIGITS".
[[nodiscard]] std::filesystem::path unused_path_beside(const std::filesystem::path& path);

// Removes what has such a name in the folder and belongs to a process that no longer runs on this machine: it was
// killed. The journals that SQLite puts beside such a file go with it; nothing else is touched.
void remove_abandoned_drafts(const std::filesystem::path& folder);

}  // namespace tieout
