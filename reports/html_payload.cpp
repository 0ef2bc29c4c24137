#include "reports/html_payload.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "reports/diff_statistics.h"
#include "reports/escape.h"
#include "reports/finding_text.h"
#include "reports/number_text.h"
#include "reports/python_script.h"

namespace tieout {
namespace {

using nlohmann::json;

std::string packed(const json& value) {
  const std::string text = value.dump();
  uLongf size = compressBound(text.size());
  std::string bytes(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(bytes.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size(),
                Z_DEFAULT_COMPRESSION) != Z_OK) {
    std::fprintf(stderr, "%s:%d: compress2() has no memory\n", __FILE__, __LINE__);
    std::abort();
  }
  bytes.resize(size);
  return base64(bytes);
}

std::string bytes_of(const std::vector<std::uint8_t>& values) { return {values.begin(), values.end()}; }

// actual - expected, modulo 256: mostly zeros, which deflate to nothing.
std::string difference_bytes(const Finding& finding) {
  std::string bytes;
  for (std::size_t i = 0; i < finding.expected.values.size(); ++i) {
    bytes += static_cast<char>(finding.actual.values[i] - finding.expected.values[i]);
  }
  return bytes;
}

json tensors(const Finding& finding) {
  const DiffStatistics statistics = diff_statistics(finding.expected, finding.actual);
  json touched = json::array();
  for (const TouchedDimension& dimension : statistics.touched) {
    touched.push_back({dimension.name, dimension.extent, dimension.indices.size(), ranges_text(dimension.indices)});
  }
  json elements = json::array();
  for (const DiffElement& element : finding.elements) {
    elements.push_back({index_text(element.offset, finding.expected.shape), element.expected, element.actual,
                        grouped(element.accumulator), float_text(element.scaled)});
  }
  return {{"shape", finding.expected.shape},
          {"expected", base64(bytes_of(finding.expected.values))},
          {"difference", base64(difference_bytes(finding))},
          {"histogram", statistics.histogram},
          {"signed_mean", fmt::format("{:+.4g}", statistics.signed_mean)},
          {"worst", statistics.worst},
          {"touched", std::move(touched)},
          {"elements", std::move(elements)}};
}

// "" where the line is none that this program reads.
std::string script_of(const std::string& case_line) {
  const auto c = parse(case_line);
  return c ? python_script(with_contents(*c), case_line) : std::string();
}

json contents(const ReportedFinding& reported) {
  const Finding& finding = reported.finding;
  json entry{{"expected_name", legal_text(finding.expected_name)},
             {"actual_name", legal_text(finding.actual_name)},
             {"derivation", legal_text(finding.derivation)},
             {"explained", finding.explained},
             {"failure", legal_text(without_tensors_text(finding))},
             {"replay", legal_text(replay_command(finding))},
             {"explanation", legal_text(finding.explanation)},
             {"python", legal_text(script_of(finding.case_line))},
             {"granularity", legal_text(finding.cell.granularity)},
             {"bias", legal_text(finding.cell.bias)},
             {"index", finding.index},
             {"runs", reported.runs}};
  if (finding.original_line != finding.case_line)
    entry["original"] = legal_text(replay_command(finding.original_line, finding.subject));
  if (reported.known) entry["known"] = {legal_text(reported.known->reason), legal_text(reported.known->link)};
  if (has_tensors(finding)) entry["tensors"] = tensors(finding);
  return entry;
}

}  // namespace

HtmlPayload html_payload(const Report& report) {
  HtmlPayload payload;
  json index = json::array();
  json block = json::array();
  for (const ReportedFinding& reported : report.findings) {
    const Finding& finding = reported.finding;
    index.push_back({reported.known ? "known" : "new", legal_text(kind_of(finding)), legal_text(finding.cell.engine),
                     legal_text(finding.cell.isa), legal_text(finding.cell.path), legal_text(size_text(finding)),
                     legal_text(finding.case_line)});
    block.push_back(contents(reported));
    if (block.size() == kFindingsPerBlock || index.size() == report.findings.size()) {
      payload.blocks.push_back(packed(block));
      block.clear();
    }
  }
  payload.index = packed(index);
  return payload;
}

}  // namespace tieout
