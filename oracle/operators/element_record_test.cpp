#include "oracle/operators/element_record.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/operators/operator_text.h"
#include "oracle/operators/operator_model.h"

namespace tieout {
namespace {

using testing::HasSubstr;

OperatorCase tail_of_one() {
  return with_contents(
      parse_operator("add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]").value());
}

TEST(ElementRecord, DoesNotChangeThePrediction) {
  const OperatorCase c = tail_of_one();
  ElementRecord record{.forced = {}, .elements = {{3, {}}, {64, {}}}};
  EXPECT_EQ(predict_operator(c, Hardware{}, record), predict_operator(c, Hardware{}));
  EXPECT_TRUE(record.has_codes);
  EXPECT_EQ(record.elements.at(3).code, OperatorCode::vector);
  EXPECT_EQ(record.elements.at(64).code, OperatorCode::scalar);
}

TEST(ElementRecord, ForcesOneCode) {
  const OperatorCase c = tail_of_one();
  for (const OperatorCode code : {OperatorCode::vector, OperatorCode::scalar}) {
    ElementRecord record{.forced = code, .elements = {{64, {}}}};
    const OperatorOutput y = predict_operator(c, Hardware{}, record);
    EXPECT_THAT(y.values.values, testing::Each(code == OperatorCode::vector ? 176 : 175));
    EXPECT_EQ(record.elements.at(64).code, OperatorCode::scalar);
  }
}

TEST(ElementRecord, HasTheSteps) {
  ElementRecord record{.forced = {}, .elements = {{0, {}}}};
  (void)predict_operator(tail_of_one(), Hardware{}, record);
  std::vector<std::string> names;
  for (const Step& step : record.elements.at(0).trace.steps()) names.emplace_back(step.name);
  EXPECT_THAT(names, testing::ElementsAre("x", "x2", "dequantized", "dequantized", "result", "inverse scale", "scaled",
                                          "rounded", "with zero point"));
  EXPECT_EQ(record.elements.at(0).trace.steps()[6].value, -52.5);
  EXPECT_EQ(record.elements.at(0).trace.steps().back().value, 176);
}

TEST(ElementRecord, StatesThePlace) {
  const auto place_of = [](const std::string& line, std::int64_t element) {
    const OperatorCase c = with_contents(parse_operator(line).value());
    ElementRecord record{.forced = {}, .elements = {{element, {}}}};
    (void)predict_operator(c, Hardware{}, record);
    const RecordedElement& found = record.elements.at(element);
    // The words must agree with the code.
    EXPECT_TRUE(found.place.ends_with(found.code == OperatorCode::vector ? "vector code." : "scalar code."));
    return found.place;
  };
  EXPECT_THAT(place_of("relu shape=130 x=uniform", 66), HasSubstr("It is in step 1, at place 2: vector code."));
  EXPECT_THAT(place_of("relu shape=130 x=uniform", 129), HasSubstr("It is number 1 of these last ones: scalar code."));
  EXPECT_THAT(place_of("relu shape=63 x=uniform", 5), HasSubstr("fewer than the 64 of a step"));
  EXPECT_THAT(place_of("relu shape=2x64 strides=1x2 x=uniform", 70), HasSubstr("scalar code."));
  EXPECT_THAT(place_of("relu shape=32832 threads=2 x=uniform", 16415),
              HasSubstr("Thread 1 of 2 computes numbers 0..16415."));
  EXPECT_THAT(place_of("relu shape=1x2x2x3 format=channels_last x=uniform", 6), HasSubstr("It is number 1 of 12"));
}

}  // namespace
}  // namespace tieout
