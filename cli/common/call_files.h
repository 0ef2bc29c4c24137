#pragma once
// Collects the files that one call of the command reads and writes, to refuse calls that would write a file twice or
// overwrite one that they read.

#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

class CallFiles {
 public:
  // name: how messages call the file: its option, such as "--html", or a noun. file: "-" is standard output.
  void add_input(std::string name, std::filesystem::path file);
  void add_output(std::string name, std::filesystem::path file);

  // Checks that every output can be written, and that it is none of the inputs, the other outputs, the journals that
  // SQLite puts beside run records, and the file that standard output is redirected to. Files are compared by device
  // and inode, whatever links lead to them. The error names the option and what to do.
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

// Prepares the only output of a call before its work: reserves standard output if the file is "-", and else checks that
// it can be written. file: empty if the option is not given. Error: as check().
[[nodiscard]] tl::expected<void, std::string> prepare_output(const std::string& option, const std::string& file);

}  // namespace tieout
