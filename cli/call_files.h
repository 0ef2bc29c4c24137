#pragma once
// The files of one call of the command, so that none is written twice, or written and read.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

class CallFiles {
 public:
  // name: the option that names the file, "--html", or what else the message should call it.
  void add_input(std::string name, std::filesystem::path file);
  void add_output(std::string name, std::filesystem::path file);

  // Whether every output can be written, and is neither an input nor another output nor the journal of one, which a run
  // record has beside it. Files are compared by device and
  // inode, whatever links lead to them. The error names the option and what to do.
  [[nodiscard]] tl::expected<void, std::string> check() const;

 private:
  struct File {
    std::string name;
    std::filesystem::path path;
    std::string identity;
  };
  void reserve_journal(const std::string& name, const std::filesystem::path& file);

  std::vector<File> inputs_, outputs_, reserved_;
};

}  // namespace tieout
