#include "oracle/libtorch/torch_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "cases/testing/temporary_folder.h"

namespace tieout {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void write(const fs::path& file, const std::string& text = "") {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

// Writes the files by which the folder of a LibTorch is recognised.
void write_torch(const fs::path& root, const std::string& version_py) {
  write(root / "lib/libtorch_cpu.so");
  write(root / "version.py", version_py);
}

constexpr const char* kPackage =
    "from typing import Optional\n\n__all__ = ['__version__']\n__version__ = '2.9.1+cu128'\n";

// Sets a variable of the environment for the lifetime of an instance; nullptr removes it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(TorchFolder, ReadsThePythonPackageByAnyOfItsFolders) {
  const TemporaryFolder work;
  write_torch(work / "site-packages/torch", kPackage);
  for (const fs::path& named : {work / "site-packages/torch", work / "site-packages"}) {
    const auto torch = read_torch_folder(named);
    ASSERT_TRUE(torch) << torch.error();
    EXPECT_EQ(torch->version, (LibTorchVersion{2, 9, 1}));
    EXPECT_EQ(torch->root, fs::canonical(work / "site-packages/torch"));
  }
}

TEST(TorchFolder, ReadsAnArchiveAndHeaders) {
  const TemporaryFolder work;
  write(work / "archive/lib/libtorch_cpu.so");
  write(work / "archive/build-version", "2.12.1+cpu\n");
  EXPECT_EQ(read_torch_folder(work / "archive")->version, (LibTorchVersion{2, 12, 1}));
  write(work / "headers/lib/libtorch_cpu.so");
  write(work / "headers/include/torch/headeronly/version.h",
        "#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 10\n#define TORCH_VERSION_PATCH 3\n");
  EXPECT_EQ(read_torch_folder(work / "headers")->version, (LibTorchVersion{2, 10, 3}));
}

TEST(TorchFolder, SaysWhatIsWrongWithAFolder) {
  const TemporaryFolder work;
  EXPECT_THAT(read_torch_folder(work / "absent").error(), HasSubstr("there is no such folder"));
  EXPECT_THAT(read_torch_folder(work.path()).error(), HasSubstr("no LibTorch is there"));
  write(work / "lib/libtorch_cpu.so");
  EXPECT_THAT(read_torch_folder(work.path()).error(), HasSubstr("version of this LibTorch cannot be determined"));
  write(work / "version.py", "__version__ = 'unknown'\n");
  EXPECT_FALSE(read_torch_folder(work.path()));
}

TEST(TorchFolder, IsThatOfTheVariable) {
  const TemporaryFolder work;
  write_torch(work / "torch", kPackage);
  const Variable named("TIEOUT_TORCH", work.path().c_str());
  const auto torch = find_torch_folder();
  ASSERT_TRUE(torch) << torch.error();
  EXPECT_EQ(torch->root, fs::canonical(work / "torch"));
  const Variable wrong("TIEOUT_TORCH", "/nowhere");
  EXPECT_THAT(find_torch_folder().error(), HasSubstr("TIEOUT_TORCH='/nowhere': there is no such folder"));
}

TEST(TorchFolder, PackagesAreFoundFromWithinTheirEnvironment) {
  const TemporaryFolder work;
  const fs::path packages = work / "venv/lib/python3.11/site-packages";
  fs::create_directories(packages / "tieout/bin");
  fs::create_directories(work / "venv/bin");
  EXPECT_THAT(torch_packages_around(work / "venv/bin"), IsEmpty());
  write_torch(packages / "torch", kPackage);
  EXPECT_THAT(torch_packages_around(work / "venv/bin"), ElementsAre(packages / "torch"));
  // The folder of the program of a wheel. The package is listed for site-packages, and for the environment around it.
  EXPECT_EQ(torch_packages_around(packages / "tieout/bin").front(), packages / "torch");
}

TEST(TorchFolder, WithoutAnAdapterTheMessageNamesTheVersion) {
  const auto old = find_adapter({.root = "/opt/torch", .version = {2, 7, 1}});
  ASSERT_FALSE(old);
  EXPECT_THAT(old.error(), HasSubstr("/opt/torch is LibTorch 2.7.1, which is too old: Tieout needs 2.9 or newer"));
  const auto new_one = find_adapter({.root = "/opt/torch", .version = {3, 1, 0}});
  ASSERT_FALSE(new_one);
  EXPECT_THAT(new_one.error(), HasSubstr("LibTorch 3.1.0, and this program has no adapter for it"));
}

}  // namespace
}  // namespace tieout
