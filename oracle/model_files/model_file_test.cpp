#include "oracle/model_files/model_file.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <utility>
#include <vector>

#include "cases/testing/temporary_folder.h"
#include "cases/testing/zip_file.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

namespace fs = std::filesystem;

class ModelFile : public testing::Test {
 protected:
  std::string describe(const std::string& contents) {
    std::ofstream(file_, std::ios::binary) << contents;
    return describe_foreign_model(file_);
  }

  TemporaryFolder folder_;
  fs::path file_ = folder_ / "a model";
};

TEST_F(ModelFile, NamesTheFormatAndTheRequiredOne) {
  const std::string onnx = "\x08\x08\x12\x07pytorch";
  const std::vector<std::pair<std::string, const char*>> files{
      {onnx, "an ONNX model"},
      {zip_of({{"m/data/aotinductor/model/model.so", "w"}, {"m/archive_format", "pt2"}}), "a package of AOTInductor"},
      {zip_of({{"serialized_exported_program.json", "{}"}}), "a program of torch.export in the format before"},
      {zip_of({{"m/data.pkl",
                "\x80\x02"
                "ccollections\nOrderedDict\n"},
               {"m/data/0", "w"}}),
       "a state dict"},
      {zip_of({{"m/data.pkl",
                "\x80\x02"
                "ctorch._utils\n_rebuild_tensor_v2\nccollections\nOrderedDict\n"},
               {"m/data/0", "w"}}),
       "tensors that"},
      {zip_of({{"m/data.pkl",
                "\x80\x02"
                "ctorch.nn.modules.container\nSequential\n"}}),
       "a whole module"},
      {zip_of({{"a.npy", ""}}), "an archive of numpy arrays"},
      {zip_of({{"README", ""}}), "a zip archive without a model's code"},
      {zip_of({{"m/code/a.py", ""}}).substr(0, 40), "cut off or damaged"},
      {"", "an empty file"},
      {std::string("\x1c\0\0\0TFL3", 8), "a TensorFlow Lite model"},
      {bytes_of_number(2, 8) + "{}weights", "a safetensors file"},
      {"<!DOCTYPE html><title>Not found</title>", "an HTML page"},
      {std::string("\x7f") + "ELF\x02\x01\x01", "a library or program"},
      {"import torch\n", "a text file"},
      {"\x01\x02}q", "a file of another format"},
      {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
  };
  for (const auto& [contents, words] : files) {
    const std::string what = describe(contents);
    EXPECT_THAT(what, HasSubstr(words)) << words << ": " << what;
    EXPECT_THAT(what, HasSubstr("torch.jit.save"));
  }
}

TEST_F(ModelFile, ReportsPathsThatAreNoFiles) {
  const std::string folder = describe_foreign_model(fs::temp_directory_path());
  EXPECT_THAT(folder, StartsWith("it is not a regular file, but a folder; needed is the PyTorch model")) << folder;
  EXPECT_THAT(describe_foreign_model("/no/such/model.pt"), StartsWith("there is no such file; needed is"));
  EXPECT_THAT(describe_foreign_model("/dev/null"),
              StartsWith("it is not a regular file, but a pipe, a socket or a device"));
}

TEST_F(ModelFile, AcceptsTorchScript) {
  EXPECT_EQ(describe(zip_of({{"m/data.pkl", ""}, {"m/code/__torch__.py", ""}, {"m/constants.pkl", ""}})), "");
  for (const auto& entry : fs::directory_iterator(TIEOUT_SOURCE_DIR "/oracle/testdata/models")) {
    const bool is_input = entry.path().stem().string().ends_with("_input");
    if (entry.path().extension() != ".pt" || is_input) continue;
    EXPECT_EQ(describe_foreign_model(entry.path()), "") << entry;
  }
}

}  // namespace
}  // namespace tieout
