#include "reports/formats/html/html.h"

#include <fmt/core.h>

#include <algorithm>
#include <kainjow/mustache.hpp>
#include <map>
#include <string>
#include <string_view>

#include "reports/formats/departure_text.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/html/html_assets.h"
#include "reports/formats/html/html_payload.h"
#include "reports/formats/html/html_sections.h"
#include "reports/text/escape.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::partial;

constexpr std::size_t kFindingsPerPage = 25;

// Returns the source expression for a Content-Security-Policy: the digest in base64.
std::string policy_source(std::string_view sha256) {
  std::string bytes;
  for (std::size_t i = 0; i < sha256.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(sha256.substr(i, 2)), nullptr, 16));
  }
  return "'sha256-" + base64(bytes) + "'";
}

struct State {
  const char* cls;
  const char* text;
};

State state_of(const Report& report) {
  const int status = exit_status(report);
  if (status == 1) return {"differs", "Differs"};
  if (status != 0) return {"unverified", "Not verified"};
  return report.total.cases.differed > 0 ? State{"equal", "Only known differences"} : State{"equal", "Equal"};
}

data fact(const char* term, const std::string& value) {
  data item;
  item.set("term", term);
  item.set("value", value);
  return item;
}

data facts_of(const Report& report) {
  const RunSummary& latest = report.runs.back();
  data facts(data::type::list);
  const auto say = [&](const char* term, const std::string& value) {
    if (!value.empty()) facts.push_back(fact(term, value));
  };
  say("Subject", latest.subject);
  say("Reference", latest.reference);
  const Machine& machine = latest.machine;
  say("Machine", machine.cpu.empty() ? "" : fmt::format("{}, {}", machine.cpu, counted(machine.cores, "core")));
  say("Environment", machine.variables);
  const bool one = report.runs.size() == 1;
  say(one ? "Started" : "Latest run", utc_text(latest.started));
  say(one ? "Seed" : "Its seed", std::to_string(latest.seed));
  const RunSummary& total = report.total;
  std::string took = fmt::format("{:.1f} s", total.seconds);
  if (total.seconds > 0) {
    took += fmt::format(", {} cases/s",
                        grouped(static_cast<std::int64_t>(static_cast<double>(total.cases.all()) / total.seconds)));
  }
  say(one ? "Took" : "All runs took", took);
  return facts;
}

data tile(const char* label, const std::string& value, const char* cls = "") {
  data item;
  item.set("label", label);
  item.set("value", value);
  item.set("class", cls);
  return item;
}

data tiles_of(const Report& report) {
  const RunSummary& total = report.total;
  const std::int64_t fresh = report.new_findings();
  data tiles(data::type::list);
  tiles.push_back(tile("cases verified", grouped(total.cases.verified())));
  tiles.push_back(tile("elements compared", short_number(total.elements())));
  tiles.push_back(tile("cases differ", grouped(total.cases.differed), total.cases.differed > 0 ? "bad" : ""));
  if (!total.causes.empty()) tiles.push_back(tile("causes", grouped(std::ssize(total.causes)), "bad"));
  tiles.push_back(tile("new findings", grouped(fresh), fresh > 0 ? "bad" : ""));
  tiles.push_back(tile("known", grouped(std::ssize(report.findings) - fresh)));
  // A row has six tiles.
  if (total.causes.empty() || !report.resolved.empty()) {
    tiles.push_back(tile("resolved", grouped(std::ssize(report.resolved))));
  }
  return tiles;
}

data first_findings(const Report& report) {
  data list(data::type::list);
  for (std::size_t i = 0; i < std::min(report.findings.size(), kFindingsPerPage); ++i) {
    const Finding& finding = report.findings[i].finding;
    data item;
    item.set("number", std::to_string(i + 1));
    item.set("status", report.findings[i].known ? "known" : "new");
    item.set("kind", kind_of(finding));
    item.set("engine", finding.cell.engine);
    item.set("isa", finding.cell.isa);
    item.set("path", finding.cell.path);
    item.set("size", size_text(finding));
    item.set("line", finding.case_line);
    item.set("replay", replay_command(finding));
    item.set("derivation", reported_derivation(finding));
    list.push_back(item);
  }
  return list;
}

// Returns the text in place of findings if there are none.
std::string no_findings(const Report& report) {
  if (!report.findings.empty()) return {};
  if (report.total.cases.verified() == 0) return "None: nothing was compared.";
  return new_differences(report) > 0 ? "None was kept, though cases differ."
                                     : "None: nothing that was compared differs.";
}

