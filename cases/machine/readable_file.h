#pragma once
// Determines why a path that a user named cannot be read as a file, for the messages that refuse the path.

#include <filesystem>
#include <string>

namespace tieout {

// Returns the reason, such as "there is no such file" or "it is not a regular file, but a folder". Empty if the path
// leads to a regular file that can be opened for reading. Pipes and devices are not opened.
[[nodiscard]] std::string find_read_error(const std::filesystem::path& file);

}  // namespace tieout
