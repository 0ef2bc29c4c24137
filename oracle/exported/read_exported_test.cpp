#include "oracle/exported/read_exported.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "cases/testing/temporary_folder.h"
#include "cases/testing/zip_file.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// A program of one operator, relu(x + w).
const std::string kNode = R"({"target": "torch.ops.aten.add.Tensor", "inputs": [
    {"name": "self", "arg": {"as_tensor": {"name": "x"}}, "kind": 1},
    {"name": "other", "arg": {"as_tensor": {"name": "w"}}, "kind": 1},
    {"name": "alpha", "arg": {"as_float": "Infinity"}, "kind": 2}],
    "outputs": [{"as_tensor": {"name": "y"}}], "metadata": {"nn_module_stack": "L,,m.Net;L__a,block.0,m.Block"}})";
const std::string kMeta = R"({"dtype": 7, "sizes": [{"as_int": 2}, {"as_expr": {"expr_str": "s0"}}],
    "device": {"type": "cpu", "index": null}})";
const std::string kSignature = R"({"input_specs": [
    {"parameter": {"arg": {"name": "w"}, "parameter_name": "block.w"}},
    {"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
    "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]})";

std::string graph(const std::string& node = kNode, const std::string& signature = kSignature,
                  const std::string& meta = kMeta) {
  return R"({"schema_version": {"major": 8, "minor": 20}, "torch_version": "2.15.0", "graph_module": {"graph": {
      "tensor_values": {"y": )" +
         meta + R"(}, "nodes": [)" + node + R"(]}, "signature": )" + signature + "}}";
}

std::string weights(const std::string& sizes = R"([{"as_int": 2}, {"as_int": 2}])",
                    const std::string& strides = R"([{"as_int": 1}, {"as_int": 2}])", const std::string& offset = "0",
                    const std::string& pickle = "false") {
  return R"({"config": {"block.w": {"path_name": "weight_0", "use_pickle": )" + pickle +
         R"(, "tensor_meta": {"dtype": 2, "sizes": )" + sizes + R"(, "strides": )" + strides +
         R"(, "storage_offset": {"as_int": )" + offset + "}}}}}";
}

using Entries = std::vector<std::pair<std::string, std::string>>;

Entries entries(const std::string& json = graph(), const std::string& config = weights()) {
  return {{"a/models/m.json", json},
          {"a/data/weights/m_weights_config.json", config},
          {"a/data/weights/weight_0", "abcd"},
          {"a/byteorder", "little"}};
}

class ExportedFile : public testing::Test {
 protected:
  tl::expected<ExportedProgram, std::string> read(const Entries& contents) {
    std::ofstream(file_, std::ios::binary) << zip_of(contents);
    return read_exported_program(file_);
  }

  std::string error_of(const Entries& contents) {
    const auto program = read(contents);
    return program ? "" : program.error();
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "a.pt2";
};

TEST_F(ExportedFile, IsReadWithItsWeights) {
  const auto program = read(entries());
  ASSERT_TRUE(program) << program.error();
  EXPECT_TRUE(is_exported_program(file_));
  EXPECT_EQ(program->torch_version, "2.15.0");
  ASSERT_EQ(program->nodes.size(), 1U);
  const ExportedNode& node = program->nodes.front();
  EXPECT_EQ(node.op, "aten.add.Tensor");
  EXPECT_EQ(node.module, "block.0");
  EXPECT_EQ(node.value("self"), "x");
  EXPECT_EQ(node.value("alpha"), "");
  ASSERT_NE(node.find("alpha"), nullptr);
  EXPECT_EQ(std::get<double>(*node.find("alpha")), std::numeric_limits<double>::infinity());
  EXPECT_EQ(program->inputs, std::vector<std::string>{"x"});
  EXPECT_EQ(program->outputs, std::vector<std::string>{"y"});
  EXPECT_EQ(program->tensors.at("y").sizes, (std::vector<std::optional<std::int64_t>>{2, std::nullopt}));
  const StoredTensor& w = program->stored.at("w");
  EXPECT_EQ(w.type, ElementType::int8);
  EXPECT_EQ(w.strides, (Shape{1, 2}));
  EXPECT_EQ(program->blobs[w.blob], "abcd");
}

TEST_F(ExportedFile, NamesThePlaceOfAnError) {
  const std::string bad_argument = R"({"target": "torch.ops.aten.cond", "inputs": [
      {"name": "body", "arg": {"as_graph": {"name": "g"}}}], "outputs": []})";
  const std::vector<std::pair<std::string, const char*>> errors{
      {error_of(entries(graph(bad_argument))),
       "node 0, torch.ops.aten.cond: argument 'body': is of the kind 'as_graph'"},
      {error_of(entries(graph("{}"))), "node 0: 'target' is missing"},
      {error_of(entries("{")), "models/m.json is not JSON"},
      {error_of(entries("[]")), "an object with 'schema_version' is expected"},
      {error_of(entries(R"({"schema_version": {"major": 7}})")), "version 7, and this reads version 8"},
      {error_of(entries(graph(kNode, kSignature, R"({"dtype": 7, "sizes": [], "device": {"type": "cuda"}})"))),
       "tensor 'y': a tensor is on the device 'cuda'"},
      {error_of(entries(graph(), weights("[]", "[]", "9"))), "weight 'block.w' begins outside of its file"},
      {error_of(entries(graph(), weights(R"([{"as_int": 3}])", R"([{"as_int": 2}])"))), "claims more than the bytes"},
      {error_of(entries(graph(), weights(R"([{"as_int": 4611686018427387904}])", R"([{"as_int": 1}])"))), "2^28"},
      {error_of(entries(
           graph(), weights(R"([{"as_int": 268435456}, {"as_int": 268435456}])", R"([{"as_int": 0}, {"as_int": 0}])"))),
       "2^28"},
      {error_of(entries(graph(), weights(R"([{"as_int": 2}])", R"([{"as_int": -1}])"))), "a negative extent"},
      {error_of(entries(graph(), weights("[]", "[]", "0", "true"))), "is a pickle"},
      {error_of({{"a/models/m.json", graph()}, {"a/data/weights/m.pt", ""}}), "its weights are a pickle"},
      {error_of(entries(graph(), R"({"config": {}})")), "weight 'block.w' the archive does not have it"},
  };
  for (const auto& [error, words] : errors) EXPECT_THAT(error, HasSubstr(words));
}

