#include "reports/records/run_record.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cases/random.h"
#include "cases/testing/temporary_folder.h"
#include "reports/data/report.h"
#include "reports/records/record_files.h"

namespace tieout {
namespace {

using testing::HasSubstr;

class RunRecordTest : public testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  static RunSummary empty(Shard shard = {}) {
    return {.command = "tieout fuzz --seed 7",
            .subject = "scalar",
            .reference = "LibTorch 2.15.0",
            .machine = {.cpu = "a CPU", .isa = "avx2", .libtorch = "2.15.0", .cores = 2},
            .seed = 18446744073709551615U,  // too large for SQLite's integers
            .shard = shard,
            .started = 1'700'000'000,
            .cells = {{kCell, {}}},
            .classes = {"tie", "interior"},
            .workers = 2,
            .hunting = true};
  }

  // Returns block `number` with a finding and a case of every other kind.
  static RecordBlock block(std::int64_t number) {
    RecordBlock block{.number = number, .verdicts = ".D", .digest = 0xfedcba9876543210U, .counts = {}};
    RunSummary& counts = block.counts;
    counts.cases = {.passed = 1, .differed = 1};
    counts.reasons = {{"no 'reason' \"at all\"", 3}};
    counts.accepted_deviations = {{"follows exact sums", 2}};
    counts.departures = {{"pairs saturate", {.cases = 1, .elements = 5}}};
    counts.differences = {{"tie", 1}};
    counts.strategies = {{"ties", 2}};
    counts.strategy_seconds = {{"ties", 0.25}};
    counts.cells = {{kCell, {.cases = 2, .elements = 20, .differed = 1, .classes = {{"tie", 1}}}}};
    counts.findings = {{.case_line = "conv2d x=[1] w=[50]",
                        .original_line = "conv2d x=uniform",
                        .expected = {{1, 1, 1, 2}, {1, 255}},
                        .actual = {{1, 1, 1, 2}, {0, 255}},
                        .elements = {{.offset = 0, .expected = 1, .actual = 0, .accumulator = 50, .scaled = 0.1F}},
                        .mismatch_class = "tie",
                        .cell = kCell,
                        .index = 2 * number}};
    return block;
  }

  // Returns what a run has counted after these blocks.
  static RunSummary after(RunSummary run, std::int64_t blocks) {
    for (std::int64_t i = 0; i < blocks; ++i) {
      const RecordBlock one = block(i * run.shard.count + run.shard.index);
      merge(run, one.counts);
      run.findings.push_back(one.counts.findings.front());
    }
    run.seconds = static_cast<double>(blocks);
    return run;
  }

  void write(const std::string& name, const RunSummary& start, std::int64_t blocks) const {
    auto record = RunRecord::create(file(name), start);
    ASSERT_TRUE(record) << record.error();
    for (std::int64_t i = 0; i < blocks; ++i) {
      const auto written = record->append(block(i * start.shard.count + start.shard.index), after(start, i + 1));
      ASSERT_TRUE(written) << written.error();
    }
  }

  static inline const Cell kCell{
      .engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "bias"};

 private:
  TemporaryFolder folder_;
};

TEST_F(RunRecordTest, ReadsBackARun) {
  write("r", empty(), 3);
  const auto record = RunRecord::open(file("r"));
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->summary().value(), after(empty(), 3));
  const auto blocks = record->blocks().value();
  ASSERT_EQ(blocks.size(), 3U);
  EXPECT_EQ(blocks[2].number, 2);
  EXPECT_EQ(blocks[2].verdicts, ".D");
  EXPECT_EQ(blocks[2].digest, 0xfedcba9876543210U);
}

TEST_F(RunRecordTest, ContinuesAfterItsLastBlock) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  ASSERT_TRUE(record->append(block(2), after(empty(), 3)));
  EXPECT_EQ(record->summary().value(), after(empty(), 3));
}

