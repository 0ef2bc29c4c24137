#include "reports/run_record.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "reports/record_files.h"
#include "reports/report.h"

namespace tieout {
namespace {

class RunRecordTest : public testing::Test {
 protected:
  RunRecordTest() { std::filesystem::create_directories(folder_); }
  ~RunRecordTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path file(const std::string& name) const { return folder_ / name; }

  static RunSummary empty(Shard shard = {}) {
    return {.command = "tieout fuzz --seed 7",
            .subject = "scalar",
            .reference = "LibTorch 2.15.0",
            .machine = {.cpu = "a CPU", .isa = "avx2", .libtorch = "2.15.0", .cores = 2},
            .seed = 18446744073709551615U,  // does not fit SQLite's integers
            .shard = shard,
            .started = 1'700'000'000,
            .cells = {{kCell, {}}},
            .classes = {"tie", "interior"},
            .workers = 2,
            .hunting = true};
  }

  // Block `number` with a finding and a case of every other kind.
  static RecordBlock block(std::int64_t number) {
    RecordBlock block{.number = number, .verdicts = ".D", .digest = 0xfedcba9876543210U, .counts = {}};
    RunSummary& counts = block.counts;
    counts.cases = {.passed = 1, .differed = 1};
    counts.reasons = {{"no 'reason' \"at all\"", 3}};
    counts.excused = {{"follows exact sums", 2}};
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
                        .diff_class = "tie",
                        .cell = kCell,
                        .index = 2 * number}};
    return block;
  }

  // What a run has counted after these blocks.
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
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("a record " + std::to_string(getpid()));
};

TEST_F(RunRecordTest, GivesBackWhatWasWritten) {
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

TEST_F(RunRecordTest, GoesOnWhereItEnded) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  ASSERT_TRUE(record->append(block(2), after(empty(), 3)));
  EXPECT_EQ(record->summary().value(), after(empty(), 3));
}

// Two processes at work on one record would count the same cases twice.
TEST_F(RunRecordTest, RefusesABlockThatItHas) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  const auto again = record->append(block(1), after(empty(), 3));
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().find("another process"), std::string::npos) << again.error();
  EXPECT_EQ(record->summary().value(), after(empty(), 2));
}

TEST_F(RunRecordTest, RefusesToWriteOverAFile) {
  write("r", empty(), 1);
  EXPECT_NE(RunRecord::create(file("r"), empty()).error().find("exists already"), std::string::npos);
  EXPECT_EQ(RunRecord::open(file("r"))->summary().value(), after(empty(), 1));
}

// Killed at any moment it leaves a whole record or none; the next one begins as if nothing were there. The moment comes
// later with each try, by a share of itself: how long a record takes to make is the disk's affair.
TEST_F(RunRecordTest, IsNeverHalfMade) {
  const RunSummary run = empty();
  int none = 0;
  int whole = 0;
  for (double after = 10; whole < 20; after *= 1.03) {  // microseconds
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
  EXPECT_EQ(run.seconds, 3);  // side by side
  EXPECT_EQ(run.workers, 4);
  ASSERT_EQ(run.findings.size(), kKeptPerKind);  // of the five, which are of one kind
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
  EXPECT_NE(refused.error().find("2 different runs"), std::string::npos) << refused.error();
  EXPECT_EQ(read_records({file("whole"), file("other")})->size(), 2U);
}

TEST_F(RunRecordTest, SaysWhatIsWrongWithAFile) {
  const auto error_of = [&](const std::string& name) {
    const auto runs = read_records({file(name)});
    return runs ? "none" : runs.error();
  };
  EXPECT_NE(error_of("absent").find("absent: unable to open"), std::string::npos) << error_of("absent");

  std::ofstream(file("text")) << "no database, but long enough to look at: " << std::string(2000, 'x');
  EXPECT_NE(error_of("text").find("not a run record"), std::string::npos) << error_of("text");

  std::ofstream(file("nothing")).close();
  EXPECT_NE(error_of("nothing").find("not a run record"), std::string::npos) << error_of("nothing");

  write("cut", empty(), 40);
  std::filesystem::resize_file(file("cut"), std::filesystem::file_size(file("cut")) / 2);
  EXPECT_NE(error_of("cut").find("damaged"), std::string::npos) << error_of("cut");

  write("later", empty(), 1);
  std::fstream later(file("later"), std::ios::in | std::ios::out | std::ios::binary);
  later.seekp(60);  // user_version, big-endian, in SQLite's header
  later.write("\0\0\0\7", 4);
  later.close();
  EXPECT_NE(error_of("later").find("schema is version 7"), std::string::npos) << error_of("later");
}

// A disk that is full: what was there before stays, and it can go on once there is room.
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
  EXPECT_NE(written.error().find("is intact"), std::string::npos) << written.error();
  EXPECT_EQ(RunRecord::open(file("r"))->summary().value(), after(empty(), 2));
  EXPECT_TRUE(record->append(block(2), after(empty(), 3)));
  EXPECT_EQ(record->summary().value(), after(empty(), 3));
}

// With fewer blocks than shards some have none, and say so.
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

TEST_F(RunRecordTest, SaysThatItWasMoved) {
  write("r", empty(), 2);
  auto record = RunRecord::open(file("r"));
  std::filesystem::rename(file("r"), file("elsewhere"));
  const auto written = record->append(block(2), after(empty(), 3));
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().find("moved or removed while it was open"), std::string::npos) << written.error();
  std::filesystem::rename(file("elsewhere"), file("r"));
  EXPECT_TRUE(record->append(block(2), after(empty(), 3)));
}

// Told when it is opened, and not at the first block.
TEST_F(RunRecordTest, SaysThatItMayNotBeWritten) {
  write("r", empty(), 2);
  using std::filesystem::perms;
  std::filesystem::permissions(file("r"), perms::owner_read | perms::group_read | perms::others_read);
  constexpr uid_t kNobody = 65534;  // root may write all
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
  EXPECT_NE(changed.error().find("may be read and not written"), std::string::npos) << changed.error();
  EXPECT_TRUE(read);
}

}  // namespace
}  // namespace tieout
