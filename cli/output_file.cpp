#include "cli/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace tieout {

tl::expected<void, std::string> write_file(const std::filesystem::path& path, std::string_view text) {
  const auto failed = [&](const std::string& why) {
    return tl::unexpected("cannot write " + path.string() + ": " + why + "; name another place, or make room there");
  };
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) return failed(error.message());
  std::filesystem::path draft = path;
  draft += ".tmp" + std::to_string(getpid());
  std::FILE* const file = std::fopen(draft.c_str(), "wb");
  if (file == nullptr) return failed(std::strerror(errno));
  bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  written = std::fflush(file) == 0 && written;
  written = fsync(fileno(file)) == 0 && written;
  const std::string why = std::strerror(errno);
  std::fclose(file);
  if (written) std::filesystem::rename(draft, path, error);
  if (!written || error) {
    std::error_code ignored;
    std::filesystem::remove(draft, ignored);
    return failed(written ? error.message() : why);
  }
  return {};
}

}  // namespace tieout
