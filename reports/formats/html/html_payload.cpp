#include "reports/formats/html/html_payload.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cases/strings/shell_word.h"
#include "reports/data/mismatch_statistics.h"
#include "reports/data/small_case.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/operator_script.h"
#include "reports/text/escape.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using nlohmann::json;

std::string packed(const json& value) {
  const std::string text = value.dump();
  uLongf size = compressBound(text.size());
  std::string bytes(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(),
                Z_DEFAULT_COMPRESSION) != Z_OK) {
    std::fprintf(stderr, "html_payload.cpp: compress2() has no memory\n");
    std::abort();
  }
  bytes.resize(size);
  return base64(bytes);
}

// Returns the low 8 bits of the values, which are bytes.
std::string bytes_of(const std::vector<std::int32_t>& values) {
  std::string bytes;
  for (const std::int32_t value : values) bytes += static_cast<char>(value);
  return bytes;
}

// Returns actual - expected modulo 256: mostly zeros, which deflate compresses best.
std::string difference_bytes(const Finding& finding) {
  std::string bytes;
  for (std::size_t i = 0; i < finding.expected.values.size(); ++i) {
    bytes += static_cast<char>(finding.actual.values[i] - finding.expected.values[i]);
  }
  return bytes;
}

// The differences of bytes are at most this many; int32 sums may have a chart with more bars than a page can draw.
constexpr std::size_t kMostBars = 511;

// Shortens a list of ranges: every second index of a long dimension would fill the page.
std::string shortened(const std::string& text) {
  constexpr std::size_t kMost = 1000;
  return text.size() <= kMost ? text : text.substr(0, text.rfind(',', kMost)) + ", ...";
}

// room: number of elements that the page can still show in maps; reduced by those of this finding.
json tensors(const Finding& finding, std::int64_t& room) {
  const MismatchStatistics statistics = mismatch_statistics(finding.expected, finding.actual);
  json touched = json::array();
  for (const TouchedDimension& dimension : statistics.touched) {
    touched.push_back(
        {dimension.name, dimension.extent, dimension.indices.size(), shortened(ranges_text(dimension.indices))});
  }
  json elements = json::array();
  for (const MismatchedElement& element : finding.elements) {
    elements.push_back({index_text(element.offset, finding.expected.shape), element.expected, element.actual,
                        has_accumulators(finding) ? grouped(element.accumulator) : "-", float_text(element.scaled)});
  }
  json packed_tensors{
      {"shape", finding.expected.shape},
      {"differing", statistics.differing},
      {"histogram", statistics.histogram.size() <= kMostBars ? json(statistics.histogram) : json::array()},
      {"signed_mean", fmt::format("{:+.4g}", statistics.signed_mean)},
      {"worst", statistics.worst},
      {"touched", std::move(touched)},
      {"elements", std::move(elements)}};
  const std::int64_t count = std::ssize(finding.expected.values);
  const OutputType type = output_type(finding);
  if (type == OutputType::int32) {
    packed_tensors["left_out"] = "The maps show bytes only, and these are int32 sums. The JSON report has them.";
  } else if (count <= std::min(room, kMappedElements)) {
    room -= count;
    packed_tensors["int8"] = type == OutputType::int8;
    packed_tensors["expected"] = base64(bytes_of(finding.expected.values));
    packed_tensors["difference"] = base64(difference_bytes(finding));
  } else {
    packed_tensors["left_out"] = fmt::format(
        "The maps of its {} elements are left out: a page shows {} of a finding and {} in all. The JSON report "
        "has them.",
        grouped(count), grouped(kMappedElements), grouped(kMappedOnThePage));
  }
  return packed_tensors;
}

// Returns the python script of the finding's case; "" if this program cannot read the line, or if the reference is not
// LibTorch, which the script runs.
std::string script_of_finding(const Finding& finding) {
  const std::string& case_line = finding.case_line;
  if (!finding.reference.empty()) return {};
  if (const auto c = small_case(case_line, kElementsInAScript)) return script_of(*c);
  if (!is_case_line(case_line)) return {};
  return fmt::format(
      "# Too long for this page, which shows scripts of up to {} elements. This writes it:\n#\n#   tieout check {} "
      "--python FILE\n",
      grouped(kElementsInAScript), shell_word(case_line));
}

json contents(const ReportedFinding& reported, std::int64_t& room) {
  const Finding& finding = reported.finding;
  json entry{{"expected_name", legal_text(finding.expected_name)},
             {"actual_name", legal_text(finding.actual_name)},
             {"derivation", legal_text(reported_derivation(finding))},
             {"explained", finding.explained},
             {"failure", legal_text(without_tensors_text(finding))},
             {"replay", legal_text(replay_command(finding))},
             {"explanation", legal_text(finding.explanation)},
             {"python", legal_text(script_of_finding(finding))},
             {"granularity", legal_text(finding.cell.granularity)},
             {"bias", legal_text(finding.cell.bias)},
             {"index", finding.index},
             {"runs", reported.runs}};
  if (finding.original_line != finding.case_line) entry["original"] = legal_text(replay_original(finding));
  if (reported.known) entry["known"] = {legal_text(reported.known->reason), legal_text(reported.known->link)};
  if (has_tensors(finding)) entry["tensors"] = tensors(finding, room);
  return entry;
}

}  // namespace

HtmlPayload html_payload(const Report& report) {
  HtmlPayload payload;
  json index = json::array();
  json block = json::array();
  std::int64_t room = kMappedOnThePage;
  for (const ReportedFinding& reported : report.findings) {
    const Finding& finding = reported.finding;
    index.push_back({reported.known ? "known" : "new", legal_text(kind_of(finding)), legal_text(finding.cell.engine),
                     legal_text(finding.cell.isa), legal_text(finding.cell.path), legal_text(size_text(finding)),
                     legal_text(finding.case_line)});
    block.push_back(contents(reported, room));
    if (block.size() == kFindingsPerBlock || index.size() == report.findings.size()) {
      payload.blocks.push_back(packed(block));
      block.clear();
    }
  }
  payload.index = packed(index);
  return payload;
}

}  // namespace tieout
