#include "cli/common/call_files.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "cli/common/standard_output.h"
#include "reports/records/output_file.h"

namespace tieout {
namespace {

// Returns true if standard output is redirected to a file, as in `tieout fuzz >FILE`.
bool standard_output_is_a_file() {
  struct stat status{};
  return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

void CallFiles::reserve_journal(const std::string& name, const std::filesystem::path& file) {
  std::filesystem::path journal = file;
  journal += "-journal";
  std::string identity = file_identity(journal);
  reserved_.push_back({"the journal of " + name, std::move(journal), std::move(identity)});
}

void CallFiles::add_input(std::string name, std::filesystem::path file) {
  reserve_journal(name, file);
  std::string identity = file_identity(file);
  inputs_.push_back({std::move(name), std::move(file), std::move(identity)});
}

void CallFiles::add_output(std::string name, std::filesystem::path file) {
  if (file != "-") reserve_journal(name, file);
  std::string identity = file_identity(file);
  outputs_.push_back({std::move(name), std::move(file), std::move(identity)});
}

tl::expected<void, std::string> CallFiles::check() const {
  const auto error = [](const File& file, const std::string& why) {
    return tl::unexpected(fmt::format("{}: {} {}; name another file", file.name, file.path.string(), why));
  };
  for (auto output = outputs_.begin(); output != outputs_.end(); ++output) {
    const auto is_same = [&](const File& other) {
      return !output->identity.empty() && other.identity == output->identity;
    };
    if (const auto read = std::ranges::find_if(inputs_, is_same); read != inputs_.end()) {
      return error(*output, "is read by this call, as " + read->name);
    }
    if (const auto other = std::find_if(outputs_.begin(), output, is_same); other != output) {
      return error(*output, "is written by " + other->name + ", too");
    }
    if (const auto journal = std::ranges::find_if(reserved_, is_same); journal != reserved_.end()) {
      return error(*output, "is " + journal->name);
    }
    if (output->path == "-") continue;
    if (standard_output_is_a_file() && output->identity == file_identity("-")) {
      return error(*output, "is where standard output goes");
    }
    if (const auto writable = check_writable(output->path); !writable) {
      return tl::unexpected(output->name + ": " + writable.error());
    }
  }
  return {};
}

tl::expected<void, std::string> prepare_output(const std::string& option, const std::string& file) {
  if (file.empty()) return {};
  if (file == "-") return reserve_standard_output();
  CallFiles files;
  files.add_output(option, file);
  return files.check();
}

}  // namespace tieout
