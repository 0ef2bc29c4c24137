#include "reports/run_record.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <charconv>
#include <utility>

#include "reports/database.h"
#include "reports/finding_json.h"
#include "reports/output_file.h"

namespace tieout {
namespace {

constexpr int kApplication = 0x5449454f;  // "TIEO": what tells a run record from other SQLite files
constexpr int kSchemaVersion = 2;

constexpr const char* kSchema = R"(
CREATE TABLE run (command TEXT NOT NULL, subject TEXT NOT NULL, reference TEXT NOT NULL, cpu TEXT NOT NULL,
  isa TEXT NOT NULL, libtorch TEXT NOT NULL, cores INTEGER NOT NULL, seed TEXT NOT NULL, shard INTEGER NOT NULL,
  shards INTEGER NOT NULL, started INTEGER NOT NULL, finished INTEGER NOT NULL, seconds REAL NOT NULL,
  seconds_in_engine REAL NOT NULL, workers INTEGER NOT NULL, hunting INTEGER NOT NULL,
  variables TEXT NOT NULL, domain TEXT NOT NULL);
CREATE TABLE status (name TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE reason (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE declined (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE excused (text TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE departure (text TEXT PRIMARY KEY, cases INTEGER NOT NULL, elements INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE difference (kind TEXT PRIMARY KEY, cases INTEGER NOT NULL) WITHOUT ROWID;
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
)";

constexpr std::array<std::pair<const char*, std::int64_t CaseCounts::*>, 7> kStatuses{
    {{"passed", &CaseCounts::passed},
     {"differed", &CaseCounts::differed},
     {"skipped", &CaseCounts::skipped},
     {"mistrusted", &CaseCounts::mistrusted},
     {"crashed", &CaseCounts::crashed},
     {"errored", &CaseCounts::errored},
     {"starved", &CaseCounts::starved}}};

void add_counts(Database& database, const RunSummary& counts) {
  for (const auto& [name, member] : kStatuses) {
    database.run("INSERT INTO status VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cases = cases + ?2", name,
                 counts.cases.*member);
  }
  for (const auto& [text, cases] : counts.reasons) {
    database.run("INSERT INTO reason VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cases = cases + ?2", text, cases);
  }
  for (const auto& [text, cases] : counts.declined) {
    database.run("INSERT INTO declined VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cases = cases + ?2", text, cases);
  }
  for (const auto& [text, cases] : counts.excused) {
    database.run("INSERT INTO excused VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cases = cases + ?2", text, cases);
  }
  for (const auto& [text, departures] : counts.departures) {
    database.run(
        "INSERT INTO departure VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET cases = cases + ?2, "
        "elements = elements + ?3",
        text, departures.cases, departures.elements);
  }
  for (const auto& [kind, cases] : counts.differences) {
    database.run("INSERT INTO difference VALUES (?1, ?2) ON CONFLICT DO UPDATE SET cases = cases + ?2", kind, cases);
  }
  for (const auto& [name, cases] : counts.strategies) {
    const auto seconds = counts.strategy_seconds.find(name);
    database.run(
        "INSERT INTO strategy VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET cases = cases + ?2, seconds = seconds + ?3",
        name, cases, seconds == counts.strategy_seconds.end() ? 0.0 : seconds->second);
  }
  for (const auto& [cell, sum] : counts.cells) {
    database.run(
        "INSERT INTO cell VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET cases = cases + ?6, "
        "elements = elements + ?7, differed = differed + ?8",
        cell.engine, cell.isa, cell.path, cell.granularity, cell.bias, sum.cases, sum.elements, sum.differed);
    for (const auto& [cls, cases] : sum.classes) {
      database.run(
          "INSERT INTO cell_class VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET cases = cases + ?7",
          cell.engine, cell.isa, cell.path, cell.granularity, cell.bias, cls, cases);
    }
  }
}

void read_counts(Database& database, RunSummary& run) {
  for (const auto& [name, member] : kStatuses) {
    database.each(
        "SELECT cases FROM status WHERE name = ?1", [&](const Row& row) { run.cases.*member = row.integer(0); }, name);
  }
  database.each("SELECT text, cases FROM reason", [&](const Row& row) { run.reasons[row.text(0)] = row.integer(1); });
  database.each("SELECT text, cases FROM declined",
                [&](const Row& row) { run.declined[row.text(0)] = row.integer(1); });
  database.each("SELECT text, cases FROM excused", [&](const Row& row) { run.excused[row.text(0)] = row.integer(1); });
  database.each("SELECT text, cases, elements FROM departure", [&](const Row& row) {
    run.departures[row.text(0)] = {.cases = row.integer(1), .elements = row.integer(2)};
  });
  database.each("SELECT kind, cases FROM difference",
                [&](const Row& row) { run.differences[row.text(0)] = row.integer(1); });
  database.each("SELECT name, cases, seconds FROM strategy", [&](const Row& row) {
    run.strategies[row.text(0)] = row.integer(1);
    run.strategy_seconds[row.text(0)] = row.real(2);
  });
  const auto cell_at = [](const Row& row) {
    return Cell{row.text(0), row.text(1), row.text(2), row.text(3), row.text(4)};
  };
  database.each("SELECT * FROM cell", [&](const Row& row) {
    run.cells[cell_at(row)] = {
        .cases = row.integer(5), .elements = row.integer(6), .differed = row.integer(7), .classes = {}};
  });
  database.each("SELECT * FROM cell_class",
                [&](const Row& row) { run.cells[cell_at(row)].classes[row.text(5)] = row.integer(6); });
}

// Damage shows when it is met, which may be late: so the whole file is looked through before it is trusted.
void verify_schema(Database& database) {
  std::int64_t application = 0;
  std::int64_t version = 0;
  database.each("PRAGMA application_id", [&](const Row& row) { application = row.integer(0); });
  database.each("PRAGMA user_version", [&](const Row& row) { version = row.integer(0); });
  if (application != kApplication) database.refuse("this is not a run record of Tieout");
  if (version != kSchemaVersion) {
    database.refuse(
        fmt::format("its schema is version {}, and this Tieout reads version {}: use the Tieout that wrote it", version,
                    kSchemaVersion));
  }
  database.each("PRAGMA quick_check(1)", [&](const Row& row) {
    if (row.text(0) != "ok") database.refuse("it is damaged: " + row.text(0));
  });
}

// 64 bits do not fit SQLite's integers.
std::uint64_t number_of(Database& database, const std::string& text, int base) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    database.refuse("it is damaged: '" + text + "' is no number");
  }
  return value;
}

// What no writer of ours leaves behind.
void verify_contents(Database& database, const RunSummary& run) {
  std::int64_t runs = 0;
  std::int64_t cases = 0;
  database.each("SELECT count(*) FROM run", [&](const Row& row) { runs = row.integer(0); });
  database.each("SELECT total(length(verdicts)) FROM block", [&](const Row& row) { cases = row.integer(0); });
  if (runs != 1) database.refuse("it is damaged: it holds " + std::to_string(runs) + " runs, and not one");
  if (cases != run.cases.all()) database.refuse("it is damaged: its blocks and its counts do not belong together");
}

void remove_database(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  std::filesystem::remove(file.string() + "-journal", ignored);
}

// A record of no block. What is wrong, or "".
std::string write_first(const std::filesystem::path& file, const RunSummary& run) {
  Database database(file, Database::Mode::create);
  database.run("BEGIN IMMEDIATE");
  database.script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", kApplication, kSchemaVersion));
  database.script(kSchema);
  database.run("INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, 0, 0, ?12, ?13, ?14, ?15)",
               run.command, run.subject, run.reference, run.machine.cpu, run.machine.isa, run.machine.libtorch,
               run.machine.cores, std::to_string(run.seed), run.shard.index, run.shard.count, run.started, run.workers,
               run.hunting ? 1 : 0, run.machine.variables, run.domain);
  for (std::size_t i = 0; i < run.classes.size(); ++i) {
    database.run("INSERT INTO class VALUES (?1, ?2)", static_cast<std::int64_t>(i), run.classes[i]);
  }
  add_counts(database, run);  // the cells that are aimed at, with nothing in them
  database.run("COMMIT");
  return database.error();
}

}  // namespace

struct RunRecord::State {
  Database database;
};

RunRecord::RunRecord(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunRecord::RunRecord(RunRecord&&) noexcept = default;
RunRecord& RunRecord::operator=(RunRecord&&) noexcept = default;
RunRecord::~RunRecord() = default;

tl::expected<RunRecord, RunRecord::Error> RunRecord::create(const std::filesystem::path& file, const RunSummary& run) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
    return tl::unexpected(file.string() + ": exists already; name another file, or remove it");
  }
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  // Under another name until it is whole: who is killed in between leaves no record that is none.
  remove_abandoned_drafts(file.parent_path());
  const std::filesystem::path unfinished = unused_path_beside(file);
  if (const std::string failure = write_first(unfinished, run); !failure.empty()) {
    remove_database(unfinished);
    return tl::unexpected(failure);
  }
  std::filesystem::rename(unfinished, file, error);
  if (error) {
    remove_database(unfinished);
    return tl::unexpected(file.string() + ": " + error.message() + "; name another file");
  }
  return open(file);
}

tl::expected<RunRecord, RunRecord::Error> RunRecord::open(const std::filesystem::path& file, For what) {
  auto state = std::make_unique<State>(
      State{Database(file, what == For::reading ? Database::Mode::read : Database::Mode::change)});
  verify_schema(state->database);
  if (!state->database.error().empty()) return tl::unexpected(state->database.error());
  return RunRecord(std::move(state));
}

tl::expected<void, RunRecord::Error> RunRecord::append(const RecordBlock& block, const RunSummary& run) {
  Database& database = state_->database;
  database.run("BEGIN IMMEDIATE");
  // A number that is there already is refused: two processes at work on one record would count twice.
  database.run("INSERT INTO block VALUES (?1, ?2, ?3)", block.number, block.verdicts,
               fmt::format("{:016x}", block.digest));
  add_counts(database, block.counts);
  for (const Finding& finding : block.counts.findings) {
    database.run("INSERT INTO finding VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7)", finding.index, kind_of(finding),
                 finding.cell.engine, finding.cell.isa, finding.cell.path, finding.case_line, to_json(finding));
  }
  set_times(database, run);
  database.run("COMMIT");
  return end(database);
}

tl::expected<void, RunRecord::Error> RunRecord::update(const RunSummary& run) {
  set_times(state_->database, run);
  return end(state_->database);
}

void RunRecord::set_times(Database& database, const RunSummary& run) {
  database.run("UPDATE run SET finished = ?1, seconds = ?2, seconds_in_engine = ?3, workers = ?4", run.finished ? 1 : 0,
               run.seconds, run.seconds_in_engine, run.workers);
}

tl::expected<void, RunRecord::Error> RunRecord::end(Database& database) {
  if (database.error().empty()) return {};
  const std::string error = database.error();
  database.forget_error();
  database.run("ROLLBACK");
  database.forget_error();
  return tl::unexpected(error);
}

tl::expected<RunSummary, RunRecord::Error> RunRecord::summary() const {
  Database& database = state_->database;
  RunSummary run;
  database.each("SELECT * FROM run", [&](const Row& row) {
    run.command = row.text(0);
    run.subject = row.text(1);
    run.reference = row.text(2);
    run.machine = {.cpu = row.text(3),
                   .isa = row.text(4),
                   .libtorch = row.text(5),
                   .cores = static_cast<int>(row.integer(6)),
                   .variables = row.text(16)};
    run.seed = number_of(database, row.text(7), 10);
    run.shard = {.index = row.integer(8), .count = row.integer(9)};
    run.started = row.integer(10);
    run.finished = row.integer(11) != 0;
    run.seconds = row.real(12);
    run.seconds_in_engine = row.real(13);
    run.workers = static_cast<int>(row.integer(14));
    run.hunting = row.integer(15) != 0;
    run.domain = row.text(17);
  });
  database.each("SELECT name FROM class ORDER BY position",
                [&](const Row& row) { run.classes.push_back(row.text(0)); });
  read_counts(database, run);
  database.each("SELECT json FROM finding ORDER BY case_index, id", [&](const Row& row) {
    if (auto finding = finding_from_json(row.text(0))) {
      run.findings.push_back(std::move(*finding));
    } else {
      database.refuse("a finding in it cannot be read: " + finding.error());
    }
  });
  verify_contents(database, run);
  if (!database.error().empty()) return tl::unexpected(database.error());
  find_missing_classes(run);
  return run;
}

tl::expected<std::vector<RecordBlock>, RunRecord::Error> RunRecord::blocks() const {
  std::vector<RecordBlock> blocks;
  state_->database.each("SELECT number, verdicts, digest FROM block ORDER BY number", [&](const Row& row) {
    blocks.push_back({.number = row.integer(0),
                      .verdicts = row.text(1),
                      .digest = number_of(state_->database, row.text(2), 16),
                      .counts = {}});
  });
  if (!state_->database.error().empty()) return tl::unexpected(state_->database.error());
  return blocks;
}

}  // namespace tieout
