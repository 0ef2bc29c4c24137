#pragma once
// Writes the tensors of a network's operators to a folder, and compares the operators with tensors that a device, a
// simulator or another machine has written there.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "oracle/libtorch/model.h"
#include "reports/data/model_report.h"
#include "reports/data/recorded_tensor.h"

namespace tieout {

// The tensors of one call of an operator, as they are recorded.
struct CallTensors {
  std::string name;  // "features.0.0" or "add_relu@3"
  std::string op;
  struct Value {
    std::string role;
    Shape shape;
    bool is_float = false;
    double scale = 1;
    std::int64_t zero_point = 0;
    std::string bytes;  // row-major
  };
  std::vector<Value> inputs;
  Value output;
};

// captured: its name is set. with_inputs: also copies the inputs.
[[nodiscard]] CallTensors tensors_of(const CapturedConv& captured, bool with_inputs);
[[nodiscard]] CallTensors tensors_of(const CapturedOperator& captured, bool with_inputs);

// Writes each call's inputs and output as .npy files, and manifest.json at the end.
class TensorWriter {
 public:
  TensorWriter(std::filesystem::path folder, TensorManifest manifest);

  // Writes the files of the call. After an error nothing more is written.
  void write(const CallTensors& call);
  // Writes the manifest. The error names the file that could not be written, and what to do.
  [[nodiscard]] tl::expected<void, std::string> finish();

 private:
  void write(const CallTensors& call, const CallTensors::Value& value);

  std::filesystem::path folder_;
  TensorManifest manifest_;
  std::int64_t calls_ = 0;
  std::string error_;
};

// Compares the calls' outputs with the files OUTPUT of the folder, which have the names that TensorWriter gives them.
class TensorComparison {
 public:
  explicit TensorComparison(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Compares the output of the next call. Returns the folder's values if they differ, in the order of the output.
  [[nodiscard]] std::optional<std::vector<std::int32_t>> compare(const CallTensors& call);

  [[nodiscard]] const ComparedTensors& result() const { return result_; }

 private:
  std::filesystem::path folder_;
  ComparedTensors result_;
  std::int64_t calls_ = 0;
};

}  // namespace tieout
