#include "props/model/tensor_folder.h"

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>

#include "oracle/model_files/npy.h"
#include "props/model/layer_verify.h"
#include "props/model/operator_calls.h"
#include "reports/records/output_file.h"
#include "reports/records/tensor_manifest.h"

namespace tieout {
namespace {

using Value = CallTensors::Value;

// Returns "0007_add_relu@3.output.npy". Characters that file systems or shells treat specially become underscores.
std::string file_name(std::int64_t call, const std::string& name, const std::string& role) {
  std::string number = std::to_string(call);
  number.insert(0, 4 - std::min<std::size_t>(4, number.size()), '0');
  std::string text = number + "_" + name + "." + role + ".npy";
  for (char& c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::strchr("._-@#+", c) != nullptr;
    if (!plain) c = '_';
  }
  return text;
}

std::string text_of_shape(const Shape& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "scalar" : text;
}

// Returns the shape with the channels last.
Shape channels_last_shape(Shape shape) {
  if (shape.size() > 2) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  return shape;
}

// Returns what is wrong with a recorded output's shape and type, or nothing.
std::string misfit(const ModelTensor& read, const Value& expected) {
  const auto type = expected.is_float ? ModelTensor::Type::float32 : ModelTensor::Type::uint8;
  if (read.shape != expected.shape) {
    std::string text =
        "has the shape " + text_of_shape(read.shape) + ", the operator's output has " + text_of_shape(expected.shape);
    if (read.shape == channels_last_shape(expected.shape))
      text += ": write it with the channels first (N x C x spatial)";
    return text;
  }
  if (read.type != type) return std::string("must be ") + (expected.is_float ? "float32" : "uint8, the stored values");
  return {};
}

std::vector<std::int32_t> values_of(const std::string_view bytes, bool is_float) {
  if (!is_float) {
    std::vector<std::int32_t> values;
    values.reserve(bytes.size());
    for (const char byte : bytes) values.push_back(static_cast<unsigned char>(byte));
    return values;
  }
  std::vector<std::int32_t> values(bytes.size() / sizeof(std::int32_t));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::string bytes_of(const std::vector<std::uint8_t>& values) { return {values.begin(), values.end()}; }

std::string bytes_of(const OperatorOutput& output) {
  const std::vector<std::int32_t>& values = output.values.values;
  if (!output.is_float) return {values.begin(), values.end()};
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

CallTensors tensors_of(const CapturedConv& captured, bool with_inputs) {
  const ConvCase& c = captured.spec;
  CallTensors call{.name = captured.name, .op = "quantized::" + captured.op};
  const Tensor<std::uint8_t> y = answer_of(captured);
  call.output = {"output", y.shape, false, c.output_scale, c.output_zero_point, bytes_of(y.values)};
  if (with_inputs) {
    const std::vector<std::uint8_t> x =
        channels_first(captured.activation.data(), c.batch, c.in_channels, volume(c.input));
    call.inputs.push_back(
        {"input", activation_shape(c), false, c.activation_scale, c.activation_zero_point, bytes_of(x)});
  }
  return call;
}

CallTensors tensors_of(const CapturedOperator& captured, bool with_inputs) {
  const OperatorCase& c = captured.spec;
  CallTensors call{.name = captured.name, .op = captured.op};
  const OperatorOutput& y = captured.output;
  call.output = {"output", y.values.shape, y.is_float, c.output.scale, c.output.zero_point, bytes_of(y)};
  for (std::size_t i = 0; i < c.inputs.size() && with_inputs; ++i) {
    const OperatorInput& input = c.inputs[i];
    Value value{i == 0 ? "input" : "input" + std::to_string(i + 1),
                input.shape,
                c.schema->has_float_input,
                input.quantization.scale,
                input.quantization.zero_point,
                {}};
    value.bytes = value.is_float ? std::string(reinterpret_cast<const char*>(input.floats.data()),
                                               input.floats.size() * sizeof(float))
                                 : bytes_of(input.contents.values);
    call.inputs.push_back(std::move(value));
  }
  return call;
}

TensorWriter::TensorWriter(std::filesystem::path folder, TensorManifest manifest)
    : folder_(std::move(folder)), manifest_(std::move(manifest)) {}

void TensorWriter::write(const CallTensors& call) {
  ++calls_;
  for (const Value& input : call.inputs) write(call, input);
  write(call, call.output);
}

void TensorWriter::write(const CallTensors& call, const Value& value) {
  if (!error_.empty()) return;
  RecordedTensor recorded{file_name(calls_, call.name, value.role), call.name,   call.op,     value.role,
                          value.is_float ? "float32" : "uint8",     value.shape, value.scale, value.zero_point};
  const auto type = value.is_float ? ModelTensor::Type::float32 : ModelTensor::Type::uint8;
  const auto written = write_file(folder_ / recorded.file, npy_file(type, value.shape, value.bytes));
  if (!written) error_ = written.error();
  manifest_.tensors.push_back(std::move(recorded));
}

tl::expected<void, std::string> TensorWriter::finish() {
  if (!error_.empty()) return tl::unexpected(error_);
  return write_file(folder_ / "manifest.json", to_json(manifest_));
}

std::optional<std::vector<std::int32_t>> TensorComparison::compare(const CallTensors& call) {
  const std::string file = file_name(++calls_, call.name, "output");
  std::error_code error;
  if (!std::filesystem::exists(folder_ / file, error)) {
    result_.missing.push_back(file);
    return {};
  }
  const auto read = read_npy((folder_ / file).string());
  const std::string wrong = read ? misfit(*read, call.output) : read.error();
  if (!wrong.empty()) {
    result_.unreadable.push_back(file + ": " + wrong);
    return {};
  }
  ++result_.compared;
  std::vector<std::int32_t> theirs = values_of({read->bytes.data(), read->bytes.size()}, call.output.is_float);
  const std::vector<std::int32_t> ours = values_of(call.output.bytes, call.output.is_float);
  result_.elements += std::ssize(ours);
  const ValueDifferences found = value_differences(ours, theirs, call.output.is_float);
  if (found.elements == 0) return {};
  result_.differing.push_back(
      {.name = call.name, .op = call.op, .elements = std::ssize(ours), .found = found, .equal_to = {}});
  return theirs;
}

}  // namespace tieout
