#pragma once
// A file that is there whole or not at all, and never in place of another one.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// Writes a file that must not exist yet, with its folder. Killed at any moment, it leaves the whole file or none under this
// name, and changes no other file. The error names the file and says what to do.
[[nodiscard]] tl::expected<void, std::string> write_new_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace tieout
