// Tests the cases of corpus/operator_values.txt, each of which shows a clause of oracle/operators/README.md.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "cases/operators/operator_text.h"
#include "cases/text/line_words.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/operators/operator_model.h"

namespace tieout {
namespace {

// A case with the bytes that LibTorch returns and those that the specification has.
struct OperatorEntry {
  std::vector<std::int32_t> libtorch, specified;
  std::string line;
};

std::vector<OperatorEntry> operator_entries() {
  std::ifstream in(std::filesystem::path(TIEOUT_SOURCE_DIR) / "props" / "properties" / "corpus" /
                   "operator_values.txt");
  std::vector<OperatorEntry> found;
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text.front() == '#') continue;
    std::string_view rest = text;
    OperatorEntry entry;
    EXPECT_TRUE(read_list("libtorch", cut_word(rest), entry.libtorch)) << text;
    EXPECT_TRUE(read_list("specified", cut_word(rest), entry.specified)) << text;
    entry.line = rest;
    found.push_back(entry);
  }
  return found;
}

TEST(OperatorCorpus, LibTorchReturnsWhatIsListed) {
  const auto reference = libtorch();
  ASSERT_TRUE(reference) << reference.error().message;
  const std::vector<OperatorEntry> all = operator_entries();
  EXPECT_GT(all.size(), 20U);
  for (const OperatorEntry& entry : all) {
    SCOPED_TRACE(entry.line);
    const auto read = parse_operator(entry.line);
    ASSERT_TRUE(read) << read.error().text();
    const OperatorCase c = with_contents(*read);
    const auto answer = (*reference)->run_operator(c);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->values.values, entry.libtorch);
    EXPECT_EQ(predict_operator(c, (*reference)->hardware()).values.values, entry.libtorch);
    EXPECT_EQ(operator_kernel(c).values.values, entry.specified);
  }
}

TEST(OperatorCorpus, ContiguousAveragesOfChannelsLastInputsAreRefused) {
  const auto reference = libtorch();
  ASSERT_TRUE(reference) << reference.error().message;
  const std::string refused = "mean shape=2x1x4x1 dims=[2,3] format=channels_last";
  for (const std::string& line : {refused, refused + " keepdim", std::string("mean shape=2x1x4x1 dims=[2,3]"),
                                  std::string("mean shape=2x3x4x1 dims=[2,3] format=channels_last")}) {
    const auto read = parse_operator(line);
    ASSERT_TRUE(read) << read.error().text();
    const auto answer = (*reference)->run_operator(with_contents(*read));
    EXPECT_EQ(answer.has_value(), line != refused) << line;
    EXPECT_EQ(predicted_refusal(*read).empty(), line != refused) << line;
  }
}

}  // namespace
}  // namespace tieout