// Two processes that write to one record would count the same cases twice.
TEST_F(RunRecordTest, KeepsCausesUntilABlockFollows) {
  write("r", empty(), 2);
  RunSummary diagnosed = after(empty(), 2);
  diagnosed.causes = {{.text = "the padding is 0",
                       .condition = "K >= 9",
                       .diff = {"- a", "+ b"},
                       .picture = {"kw 0", "   +"},
                       .case_line = "conv2d x=[1] w=[50]",
                       .replay = "tieout check 'conv2d x=[1] w=[50]'",
                       .expected = 1,
                       .actual = 255,
                       .cases = 1,
                       .fresh_differing = 3,
                       .explains = 4,
                       .fresh = 5,
                       .predicted = 6}};
  diagnosed.cases_by_cause = {{"the padding is 0, where K >= 9", 1}, {"unexplained", 1}};
  diagnosed.findings.front().cause = "the padding is 0";
  diagnosed.findings.front().condition = "K >= 9";
  auto record = RunRecord::open(file("r"));
  ASSERT_TRUE(record->note_causes(diagnosed));
  EXPECT_EQ(record->summary().value(), diagnosed);
  EXPECT_EQ(RunRecord::open(file("r"))->summary().value(), diagnosed);

  ASSERT_TRUE(record->append(block(2), after(empty(), 3)));
  const RunSummary continued = RunRecord::open(file("r"))->summary().value();
  EXPECT_TRUE(continued.causes.empty() && continued.cases_by_cause.empty());
  EXPECT_EQ(continued.findings.front().cause, "the padding is 0");
}

// The smallest case of a cause names the type of its values.
TEST_F(RunRecordTest, KeepsCausesOfInt8AndInt32Values) {
  struct Values {
    const char* line;
    std::int32_t expected, actual;
    bool kept;
  };
  for (const Values& values :
       {Values{"conv2d ytype=int8 x=[1] w=[50]", -128, 127, true},
        Values{"conv2d ytype=int8 x=[1] w=[50]", -129, 127, false},
        Values{"conv2d ytype=int8 x=[1] w=[50]", -128, 128, false},
        Values{"conv2d ytype=int32 x=[1] w=[50]", INT32_MIN, INT32_MAX, true},
        Values{"conv2d x=[1] w=[50]", 0, 255, true}, Values{"conv2d x=[1] w=[50]", -1, 255, false}}) {
    std::filesystem::remove(file("r"));
    write("r", empty(), 2);
    RunSummary diagnosed = after(empty(), 2);
    diagnosed.causes = {{.text = "a cause",
                         .condition = {},
                         .case_line = values.line,
                         .expected = values.expected,
                         .actual = values.actual,
                         .cases = 2}};
    diagnosed.cases_by_cause = {{"a cause", 2}};
    ASSERT_TRUE(RunRecord::open(file("r"))->note_causes(diagnosed));
    const auto record = RunRecord::open(file("r"), RunRecord::For::reading);
    EXPECT_EQ(record.has_value(), values.kept) << values.line << ' ' << values.expected;
    if (record) {
      EXPECT_EQ(record->summary().value(), diagnosed);
    }
  }
}

TEST_F(RunRecordTest, RefusesARepeatedBlock) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  const auto again = record->append(block(1), after(empty(), 3));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error(), HasSubstr("another process"));
  EXPECT_EQ(record->summary().value(), after(empty(), 2));
}

TEST_F(RunRecordTest, RefusesToWriteOverAFile) {
  write("r", empty(), 1);
  EXPECT_THAT(RunRecord::create(file("r"), empty()).error(), HasSubstr("exists already"));
  EXPECT_EQ(RunRecord::open(file("r"))->summary().value(), after(empty(), 1));
}

// A process that is killed at any time leaves a complete record or none, and the next one starts as if nothing were
// there. Each try kills later by a fixed ratio, because the time to make a record depends on the disk.
TEST_F(RunRecordTest, IsCreatedCompletely) {
  const RunSummary run = empty();
  int none = 0;
  int whole = 0;
  for (double after = 10; whole < 20; after *= 1.03) {  // after: microseconds
    ASSERT_LT(after, 30e6) << "no record is made in half a minute";
    const pid_t pid = fork();
    if (pid == 0) {
      (void)RunRecord::create(file("r"), run);
      _exit(0);
    }
    std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(after));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    if (!std::filesystem::exists(file("r"))) {
      ++none;
      continue;
    }
    ++whole;
    const auto record = RunRecord::open(file("r"), RunRecord::For::reading);
    EXPECT_TRUE(record) << record.error();
    std::filesystem::remove(file("r"));
  }
  EXPECT_GT(none, 0);
  EXPECT_TRUE(RunRecord::create(file("r"), run));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(file("r").parent_path()), {}), 1);
}