TEST_F(ExportedFile, RefusesHostileArchives) {
  const auto with = [](const std::string& name, const std::string& data) {
    Entries all = entries();
    all.emplace_back(name, data);
    return all;
  };
  EXPECT_THAT(error_of(with("../../etc/passwd", "")), HasSubstr("leads out of the archive: '../../etc/passwd'"));
  EXPECT_THAT(error_of(with("/etc/passwd", "")), HasSubstr("leads out of the archive"));
  EXPECT_THAT(error_of(with("a/byteorder", "big")), HasSubstr("two entries 'byteorder'"));
  EXPECT_THAT(error_of(with("a/models/other.json", "{}")), HasSubstr("holds 2 programs"));
  std::string deep = graph();
  deep.insert(1, R"("deep": )" + std::string(100000, '[') + std::string(100000, ']') + ", ");
  EXPECT_THAT(error_of(entries(deep)), HasSubstr("nested deeper than 64 levels"));
  Entries big = entries();
  big.back().second = "big";
  EXPECT_THAT(error_of(big), HasSubstr("byte order"));
}

// An entry that lies within another one is read twice, and a chain of them would be read many times.
TEST_F(ExportedFile, ReadsNoMoreThanTheFileHas) {
  const std::string inner_name = "a/data/weights/weight_1", signature = R"({"input_specs": [
      {"parameter": {"arg": {"name": "v"}, "parameter_name": "outer"}},
      {"parameter": {"arg": {"name": "w"}, "parameter_name": "inner"}}], "output_specs": []})";
  const auto config = [](const char* name, const char* file) {
    return std::string("\"") + name + R"(": {"path_name": ")" + file + R"(", "use_pickle": false, "tensor_meta": {
        "dtype": 1, "sizes": [], "strides": [], "storage_offset": {"as_int": 0}}})";
  };
  const std::string inner = zip_of({{inner_name, std::string(50000, 'x')}});
  const std::size_t inner_directory = inner.find("PK\x01\x02"), inner_end = inner.find("PK\x05\x06");
  Entries all = entries(graph(kNode, signature),
                        "{\"config\": {" + config("outer", "weight_0") + ", " + config("inner", "weight_1") + "}}");
  all[2].second = inner.substr(0, inner_directory);
  std::string archive = zip_of(all);
  const std::size_t offset = archive.find("PK\x03\x04" + inner.substr(4, 26) + inner_name);
  ASSERT_NE(offset, std::string::npos);
  std::string entry = inner.substr(inner_directory, inner_end - inner_directory);
  entry.replace(42, 4, bytes_of_number(offset, 4));
  const std::size_t directory = archive.find("PK\x01\x02"), end = archive.rfind("PK\x05\x06");
  archive.insert(end, entry);
  archive.replace(end + entry.size() + 12, 4, bytes_of_number(end + entry.size() - directory, 4));
  std::ofstream(file_, std::ios::binary) << archive;
  const auto program = read_exported_program(file_);
  ASSERT_FALSE(program);
  EXPECT_THAT(program.error(), HasSubstr("the entry 'data/weights/weight_1' has 50000 bytes, more than the"));
}

}  // namespace
}  // namespace tieout
