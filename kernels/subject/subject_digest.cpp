#include "kernels/subject/subject_digest.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "cases/strings/digest.h"
#include "kernels/subject/subject.h"

namespace tieout {
namespace {

void add_file(Digest& digest, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::array<char, 1 << 16> chunk;
  while (in) {
    in.read(chunk.data(), chunk.size());
    digest.add_bytes({chunk.data(), static_cast<std::size_t>(in.gcount())});
  }
}

}  // namespace

std::vector<std::filesystem::path> subject_files(std::string_view text) {
  constexpr std::string_view kBetweenWords = " \t\n'\"";
  std::vector<std::filesystem::path> files;
  const auto add = [&](std::string_view name) {
    std::error_code error;
    if (!name.empty() && std::filesystem::is_regular_file(name, error)) files.emplace_back(name);
  };
  if (!text.starts_with(kCommandPrefix)) {
    add(text);
    return files;
  }
  text.remove_prefix(kCommandPrefix.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.size(), text.find_first_of(kBetweenWords));
    add(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return files;
}

std::string subject_digest(std::string_view text) {
  Digest digest;
  if (text.starts_with(kCommandPrefix)) digest.add(text.substr(kCommandPrefix.size()));
  for (const std::filesystem::path& file : subject_files(text)) add_file(digest, file);
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(digest.value()));
  return digits.data();
}

SubjectFiles::Version SubjectFiles::version_of(const std::filesystem::path& file) {
  struct stat status{};
  if (stat(file.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

SubjectFiles::SubjectFiles(std::string_view text) {
  for (std::filesystem::path& file : subject_files(text)) {
    const Version version = version_of(file);
    files_.push_back({std::move(file), version});
  }
}

std::string SubjectFiles::change() const {
  const auto changed = std::ranges::find_if(files_, [](const File& f) { return version_of(f.path) != f.version; });
  if (changed == files_.end()) return {};
  return changed->path.string() +
         " was changed while it was being verified, so that what is there now is not verified: verify the new file in "
         "a "
         "new run, or put the old one back";
}

}  // namespace tieout