TEST_F(RunRecordTest, ShardsBecomeOneRunAndTheSameShardCountsOnce) {
  write("first", empty({.index = 0, .count = 2}), 2);
  write("second", empty({.index = 1, .count = 2}), 3);
  write("second, cut short", empty({.index = 1, .count = 2}), 1);
  const auto runs = read_records({file("second, cut short"), file("first"), file("second"), file("first")});
  ASSERT_TRUE(runs) << runs.error();
  ASSERT_EQ(runs->size(), 1U);
  const RunSummary& run = runs->front();
  EXPECT_EQ(run.cases.all(), 10);
  EXPECT_EQ(run.shard, Shard{});
  EXPECT_EQ(run.seconds, 3);  // the shards ran concurrently
  EXPECT_EQ(run.workers, 4);
  ASSERT_EQ(run.findings.size(), kKeptPerKind);  // five findings of one kind, of which kKeptPerKind are kept
  for (std::size_t i = 1; i < run.findings.size(); ++i) {
    EXPECT_LT(run.findings[i - 1].index, run.findings[i].index);
  }
}

TEST_F(RunRecordTest, AShardThatIsMissingLeavesTheRunUnfinished) {
  write("first", empty({.index = 0, .count = 2}), 2);
  const auto runs = read_records({file("first")});
  EXPECT_FALSE(runs->front().finished);
  EXPECT_EQ(runs->front().shard.count, 2);
}

TEST_F(RunRecordTest, MergedShardsAreOneRecord) {
  write("whole", empty(), 4);
  write("first", empty({.index = 0, .count = 2}), 2);
  write("second", empty({.index = 1, .count = 2}), 2);
  const auto merged = merge_records(file("merged"), {file("second"), file("first"), file("second")});
  ASSERT_TRUE(merged) << merged.error();
  RunSummary one = RunRecord::open(file("merged"))->summary().value();
  RunSummary whole = RunRecord::open(file("whole"))->summary().value();
  EXPECT_EQ(one.workers, 4);
  one.workers = whole.workers;
  one.seconds = whole.seconds;
  EXPECT_EQ(one, whole);
  const auto blocks = RunRecord::open(file("merged"))->blocks().value();
  ASSERT_EQ(blocks.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(blocks[i].number, static_cast<std::int64_t>(i));

  RunSummary other = empty();
  other.seed = 8;
  write("other", other, 1);
  const auto refused = merge_records(file("both"), {file("whole"), file("other")});
  EXPECT_THAT(refused.error(), HasSubstr("2 different runs"));
  EXPECT_EQ(read_records({file("whole"), file("other")})->size(), 2U);
}

TEST_F(RunRecordTest, ReportsInvalidFiles) {
  const auto error_of = [&](const std::string& name) {
    const auto runs = read_records({file(name)});
    return runs ? "none" : runs.error();
  };
  EXPECT_THAT(error_of("absent"), HasSubstr("absent: there is no such file; name a run record"));
  std::ofstream(file("empty")).close();
  EXPECT_THAT(error_of("empty"), HasSubstr("not a run record of Tieout; name a run record"));

  std::ofstream(file("text")) << "no database, but long enough to look at: " << std::string(2000, 'x');
  EXPECT_THAT(error_of("text"), HasSubstr("not a run record; name a run record"));

  std::ofstream(file("nothing")).close();
  EXPECT_THAT(error_of("nothing"), HasSubstr("not a run record"));

  write("cut", empty(), 40);
  std::filesystem::resize_file(file("cut"), std::filesystem::file_size(file("cut")) / 2);
  EXPECT_THAT(error_of("cut"), HasSubstr("damaged"));

  write("later", empty(), 1);
  std::fstream later(file("later"), std::ios::in | std::ios::out | std::ios::binary);
  later.seekp(60);  // position of user_version in SQLite's header, big-endian
  later.write("\0\0\0\7", 4);
  later.close();
  EXPECT_THAT(error_of("later"), HasSubstr("schema is version 7"));
}

// After an error because of a full disk, the earlier contents are intact, and the run can continue once there is space.
TEST_F(RunRecordTest, SurvivesAFullDisk) {
  write("r", empty(), 2);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit full{std::filesystem::file_size(file("r")), before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &full);
  auto record = RunRecord::open(file("r"));
  RecordBlock large = block(2);
  large.verdicts = std::string(1 << 20, '.');
  const auto written = record->append(large, after(empty(), 3));
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error(), HasSubstr("is intact"));
  EXPECT_EQ(RunRecord::open(file("r"))->summary().value(), after(empty(), 2));
  EXPECT_TRUE(record->append(block(2), after(empty(), 3)));
  EXPECT_EQ(record->summary().value(), after(empty(), 3));
}

