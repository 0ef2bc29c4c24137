#include "reports/data/baseline.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cases/machine/readable_file.h"

namespace tieout {
namespace {

constexpr std::array<std::pair<const char*, std::string KnownFinding::*>, 9> kFields{
    {{"kind", &KnownFinding::kind},
     {"cause", &KnownFinding::cause},
     {"condition", &KnownFinding::condition},
     {"engine", &KnownFinding::engine},
     {"isa", &KnownFinding::isa},
     {"path", &KnownFinding::path},
     {"case", &KnownFinding::case_line},
     {"reason", &KnownFinding::reason},
     {"link", &KnownFinding::link}}};

// Reads one entry. Returns what is wrong with it, or "".
std::string read(const nlohmann::json& entry, KnownFinding& known) {
  if (!entry.is_object()) return "is no object";
  for (const auto& [key, value] : entry.items()) {
    const auto* const field =
        std::find_if(kFields.begin(), kFields.end(), [&](const auto& f) { return key == f.first; });
    if (field == kFields.end()) {
      return fmt::format("has '{}'; known are kind, cause, condition, engine, isa, path, case, reason and link", key);
    }
    if (!value.is_string()) return fmt::format("'{}' must be a string", key);
    known.*(field->second) = value.get<std::string>();
  }
  if (known.reason.empty()) return "has no 'reason': say why the finding is accepted";
  if (known.kind.empty() && known.cause.empty() && known.engine.empty() && known.isa.empty() && known.path.empty() &&
      known.case_line.empty()) {
    return "would accept everything: give a kind, cause, engine, isa, path or case";
  }
  return {};
}

}  // namespace

tl::expected<std::vector<KnownFinding>, std::string> read_baseline(const std::filesystem::path& file) {
  constexpr std::uintmax_t kMostBytes = 4 << 20;
  const auto refuse = [&](const std::string& why) { return tl::unexpected(file.string() + why); };
  if (const std::string why = find_read_error(file); !why.empty()) {
    return refuse(": " + why + "; name the JSON file of the accepted findings");
  }
  std::error_code error;
  if (std::filesystem::file_size(file, error) > kMostBytes) return refuse(" is longer than 4 MiB, and so no baseline");
  std::ifstream in(file, std::ios::binary);
  std::string text(kMostBytes, '\0');  // the file may have grown since its size was read
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.eof() || in.bad()) return refuse(" cannot be read; name a file that may be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto baseline = parse_baseline(text);
  if (!baseline) return refuse(": " + baseline.error());
  return baseline;
}

tl::expected<std::vector<KnownFinding>, std::string> parse_baseline(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_array()) {
    return tl::unexpected(
        std::string("must be a JSON array of findings; [] accepts none, and each is such as {\"kind\": \"tie\", "
                    "\"reason\": \"as agreed\"}"));
  }
  std::vector<KnownFinding> baseline;
  for (const auto& entry : json) {
    KnownFinding known;
    if (const std::string wrong = read(entry, known); !wrong.empty()) {
      return tl::unexpected(fmt::format("entry {} {}", baseline.size() + 1, wrong));
    }
    baseline.push_back(std::move(known));
  }
  return baseline;
}

}  // namespace tieout
