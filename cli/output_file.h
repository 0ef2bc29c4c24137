#pragma once
// Writing a file so that a failure leaves what was there before.

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace tieout {

// Makes the folder, writes a temporary file beside `path` and renames it there. On error the text says what to do.
[[nodiscard]] tl::expected<void, std::string> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace tieout
