// Tests `tieout bench` as a user runs it. Of the measured times, which depend on the machine, only the sign is checked.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

namespace tieout {
namespace {

using testing::HasSubstr;

struct Outcome {
  int status;
  std::string output;  // standard output and standard error
};

Outcome run(const std::string& arguments, const std::string& environment = "") {
  const std::string command = environment + " '" TIEOUT_PROGRAM "' bench " + arguments + " 2>&1 </dev/null";
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), n);
  return {WEXITSTATUS(pclose(pipe)), output};
}

constexpr const char* kShort = "--filter '(dw 3x3 960 in 7|1x1 576-160 in 7)' --min-time 0.0001 --repetitions 1";

TEST(Bench, MeasuresLayersThatAnswerAlike) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "tieout_bench.json";
  const Outcome o = run(std::string(kShort) + " --threads 2 --json '" + file.string() + "'");
  EXPECT_EQ(o.status, 0) << o.output;  // 1 if FBGEMM, ONEDNN and the kernel differ
  const std::regex last("\ngeometric mean against the faster of FBGEMM and ONEDNN: [0-9]+\\.[0-9][0-9]\n$");
  EXPECT_TRUE(std::regex_search(o.output, last)) << o.output;
  EXPECT_TRUE(std::regex_search(o.output, std::regex("\ndw 3x3 960 in 7 +3 .* %\n"))) << o.output;
  const auto json = nlohmann::json::parse(std::ifstream(file));
  std::filesystem::remove(file);
  ASSERT_EQ(json["runs"].size(), 2U);
  for (const auto& layer : json["runs"][1]["layers"]) {
    for (const char* seconds : {"ours_seconds", "fbgemm_seconds", "onednn_seconds"}) EXPECT_GT(layer[seconds], 0.0);
    EXPECT_TRUE(layer["equal"]);
  }
}

// LibTorch itself needs AVX2, so that every machine that runs this test has it.
TEST(Bench, HoldsBothSidesToAnInstructionSet) {
  const Outcome held = run(std::string(kShort) + " --isa avx2");
  EXPECT_EQ(held.status, 0) << held.output;
  EXPECT_THAT(held.output, HasSubstr("ours: avx2, int16_pairs products, theirs: avx2\n"));
  const Outcome exact = run(std::string(kShort) + " --isa avx2 --products exact");
  EXPECT_EQ(exact.status, 0) << exact.output;
  EXPECT_THAT(exact.output, HasSubstr("ours: avx2, exact products, theirs: avx2\n"));
  EXPECT_EQ(run("--isa neon").status, 2);
}

// The campaign has two blocks, the second of them incomplete: each of two shards runs one, and four shards take as long
// as two.
TEST(Bench, FollowsACampaignAndCutsItIntoShards) {
  const Outcome o = run("--cases 600 --shards 4");
  EXPECT_EQ(o.status, 0) << o.output;
  for (const char* mix : {"as campaigns draw them", "small"}) {
    const std::string name(mix);
    EXPECT_TRUE(std::regex_search(o.output, std::regex("\n" + name + " +500 .*\n" + name + " +600 "))) << o.output;
    const std::regex shards("\n" + name + " +1 +[0-9.]+ +1\\.00 +100 %\n" + name +
                            " +2 +([0-9.]+) +[0-9.]+ +[0-9]+ %\n" + name + " +4 +([0-9.]+) ");
    std::smatch seconds;
    ASSERT_TRUE(std::regex_search(o.output, seconds, shards)) << o.output;
    EXPECT_EQ(seconds[1], seconds[2]) << o.output;
  }
  EXPECT_EQ(run("--shards 4").status, 2);
}

TEST(Bench, SaysWhatIsWrong) {
  const Outcome nothing = run("--filter 'no such layer'");
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.output, HasSubstr("--filter: leaves no layer"));
  EXPECT_EQ(run("--filter '('").status, 2);
  EXPECT_EQ(run("--threads 0").status, 2);
  EXPECT_EQ(run("--network vgg").status, 2);
  const Outcome absent = run(kShort, "DNNL_MAX_CPU_ISA=AVX2");
  EXPECT_EQ(absent.status, 3);
  EXPECT_THAT(absent.output, HasSubstr("nothing to measure against"));
}

}  // namespace
}  // namespace tieout
