#pragma once
// Detects that a subject has changed: campaigns compare a digest over the subject's files when a run is resumed, and
// the versions of the files while it runs.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tieout {

// Returns the files that a subject consists of. text: the argument of --subject. A library consists of its file. A
// command consists of every file that a word of its line names: "python3 kernel.py" of kernel.py. Programs that are
// found by PATH, and the imports of a script, are not included.
[[nodiscard]] std::vector<std::filesystem::path> subject_files(std::string_view text);

// Returns 16 hexadecimal digits: a digest over the contents of subject_files(text) and, for a command, over its line.
[[nodiscard]] std::string subject_digest(std::string_view text);

// Holds the versions of a subject's files at construction: inode, size and time of modification. Comparing them is fast
// enough to be done after every block of a run.
class SubjectFiles {
 public:
  explicit SubjectFiles(std::string_view text);

  // Returns a message that names the first file that was overwritten, replaced or removed since, and what to do; empty
  // if none was.
  [[nodiscard]] std::string change() const;

 private:
  // Identifies a version of a file, to detect that another file was put under its path.
  struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  // time of the last modification

    bool operator==(const Version&) const = default;
  };
  struct File {
    std::filesystem::path path;
    Version version;
  };
  static Version version_of(const std::filesystem::path& file);

  std::vector<File> files_;
};

}  // namespace tieout
