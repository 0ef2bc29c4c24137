#include "reports/records/record_tables.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include "cases/strings/digest.h"
#include "cases/strings/lines.h"

namespace tieout {
namespace {

constexpr int kApplication = 0x5449454f;  // "TIEO", which distinguishes run records from other SQLite files
constexpr int kSchemaVersion = 4;

constexpr const char* kSchema = R"(
CREATE TABLE run (command TEXT NOT NULL, subject TEXT NOT NULL, subject_digest TEXT NOT NULL, reference TEXT NOT NULL,
  cpu TEXT NOT NULL, isa TEXT NOT NULL, libtorch TEXT NOT NULL, cores INTEGER NOT NULL, variables TEXT NOT NULL,
  domain TEXT NOT NULL, seed TEXT NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL, started INTEGER NOT NULL,
  finished INTEGER NOT NULL, seconds REAL NOT NULL, seconds_in_engine REAL NOT NULL, workers INTEGER NOT NULL,
  hunting INTEGER NOT NULL);
CREATE TABLE status (name TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE reason (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE declined (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE excused (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE departure (text TEXT PRIMARY KEY, cases INTEGER NOT NULL, elements INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE difference (kind TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE by_cause (name TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE cause (position INTEGER PRIMARY KEY, text TEXT NOT NULL, condition TEXT NOT NULL, cases INTEGER NOT NULL,
  diff TEXT NOT NULL, picture TEXT NOT NULL, case_line TEXT NOT NULL, replay TEXT NOT NULL, expected INTEGER NOT NULL,
  actual INTEGER NOT NULL, fresh INTEGER NOT NULL, predicted INTEGER NOT NULL, fresh_differing INTEGER NOT NULL,
  explained INTEGER NOT NULL);
CREATE TABLE strategy (name TEXT PRIMARY KEY, cases INTEGER NOT NULL, seconds REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE class (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE cell (engine TEXT, isa TEXT, path TEXT, granularity TEXT, bias TEXT, cases INTEGER NOT NULL,
  elements INTEGER NOT NULL, differed INTEGER NOT NULL,
  PRIMARY KEY (engine, isa, path, granularity, bias)) WITHOUT ROWID;
CREATE TABLE cell_class (engine TEXT, isa TEXT, path TEXT, granularity TEXT, bias TEXT, class TEXT,
  cases INTEGER NOT NULL, PRIMARY KEY (engine, isa, path, granularity, bias, class)) WITHOUT ROWID;
CREATE TABLE block (number INTEGER PRIMARY KEY, verdicts TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE finding (id INTEGER PRIMARY KEY, case_index INTEGER NOT NULL, kind TEXT NOT NULL, engine TEXT NOT NULL,
  isa TEXT NOT NULL, path TEXT NOT NULL, case_line TEXT NOT NULL, json TEXT NOT NULL);
CREATE TABLE digest (part TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)";

using Counts = std::map<std::string, std::int64_t>;

// The tables of texts with their counts.
constexpr std::array<std::pair<const char*, Counts RunSummary::*>, 5> kTexts{
    {{"reason", &RunSummary::reasons},
     {"declined", &RunSummary::declined},
     {kRecordedDeviations, &RunSummary::accepted_deviations},
     {"difference", &RunSummary::differences},
     {"by_cause", &RunSummary::cases_by_cause}}};

double seconds_of(const RunSummary& run, const std::string& strategy) {
  const auto seconds = run.strategy_seconds.find(strategy);
  return seconds == run.strategy_seconds.end() ? 0 : seconds->second;
}

std::vector<std::string> schema_of(Database& database) {
  std::vector<std::string> entries;
  database.each("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY rowid", [&](const Row& row) {
    entries.push_back(row.text(0) + '\n' + row.text(1) + '\n' + row.text(2) + '\n' + row.text(3));
  });
  return entries;
}

const std::vector<std::string>& right_schema() {
  static const std::vector<std::string> schema = [] {
    Database empty;
    empty.script(kSchema);
    return schema_of(empty);
  }();
  return schema;
}

Cell cell_at(const Row& row) { return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)}; }

void add(Digest& digest, const Cell& cell) {
  for (const std::string* text : {&cell.engine, &cell.isa, &cell.path, &cell.granularity, &cell.bias}) {
    digest.add(std::string_view(*text));
  }
}

void add(Digest& digest, const ReportedCause& cause) {
  for (const std::string* text : {&cause.text, &cause.condition, &cause.case_line, &cause.replay}) {
    digest.add(std::string_view(*text));
  }
  for (const auto* lines : {&cause.diff, &cause.picture}) digest.add(std::string_view(join_lines(*lines)));
  for (const std::int64_t number : {std::int64_t{cause.expected}, std::int64_t{cause.actual}, cause.cases,
                                    cause.fresh_differing, cause.explains, cause.fresh, cause.predicted}) {
    digest.add(std::int64_t{number});
  }
}

void add(Digest& digest, const Counts& counts) {
  digest.add(static_cast<std::uint64_t>(counts.size()));
  for (const auto& [text, cases] : counts) {
    digest.add(std::string_view(text));
    digest.add(cases);
  }
}

}  // namespace

void create_tables(Database& database) {
  database.script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplication, kSchemaVersion));
  database.script(kSchema);
}

void verify_tables(Database& database) {
  std::int64_t application = 0;
  std::int64_t version = 0;
  database.each("PRAGMA application_id", [&](const Row& row) { application = row.integer(0); });
  database.each("PRAGMA user_version", [&](const Row& row) { version = row.integer(0); });
  if (application != kApplication) database.refuse(std::string("this is not a run record of Tieout") + kNameARecord);
  if (version != kSchemaVersion) {
    database.refuse(
        fmt::format("its schema is version {}, and this Tieout reads version {}: report it with the Tieout "
                    "that wrote it, or run again",
                    version, kSchemaVersion));
  }
  if (schema_of(database) != right_schema()) {
    database.refuse("its tables are not those of a run record: another program has changed it; run again");
  }
  database.verify_pages();
}

void insert_run(Database& database, const RunSummary& run) {
  const Machine& machine = run.machine;
  database.run("INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, 0, 0, ?15)",
               run.command, run.subject, run.subject_digest, run.reference, machine.cpu, machine.isa, machine.libtorch,
               machine.cores, machine.variables, run.domain, std::to_string(run.seed), run.shard.index, run.shard.count,
               run.started, run.hunting ? 1 : 0);
  update_times(database, run);
  for (std::size_t i = 0; i < run.classes.size(); ++i) {
    database.run("INSERT INTO class VALUES (?1, ?2)", static_cast<std::int64_t>(i), run.classes[i]);
  }
}

void update_times(Database& database, const RunSummary& run) {
  database.run("UPDATE run SET finished = ?1, seconds = ?2, seconds_in_engine = ?3, workers = ?4", run.finished ? 1 : 0,
               run.seconds, run.seconds_in_engine, run.workers);
}

void write_counts(Database& database, const RunSummary& changed, const RunSummary& total) {
  for (const StatusName& status : kStatusNames) {
    database.run("INSERT OR REPLACE INTO status VALUES (?1, ?2)", status.recorded, total.cases.*status.count);
  }
  for (const auto& [table, member] : kTexts) {
    const std::string sql = fmt::format("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", table);
    for (const auto& [text, cases] : changed.*member) database.run(sql, text, (total.*member).at(text));
  }
  for (const auto& [text, departures] : changed.departures) {
    const Departures& sum = total.departures.at(text);
    database.run("INSERT OR REPLACE INTO departure VALUES (?1, ?2, ?3)", text, sum.cases, sum.elements);
  }
  for (const auto& [name, cases] : changed.strategies) {
    database.run("INSERT OR REPLACE INTO strategy VALUES (?1, ?2, ?3)", name, total.strategies.at(name),
                 seconds_of(total, name));
  }
  for (const auto& [cell, counts] : changed.cells) {
    const CellCounts& sum = total.cells.at(cell);
    database.run("INSERT OR REPLACE INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", cell.engine, cell.isa,
                 cell.path, cell.granularity, cell.bias, sum.cases, sum.elements, sum.differed);
    for (const auto& [cls, cases] : counts.classes) {
      database.run("INSERT OR REPLACE INTO cell_class VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", cell.engine, cell.isa,
                   cell.path, cell.granularity, cell.bias, cls, sum.classes.at(cls));
    }
  }
}

void replace_causes(Database& database, const RunSummary& run) {
  database.run("DELETE FROM cause");
  database.run("DELETE FROM by_cause");
  for (const auto& [name, cases] : run.cases_by_cause) {
    database.run("INSERT INTO by_cause VALUES (?1, ?2)", name, cases);
  }
  for (std::size_t i = 0; i < run.causes.size(); ++i) {
    const ReportedCause& cause = run.causes[i];
    database.run("INSERT INTO cause VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
                 static_cast<std::int64_t>(i), cause.text, cause.condition, cause.cases, join_lines(cause.diff),
                 join_lines(cause.picture), cause.case_line, cause.replay, cause.expected, cause.actual, cause.fresh,
                 cause.predicted, cause.fresh_differing, cause.explains);
  }
}

// NOLINTNEXTLINE(readability-function-size): one statement for each table, in their order
RunSummary read_run(Database& database) {
  RunSummary run;
  std::int64_t runs = 0;
  database.each("SELECT * FROM run", [&](const Row& row) {
    ++runs;
    run.command = row.text(0);
    run.subject = row.text(1);
    run.subject_digest = row.text(2);
    run.reference = row.text(3);
    run.machine = {.cpu = row.text(4),
                   .isa = row.text(5),
                   .libtorch = row.text(6),
                   .cores = static_cast<int>(row.integer(7)),
                   .variables = row.text(8)};
    run.domain = row.text(9);
    run.seed = database.number(row.text(10), 10);
    run.shard = {.index = row.integer(11), .count = row.integer(12)};
    run.started = row.integer(13);
    run.finished = row.integer(14) != 0;
    run.seconds = row.real(15);
    run.seconds_in_engine = row.real(16);
    run.workers = static_cast<int>(row.integer(17));
    run.hunting = row.integer(18) != 0;
  });
  if (runs != 1) database.refuse("it is damaged: it holds " + std::to_string(runs) + " runs, and not one");
  database.each("SELECT name FROM class ORDER BY position",
                [&](const Row& row) { run.classes.push_back(row.text(0)); });
  for (const StatusName& status : kStatusNames) {
    database.each(
        "SELECT cases FROM status WHERE name = ?1", [&](const Row& row) { run.cases.*status.count = row.integer(0); },
        status.recorded);
  }
  for (const auto& [table, member] : kTexts) {
    database.each(fmt::format("SELECT * FROM {}", table),
                  [&](const Row& row) { (run.*member)[row.text(0)] = row.integer(1); });
  }
  database.each("SELECT * FROM cause ORDER BY position", [&](const Row& row) {
    run.causes.push_back({.text = row.text(1),
                          .condition = row.text(2),
                          .diff = split_lines(row.text(4)),
                          .picture = split_lines(row.text(5)),
                          .case_line = row.text(6),
                          .replay = row.text(7),
                          .expected = static_cast<int>(row.integer(8)),
                          .actual = static_cast<int>(row.integer(9)),
                          .cases = row.integer(3),
                          .fresh_differing = row.integer(12),
                          .explains = row.integer(13),
                          .fresh = row.integer(10),
                          .predicted = row.integer(11)});
  });
  database.each("SELECT * FROM departure", [&](const Row& row) {
    run.departures[row.text(0)] = {.cases = row.integer(1), .elements = row.integer(2)};
  });
  database.each("SELECT * FROM strategy", [&](const Row& row) {
    run.strategies[row.text(0)] = row.integer(1);
    run.strategy_seconds[row.text(0)] = row.real(2);
  });
  database.each("SELECT * FROM cell", [&](const Row& row) {
    run.cells[cell_at(row)] = {
        .cases = row.integer(5), .elements = row.integer(6), .differed = row.integer(7), .classes = {}};
  });
  database.each("SELECT * FROM cell_class",
                [&](const Row& row) { run.cells[cell_at(row)].classes[row.text(5)] = row.integer(6); });
  return run;
}

std::uint64_t digest_of(const RunSummary& run) {
  Digest digest;
  const Machine& machine = run.machine;
  for (const std::string* text : {&run.command, &run.subject, &run.subject_digest, &run.reference, &machine.cpu,
                                  &machine.isa, &machine.libtorch, &machine.variables, &run.domain}) {
    digest.add(std::string_view(*text));
  }
  digest.add(run.seed);
  for (const std::int64_t number : {std::int64_t{machine.cores}, run.shard.index, run.shard.count, run.started,
                                    std::int64_t{run.finished}, std::int64_t{run.workers}, std::int64_t{run.hunting},
                                    std::ssize(run.classes), std::ssize(run.departures), std::ssize(run.strategies)}) {
    digest.add(std::int64_t{number});
  }
  digest.add(run.seconds);
  digest.add(run.seconds_in_engine);
  for (const std::string& cls : run.classes) digest.add(std::string_view(cls));
  for (const StatusName& status : kStatusNames) digest.add(run.cases.*status.count);
  for (const auto& [table, member] : kTexts) add(digest, run.*member);
  digest.add(std::ssize(run.causes));
  for (const ReportedCause& cause : run.causes) add(digest, cause);
  for (const auto& [text, departures] : run.departures) {
    digest.add(std::string_view(text));
    digest.add(departures.cases);
    digest.add(departures.elements);
  }
  for (const auto& [name, cases] : run.strategies) {
    digest.add(std::string_view(name));
    digest.add(cases);
    digest.add(seconds_of(run, name));
  }
  for (const auto& [cell, counts] : run.cells) {
    add(digest, cell);
    for (const std::int64_t count : {counts.cases, counts.elements, counts.differed}) digest.add(count);
    add(digest, counts.classes);
  }
  return digest.value();
}

}  // namespace tieout