// With fewer blocks than shards, some shards have none, and their records show that.
TEST_F(RunRecordTest, AShardWithoutBlocksIsNotMissing) {
  RunSummary none = empty({.index = 1, .count = 2});
  none.finished = true;
  write("first", empty({.index = 0, .count = 2}), 1);
  write("second", none, 0);
  ASSERT_TRUE(RunRecord::open(file("second"))->update(none));
  RunSummary done = after(empty({.index = 0, .count = 2}), 1);
  done.finished = true;
  ASSERT_TRUE(RunRecord::open(file("first"))->update(done));
  const auto runs = read_records({file("second"), file("first"), file("second")});
  ASSERT_TRUE(runs) << runs.error();
  ASSERT_EQ(runs->size(), 1U);
  EXPECT_TRUE(runs->front().incomplete.empty()) << runs->front().incomplete.front();
  EXPECT_TRUE(runs->front().finished);
  EXPECT_EQ(runs->front().cases.all(), 2);
  EXPECT_TRUE(merge_records(file("merged"), {file("first"), file("second")}));
  EXPECT_FALSE(merge_records(file("half"), {file("second")}));
}

TEST_F(RunRecordTest, ReportsThatItWasMoved) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  std::filesystem::rename(file("r"), file("elsewhere"));
  const auto written = record->append(block(2), after(empty(), 3));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error(), HasSubstr("moved or removed while it was open"));
  std::filesystem::rename(file("elsewhere"), file("r"));
  EXPECT_TRUE(record->append(block(2), after(empty(), 3)));
}

// The error occurs at opening, and not at the first block.
TEST_F(RunRecordTest, ReportsThatItIsReadOnly) {
  write("r", empty(), 2);
  using std::filesystem::perms;
  std::filesystem::permissions(file("r"), perms::owner_read | perms::group_read | perms::others_read);
  std::filesystem::permissions(file("r").parent_path(),
                               perms::group_read | perms::group_exec | perms::others_read | perms::others_exec,
                               std::filesystem::perm_options::add);
  constexpr uid_t kNobody = 65534;  // root may write every file
  const uid_t self = geteuid();
  if (self == 0) {
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  const auto changed = RunRecord::open(file("r"));
  const auto read = RunRecord::open(file("r"), RunRecord::For::reading);
  if (self == 0) {
    ASSERT_EQ(seteuid(self), 0);
  }
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error(), HasSubstr("may be read and not written"));
  EXPECT_TRUE(read);
}

// Tests changes of the record by other programs.
class ChangedRecordTest : public RunRecordTest {
 protected:
  void SetUp() override { write("r", empty(), 3); }

