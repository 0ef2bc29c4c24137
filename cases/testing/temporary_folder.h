#pragma once
// Provides tests with a temporary folder, and reads the files in it.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>

namespace tieout {

// Returns the contents of a file; empty if it cannot be read.
inline std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Creates a temporary folder, which is removed with the object.
class TemporaryFolder {
 public:
  // pattern: the name of the folder, where XXXXXX is replaced. The usual name contains spaces, so that commands that do
  // not quote it fail.
  explicit TemporaryFolder(const char* pattern = "tieout test XXXXXX") {
    std::string name = (std::filesystem::temp_directory_path() / pattern).string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }
  // Returns the path of a file in the folder as text.
  [[nodiscard]] std::string in(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace tieout