data resolved_of(const Report& report) {
  data list(data::type::list);
  for (const KnownFinding& known : report.resolved) {
    const auto or_any = [](const std::string& text) { return text.empty() ? std::string("any") : text; };
    data item;
    item.set("kind", or_any(known.kind));
    item.set("engine", or_any(known.engine));
    item.set("isa", or_any(known.isa));
    item.set("path", or_any(known.path));
    item.set("line", or_any(known.case_line));
    item.set("reason", known.reason);
    // Only links to the web become links on the page: no javascript:, no file:.
    const bool web = known.link.starts_with("https://") || known.link.starts_with("http://");
    item.set(web ? "web" : "link", known.link);
    list.push_back(item);
  }
  return list;
}

// Adds a table of counts with its heading, if there are any counts.
void add_counts(data& tables, const char* heading, const std::map<std::string, std::int64_t>& counts) {
  if (counts.empty()) return;
  data rows(data::type::list);
  for (const auto& [name, count] : counts) {
    data row;
    row.set("name", name);
    row.set("count", grouped(count));
    rows.push_back(row);
  }
  data table;
  table.set("heading", heading);
  table.set("rows", rows);
  tables.push_back(table);
}

data count_tables(const RunSummary& run) {
  data tables(data::type::list);
  add_counts(tables, "Cases that differ, by kind", reported_differences(run));
  add_counts(tables, "Not verified, because", run.reasons);
  add_counts(tables, "Drawn for", run.strategies);
  return tables;
}

data departures_of(const RunSummary& run) {
  data list(data::type::list);
  for (const std::string& sentence : departure_sentences(run)) list.push_back(data{"text", sentence});
  return list;
}

// Sets the headline, "12 of 10,000 cases differ", and the rest of the verdict.
void set_verdict(data& page, const Report& report) {
  const std::string text = verdict(report);
  const std::size_t end = std::min(text.find(", "), text.find("; "));
  page.set("title", text);
  page.set("headline", text.substr(0, end));
  if (end != std::string::npos) page.set("rest", text.substr(end + 2));
  const State state = state_of(report);
  page.set("state", state.cls);
  page.set("state_text", state.text);
  page.set("unfinished", !report.total.finished);
}

partial from(std::string_view text) {
  return {[text] { return std::string(text); }};
}

}  // namespace

std::string html(const Report& report) {
  data page;
  set_verdict(page, report);
  page.set("style", std::string(kHtmlStyle.text));
  page.set("script", std::string(kHtmlScript.text));
  page.set("style_source", policy_source(kHtmlStyle.sha256));
  page.set("script_source", policy_source(kHtmlScript.sha256));
  page.set("facts", facts_of(report));
  page.set("command", report.runs.back().command);
  page.set("departures", departures_of(report.total));
  page.set("tiles", tiles_of(report));
  page.set("outcomes", outcome_section(report.total.cases));
  page.set("counts", count_tables(report.total));
  page.set("coverage", coverage_section(report.total));
  if (report.model) page.set("model", layers_section(*report.model));
  if (report.table) page.set("table", table_section(*report.table));
  if (report.runs.size() > 1) page.set("trend", trend_section(report));
  if (!report.total.causes.empty()) page.set("causes", causes_section(report));
  page.set("finding_count", counted(std::ssize(report.findings), "finding"));
  page.set("has_findings", !report.findings.empty());
  page.set("no_findings", no_findings(report));
  page.set("more_findings", report.findings.size() > kFindingsPerPage);
  page.set("per_page", std::to_string(kFindingsPerPage));
  page.set("per_block", std::to_string(kFindingsPerBlock));
  page.set("findings", first_findings(report));
  page.set("resolved", resolved_of(report));
  page.set("has_resolved", !report.resolved.empty());
  page.set("run_count", std::to_string(report.runs.size()));
  const HtmlPayload payload = html_payload(report);
  page.set("index", payload.index);
  data blocks(data::type::list);
  for (const std::string& block : payload.blocks) blocks.push_back(data{"text", block});
  page.set("blocks", blocks);
  page.set("causes_part", data{from(kHtmlCauses.text)});
  page.set("layers_part", data{from(kHtmlLayers.text)});
  page.set("coverage_part", data{from(kHtmlCoverage.text)});
  page.set("trend_part", data{from(kHtmlTrend.text)});
  page.set("finding_part", data{from(kHtmlFinding.text)});

  kainjow::mustache::mustache form{std::string(kHtmlPage.text)};
  form.set_custom_escape([](const std::string& text) { return escaped(text); });
  return form.render(page);
}

}  // namespace tieout