  void execute(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file("r").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  [[nodiscard]] std::string error() const {
    const auto runs = read_records({file("r")});
    return runs ? "" : runs.error();
  }
};

// A flipped bit never changes the report: it is detected, or it is in a place that is not read.
TEST_F(ChangedRecordTest, AFlippedBitIsDetected) {
  const RunSummary right = RunRecord::open(file("r"), RunRecord::For::reading)->summary().value();
  std::ifstream in(file("r"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  Random random(26);
  int seen = 0;
  for (int tries = 0; tries < 1500; ++tries) {
    const std::int64_t bit = random.between(0, std::ssize(bytes) * 8 - 1);
    std::string flipped = bytes;
    flipped[static_cast<std::size_t>(bit / 8)] ^= static_cast<char>(1U << (bit % 8));
    std::ofstream(file("flipped"), std::ios::binary) << flipped;
    const auto runs = read_records({file("flipped")});
    seen += runs ? 0 : 1;
    EXPECT_TRUE(!runs || runs->front() == right) << "bit " << bit;
    std::filesystem::remove(file("flipped"));
  }
  EXPECT_GT(seen, 100);
}

TEST_F(ChangedRecordTest, EveryEditIsDetected) {
  for (const char* edit : {"UPDATE run SET command = 'tieout fuzz --seed 8'",
                           "UPDATE run SET cpu = ''",
                           "UPDATE run SET seconds = 1e300",
                           "UPDATE run SET finished = 0",
                           "UPDATE status SET cases = cases + 1 WHERE name = 'passed'",
                           "UPDATE reason SET cases = 4",
                           "UPDATE reason SET text = 'another'",
                           "INSERT INTO excused VALUES ('x', 1)",
                           "UPDATE difference SET kind = 'rounding'",
                           "UPDATE strategy SET seconds = 9",
                           "UPDATE class SET name = 'other' WHERE position = 0",
                           "UPDATE cell SET elements = 61",
                           "UPDATE cell_class SET cases = 2",
                           "DELETE FROM cell_class",
                           "UPDATE block SET verdicts = 'D.' WHERE number = 1",
                           "UPDATE block SET digest = '00' WHERE number = 1",
                           "DELETE FROM block WHERE number = 2",
                           "UPDATE finding SET case_line = 'conv2d' WHERE id = 1",
                           "UPDATE finding SET json = replace(json, '255', '254')",
                           "DELETE FROM finding WHERE id = 3",
                           "UPDATE finding SET json = 'x'",
                           "DELETE FROM digest",
                           "UPDATE digest SET value = 'y'",
                           "INSERT INTO run SELECT * FROM run",
                           "DELETE FROM run"}) {
    std::filesystem::copy_file(file("r"), file("kept"), std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(error(), "");
    execute(edit);
    EXPECT_NE(error(), "") << edit;
    std::filesystem::copy_file(file("kept"), file("r"), std::filesystem::copy_options::overwrite_existing);
  }
}

// Views and triggers could run without end, and a column could be computed from others: none of them is run.
TEST_F(ChangedRecordTest, OtherTablesAreRefused) {
  for (const char* edit :
       {("DROP TABLE reason; CREATE VIEW reason AS WITH RECURSIVE n(text, cases) AS (SELECT 'x', 1 UNION ALL SELECT "
         "text || cases, cases + 1 FROM n) SELECT * FROM n"),
        "CREATE TABLE more (x)", "CREATE INDEX more ON cell (engine)",
        "CREATE TRIGGER more AFTER UPDATE ON run BEGIN DELETE FROM block; END",
        "ALTER TABLE finding ADD COLUMN more TEXT GENERATED ALWAYS AS (hex(zeroblob(100000000)))",
        "ALTER TABLE block RENAME COLUMN digest TO other"}) {
    std::filesystem::copy_file(file("r"), file("kept"), std::filesystem::copy_options::overwrite_existing);
    execute(edit);
    EXPECT_THAT(error(), HasSubstr("its tables are not those")) << edit << ": " << error();
    std::filesystem::copy_file(file("kept"), file("r"), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(ChangedRecordTest, AnotherSizeIsDetected) {
  const std::uintmax_t size = std::filesystem::file_size(file("r"));
  for (const std::uintmax_t wrong : {size - 4096, size - 1, size + 1, size + 4096, std::uintmax_t{4096}}) {
    std::filesystem::copy_file(file("r"), file("kept"), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(file("r"), wrong);
    EXPECT_THAT(error(), HasSubstr("damaged")) << wrong << ": " << error();
    std::filesystem::copy_file(file("kept"), file("r"), std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(ChangedRecordTest, AnotherProgramsJournalIsRefused) {
  std::ofstream(file("r-wal")) << "x";
  EXPECT_THAT(error(), HasSubstr("r-wal lies beside it"));
  std::filesystem::remove(file("r-wal"));
  std::ofstream(file("r-journal"), std::ios::binary)
      << std::string(600, 'x') << "/etc/passwd" << std::string_view("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
  EXPECT_THAT(error(), HasSubstr("a transaction on several files"));
}

// Leaves the record like a process that was killed within a transaction, with its pages half written.
class KilledWriterTest : public ChangedRecordTest {
 protected:
  void SetUp() override {
    write("r", empty(), 100);
    right_ = RunRecord::open(file("r"), RunRecord::For::reading)->summary().value();
    const pid_t pid = fork();
    if (pid == 0) {
      sqlite3* database = nullptr;
      sqlite3_open(file("r").c_str(), &database);
      sqlite3_exec(database,
                   "PRAGMA cache_size = 1; BEGIN; UPDATE finding SET json = json || 'x'; UPDATE reason SET cases = 9",
                   nullptr, nullptr, nullptr);
      _exit(9);
    }
    waitpid(pid, nullptr, 0);
    ASSERT_TRUE(std::filesystem::exists(file("r-journal")));
  }

  RunSummary right_;
};

TEST_F(KilledWriterTest, ItsRecordIsReadWithoutChanges) {
  const auto stamp = std::filesystem::last_write_time(file("r"));
  const auto record = RunRecord::open(file("r"), RunRecord::For::reading);
  ASSERT_TRUE(record) << record.error();
  EXPECT_EQ(record->summary().value(), right_);
  EXPECT_EQ(std::filesystem::last_write_time(file("r")), stamp);
  EXPECT_TRUE(std::filesystem::exists(file("r-journal")));
}

TEST_F(KilledWriterTest, ItsRecordCanBeContinued) {
  auto record = RunRecord::open(file("r"));
  ASSERT_TRUE(record) << record.error();
  EXPECT_TRUE(record->append(block(100), after(empty(), 101)));
  RunSummary expected = after(empty(), 101);
  find_missing_classes(expected);
  EXPECT_EQ(record->summary().value(), expected);
}

// The journal of a removed record must not be applied to the new one.
TEST_F(KilledWriterTest, ItsJournalIsNotAppliedToANewRecord) {
  std::filesystem::remove(file("r"));
  write("r", empty(), 2);
  EXPECT_EQ(RunRecord::open(file("r"), RunRecord::For::reading)->summary().value(), after(empty(), 2));
  EXPECT_FALSE(std::filesystem::exists(file("r-journal")));
}

TEST_F(KilledWriterTest, ItsJournalIsNotMergedIntoANewRecord) {
  std::filesystem::remove(file("r"));
  write("one", empty(), 2);
  ASSERT_TRUE(merge_records(file("r"), {file("one")}));
  EXPECT_EQ(RunRecord::open(file("r"), RunRecord::For::reading)->summary().value(), after(empty(), 2));
}

// Only journals are removed: another file with such a name stays.
TEST_F(RunRecordTest, AFileThatIsNoJournalIsKept) {
  std::ofstream(file("r-journal")) << "notes";
  const auto refused = RunRecord::create(file("r"), empty());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("move it away"));
  EXPECT_TRUE(std::filesystem::exists(file("r-journal")));
  for (const char* neighbour : {"q.new", "q.draft"}) std::ofstream(file(neighbour)) << "notes";
  EXPECT_TRUE(RunRecord::create(file("q"), empty()));
  EXPECT_TRUE(std::filesystem::exists(file("q.new")) && std::filesystem::exists(file("q.draft")));
}

TEST_F(RunRecordTest, RefusesAnythingButRegularFiles) {
  ASSERT_EQ(mkfifo(file("fifo").c_str(), 0600), 0);
  for (const std::filesystem::path& path : {file("fifo"), file(""), std::filesystem::path("/dev/zero")}) {
    const auto record = RunRecord::open(path, RunRecord::For::reading);
    ASSERT_FALSE(record) << path;
    EXPECT_THAT(record.error(), HasSubstr("not a regular file"));
  }
}

// Missing shards are counted, and only some are named, however many there are.
TEST_F(RunRecordTest, ManyMissingShardsAreCounted) {
  write("one", empty({.index = 5, .count = 4'000'000'000'000'000'000}), 1);
  const auto runs = read_records({file("one")});
  ASSERT_TRUE(runs) << runs.error();
  EXPECT_EQ(runs->front().incomplete.size(), 9U);
  EXPECT_EQ(runs->front().incomplete.back(), "and 3999999999999999991 more shards are missing");
}

// A library that was rebuilt is another subject.
TEST_F(RunRecordTest, ShardsOfDifferentSubjectsAreNotMerged) {
  RunSummary other = empty({.index = 1, .count = 2});
  other.subject_digest = "1";
  write("first", empty({.index = 0, .count = 2}), 2);
  write("second", other, 2);
  const auto merged = merge_records(file("merged"), {file("first"), file("second")});
  ASSERT_FALSE(merged);
  EXPECT_THAT(merged.error(), HasSubstr("2 different runs"));
}

}  // namespace
}  // namespace tieout
