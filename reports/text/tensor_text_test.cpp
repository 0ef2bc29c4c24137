// Compares with what python printed for about three hundred tensors: see reports/testdata/make_tensor_text.py.

#include "reports/text/tensor_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace tieout {
namespace {

using nlohmann::json;

template <typename T>
T value_of(const json& j) {
  if (j.is_string()) return static_cast<T>(std::stod(j.get<std::string>()));  // these are "nan", "inf" and "-inf"
  return j.get<T>();
}

template <typename T>
std::string text_of(const json& entry) {
  const json& values = entry["values"];
  const auto step = entry.value("step", std::size_t{1});
  Tensor<T> t{entry["shape"].get<Shape>(), {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(element_count(t.shape)); ++i) {
    t.values.push_back(value_of<T>(values[i * step % values.size()]));
  }
  return tensor_text(t, entry.value("grad_fn", std::string()));
}

std::string text_of_entry(const json& entry) {
  const auto dtype = entry["dtype"].get<std::string>();
  if (dtype == "uint8") return text_of<std::uint8_t>(entry);
  if (dtype == "int8") return text_of<std::int8_t>(entry);
  if (dtype == "int32") return text_of<std::int32_t>(entry);
  return dtype == "float64" ? text_of<double>(entry) : text_of<float>(entry);
}

TEST(TensorText, EqualsThePythonOutput) {
  const json entries = json::parse(std::ifstream(TIEOUT_SOURCE_DIR "/reports/testdata/tensor_text.json"));
  ASSERT_GE(entries.size(), 298U);
  for (const json& entry : entries) EXPECT_EQ(text_of_entry(entry), entry["text"].get<std::string>()) << entry;
}

TEST(TensorText, NegativeNanHasNoSign) {
  EXPECT_EQ(tensor_text(Tensor<float>{{1}, {-std::numeric_limits<float>::quiet_NaN()}}), "tensor([nan])");
}

}  // namespace
}  // namespace tieout
