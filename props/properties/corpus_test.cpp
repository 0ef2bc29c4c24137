// Tests the project's own corpus, which has the smallest case of every clause of the contract and of every known
// defect:
//
//   equal CASE       LibTorch's answer equals our prediction
//   defect ID CASE   the case is recognised as that defect, and LibTorch dies on it or answers wrongly
//   race ID CASE     the same, but not every time
//   before VERSION VALUE CASE, from VERSION VALUE CASE
//                    in these versions, LibTorch's answer equals our prediction, and VALUE is its largest element
//   departs NUMBER CASE, threads NUMBER CASE
//                    of operators other than convolutions: see operators.txt

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "cases/operators/operator_text.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "props/operators/operator_verify.h"
#include "props/verify/verify.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Entry {
  std::string kind, id, value, line;
};

std::vector<Entry> entries(const std::string& file) {
  std::ifstream in(std::filesystem::path(TIEOUT_SOURCE_DIR) / "props" / "properties" / "corpus" / file);
  std::vector<Entry> found;
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text.front() == '#') continue;
    const auto word = [&] {
      const std::size_t end = text.find(' ');
      std::string head = text.substr(0, end);
      text.erase(0, end + 1);
      return head;
    };
    Entry entry{.kind = word(), .id = {}, .value = {}, .line = {}};
    if (entry.kind != "equal") entry.id = word();
    if (entry.kind == "before" || entry.kind == "from") entry.value = word();
    entry.line = text;
    found.push_back(entry);
  }
  return found;
}

// True if this machine has the instruction set of the case. Only cases that it can run are tested.
bool can_run(const ConvCase& c) { return (*libtorch())->available(c.execution).has_value(); }

TEST(Corpus, TheContractHolds) {
  ASSERT_TRUE(libtorch()) << libtorch().error().message;
  int verified = 0;
  std::vector<Entry> all = entries("contract.txt");
  std::ranges::move(entries("engines.txt"), std::back_inserter(all));
  for (const Entry& entry : all) {
    ASSERT_EQ(entry.kind, "equal") << entry.line;
    const auto c = parse(entry.line);
    ASSERT_TRUE(c) << entry.line << ": " << c.error().text();
    if (!can_run(*c)) continue;
    const Verdict verdict = verify_alone(*c, **libtorch());
    EXPECT_EQ(verdict.status, Status::passed) << entry.line << '\n'
                                              << verdict.reason << '\n'
                                              << finding_text(verdict.finding);
    EXPECT_GT(verdict.elements, 0) << entry.line;
    ++verified;
  }
  EXPECT_GT(verified, 40);
}

TEST(Corpus, OperatorsComputeWhatIsPredicted) {
  ASSERT_TRUE(libtorch()) << libtorch().error().message;
  std::map<std::string, int> verified;
  for (const Entry& entry : entries("operators.txt")) {
    const auto c = parse_operator(entry.line);
    ASSERT_TRUE(c) << entry.line << ": " << c.error().text();
    const Verdict verdict = verify_operator_alone(*c, **libtorch());
    EXPECT_EQ(verdict.status, Status::passed) << entry.line << '\n'
                                              << verdict.reason << '\n'
                                              << finding_text(verdict.finding);
    ASSERT_FALSE(verdict.expected.values.empty()) << entry.line;
    ++verified[entry.kind];
    if (entry.kind == "threads") {
      const auto elsewhere = departures_elsewhere(*c, (*libtorch())->hardware(), verdict.expected);
      ASSERT_FALSE(elsewhere.empty()) << entry.line;
      EXPECT_THAT(elsewhere.front().cause, HasSubstr("thread")) << entry.line;
      EXPECT_EQ(std::to_string(elsewhere.front().elements), entry.id) << entry.line;
    } else {
      EXPECT_EQ(std::to_string(verdict.departure.elements), entry.kind == "departs" ? entry.id : "0") << entry.line;
    }
  }
  for (const char* kind : {"equal", "departs", "threads"}) EXPECT_GT(verified[kind], 1) << kind;
}

TEST(Corpus, VersionsComputeWhatTheyAreKnownFor) {
  ASSERT_TRUE(libtorch()) << libtorch().error().message;
  const Hardware hardware = (*libtorch())->hardware();
  int verified = 0;
  for (const Entry& entry : entries("versions.txt")) {
    const auto version = parse_libtorch_version(entry.id);
    ASSERT_TRUE(version) << entry.line;
    ASSERT_TRUE(entry.kind == "before" || entry.kind == "from") << entry.line;
    const auto c = parse(entry.line);
    ASSERT_TRUE(c) << entry.line << ": " << c.error().text();
    const bool older = hardware.libtorch < *version;
    const bool by_vnni = c->execution.engine != Engine::onednn || onednn_has_vnni(hardware);
    if (older != (entry.kind == "before") || !by_vnni || !can_run(*c)) continue;
    const Verdict verdict = verify_alone(*c, **libtorch());
    EXPECT_EQ(verdict.status, Status::passed) << entry.line << '\n' << finding_text(verdict.finding);
    ASSERT_FALSE(verdict.expected.values.empty()) << entry.line;
    EXPECT_EQ(std::to_string(*std::ranges::max_element(verdict.expected.values)), entry.value) << entry.line;
    ++verified;
  }
  EXPECT_GT(verified, 0);
}

TEST(Corpus, TheKnownDefectsOccur) {
  ASSERT_TRUE(libtorch()) << libtorch().error().message;
  for (const Entry& entry : entries("defects.txt")) {
    ASSERT_TRUE(entry.kind == "defect" || entry.kind == "race") << entry.line;
    const auto c = parse(entry.line);
    ASSERT_TRUE(c) << entry.line << ": " << c.error().text();
    if (!can_run(*c)) continue;
    // Most of oneDNN's defects are in its VNNI code.
    const Hardware hardware = (*libtorch())->hardware();
    const bool runs = entry.id == "onednn_strided_pointwise" ? !onednn_has_vnni(hardware)
                      : entry.id.starts_with("onednn_amx")   ? hardware.amx_int8
                                                             : hardware.avx512_vnni;
    if (entry.id.starts_with("onednn") && !runs) continue;
    // Older versions of oneDNN have one order of the scales.
    if (entry.id == "onednn_scale_order" && onednn_code(*c, hardware) == OnednnCode::vnni_product) continue;
    const Verdict verdict = verify_alone(*c, **libtorch());
    ASSERT_NE(verdict.defect, nullptr) << entry.line;
    // AMX code may run some shapes that VNNI code gets wrong, and has other defects on them.
    const bool by_amx = hardware.amx_int8 && verdict.defect->id.starts_with("onednn_amx");
    if (!by_amx) {
      EXPECT_EQ(verdict.defect->id, entry.id) << entry.line;
    }
    if (by_amx || entry.kind == "race") continue;
    // The case must have a known defect because LibTorch died or answered wrongly. If neither happens, the defect was
    // fixed: remove the line.
    EXPECT_EQ(verdict.status, Status::known_defect) << entry.line << '\n' << verdict.reason;
    EXPECT_THAT(verdict.reason, Not(HasSubstr(": equal"))) << entry.line << '\n' << verdict.reason;
  }
}

}  // namespace
}  // namespace tieout
