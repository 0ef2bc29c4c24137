// Tests the choice of a LibTorch by TIEOUT_TORCH, and the comparison of two of them by --reference libtorch:DIR.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cases/strings/shell_word.h"
#include "cases/testing/temporary_folder.h"
#include "cli/testing/test_command.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// The LibTorch that the build is for.
const std::string kTorch = TIEOUT_DEFAULT_TORCH;

// Runs the command with TIEOUT_TORCH.
Outcome run_with(const std::string& torch, const std::string& arguments) {
  setenv("TIEOUT_TORCH", torch.c_str(), 1);
  Outcome outcome = run(arguments);
  unsetenv("TIEOUT_TORCH");
  return outcome;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

TEST(LibTorchVersions, EnginesPrintsTheFolder) {
  const Outcome o = run_with(kTorch, "engines");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("folder: " + fs::canonical(kTorch).string() + "\n"));
}

TEST(LibTorchVersions, UnsuitableFoldersAreRefusedWithWhatToDo) {
  const Outcome nowhere = run_with("/nowhere", "engines");
  EXPECT_EQ(nowhere.status, 3);
  EXPECT_THAT(nowhere.output, HasSubstr("TIEOUT_TORCH='/nowhere': there is no such folder"));
  const TemporaryFolder work;
  const Outcome empty = run_with(work.path().string(), "engines");
  EXPECT_EQ(empty.status, 3);
  EXPECT_THAT(empty.output, HasSubstr("no LibTorch is there"));
  write(work / "lib/libtorch_cpu.so", "no library");
  write(work / "version.py", "__version__ = '2.7.1'\n");
  const Outcome old = run_with(work.path().string(), "engines");
  EXPECT_EQ(old.status, 3);
  EXPECT_THAT(old.output, HasSubstr("is LibTorch 2.7.1, which is too old: Tieout needs 2.9 or newer"));
}

// A library of the right version without FBGEMM's functions: libc10.so under the name of libtorch_cpu.so.
TEST(LibTorchVersions, ALibTorchWithoutFbgemmIsRefused) {
  const TemporaryFolder work;
  fs::create_directories(work / "lib");
  for (const char* library : {"libc10.so", "libtorch_cpu.so"}) {
    fs::copy_file(fs::path(kTorch) / "lib" / "libc10.so", work / "lib" / library);
  }
  fs::copy(fs::path(kTorch) / "include", work / "include", fs::copy_options::directories_only);
  write(work / "version.py", "__version__ = '" TIEOUT_TORCH_VERSION "+cpu'\n");
  const Outcome o = run_with(work.path().string(), "engines");
  EXPECT_EQ(o.status, 3);
  EXPECT_THAT(o.output, HasSubstr("was built without FBGEMM"));
}

TEST(LibTorchVersions, ALibTorchEqualsItself) {
  const Outcome o = run("fuzz --cases 60 --seed 3 --reference 'libtorch:" + kTorch + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("--seed 3 --subject " + shell_word("libtorch:" + fs::canonical(kTorch).string())));
  const Outcome refused = run("fuzz --cases 60 --seed 3 --reference libtorch:/nowhere");
  EXPECT_EQ(refused.status, 2) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("--reference: '/nowhere': there is no such folder"));
}

// The case and its values are those of props/properties/corpus/versions.txt.
TEST(LibTorchVersions, TwoVersionsDiffer) {
  const std::string old = TIEOUT_OLD_TORCH;
  if (old.empty()) GTEST_SKIP() << "the build has no LibTorch older than 2.14: scripts/setup.sh --torch oldest";
  const std::string depthwise =
      "'conv2d in_channels=8 out_channels=8 groups=8 kernel=3x3 padding=1x1 xs=0.01 ws=0.02 os=0.00039999998211860677 "
      "oz=20 bias=[8*-0.0137999998] x=[8*11] w=[72*6]'";
  const Outcome o = run("check --reference 'libtorch:" + old + "' " + depthwise);
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr("differ at 8 of 8 elements, by up to 1"));
  EXPECT_THAT(o.output, HasSubstr("FBGEMM's depthwise code adds the bias of per-tensor weights with two"));
  EXPECT_THAT(o.output, HasSubstr("explains 1 of 1 case"));
  EXPECT_EQ(run_with(old, "check " + depthwise).status, 0) << "each is predicted";
}

}  // namespace
}  // namespace tieout
