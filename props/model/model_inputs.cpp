#include "props/model/model_inputs.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>

#include "cases/random.h"
#include "cases/validate.h"
#include "oracle/model_files/npy.h"

namespace tieout {
namespace {

constexpr std::string_view kRandom = "random:";

tl::unexpected<ModelError> wrong(const std::string& source, const std::string& what) {
  return tl::unexpected(ModelError{ModelError::Kind::unreadable, source + ": " + what});
}

tl::unexpected<ModelError> wrong(const std::string& source, const ModelError& error) {
  return tl::unexpected(ModelError{error.kind, source + ": " + error.message});
}

// Reads a shape such as "2x3x224x224".
std::optional<Shape> shape_of(std::string_view text) {
  Shape shape;
  std::int64_t elements = 1;
  while (true) {
    std::int64_t extent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (read.ec != std::errc() || extent < 1 || extent > kMaxElements / elements) return {};
    elements *= extent;
    shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (text.empty()) return shape;
    if (text.front() != 'x') return {};
    text.remove_prefix(1);
  }
}

ModelInput floats(std::string name, const Shape& shape, const std::vector<float>& values) {
  ModelTensor tensor{ModelTensor::Type::float32, shape, {}};
  tensor.bytes.resize(values.size() * sizeof(float));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return {.name = std::move(name), .arguments = {std::move(tensor)}};
}

// Draws uniformly from the real values of 0..127, the range that reduce_range calibration fills; in other calibrations
// it is the lower half.
ModelInput drawn(const std::string& name, const Shape& shape, const InputQuantization& q, Random random) {
  std::vector<float> values(static_cast<std::size_t>(element_count(shape)));
  for (float& value : values) {
    value = static_cast<float>(q.scale * (127 * random.unit() - static_cast<double>(q.zero_point)));
  }
  return floats(name, shape, values);
}

std::vector<std::filesystem::path> arrays_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".npy") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

template <typename Real>
std::int64_t not_finite(const std::vector<char>& bytes) {
  std::int64_t count = 0;
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Real)) {
    Real value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    count += std::isfinite(value) ? 0 : 1;
  }
  return count;
}

}  // namespace

tl::expected<ModelInputs, ModelError> ModelInputs::open(const std::vector<std::string>& sources, std::uint64_t seed,
                                                        Model& model, LibTorch& reference) {
  using Kind = Item::Kind;
  ModelInputs inputs;
  inputs.seed_ = seed;
  for (const std::string& source : sources) {
    std::error_code error;
    if (source.starts_with(kRandom)) {
      const auto shape = shape_of(std::string_view(source).substr(kRandom.size()));
      if (!shape) return wrong(source, "must be random: and a shape, as in random:1x3x224x224");
      // Running the model on zeros shows how it quantizes its input.
      const auto run = model.run(floats(source, *shape, {0.0F}), {.conv = [](CapturedConv&&) { return std::nullopt; }});
      if (!run) {
        return wrong(source, ModelError{run.error().kind, "the model refuses that shape: " + run.error().message});
      }
      const std::optional<InputQuantization>& quantization = run->quantization;
      if (!quantization)
        return wrong(source, "the model does not quantize its input, so no range is known: give a file");
      inputs.quantization_ = *quantization;
      inputs.items_.push_back({.name = source, .kind = Kind::random, .shape = *shape});
    } else if (std::filesystem::is_directory(source, error)) {
      const auto files = arrays_in(source);
      if (files.empty()) return wrong(source, "no .npy file is in that folder; numpy.save() writes one");
      for (const auto& file : files) inputs.items_.push_back({.name = file.string(), .kind = Kind::array});
    } else if (source.ends_with(".npy")) {
      inputs.items_.push_back({.name = source, .kind = Kind::array});
    } else {
      auto held = reference.read_inputs(source);
      if (!held) return wrong(source, held.error());
      for (ModelInput& input : *held) inputs.items_.push_back({.name = source, .held = std::move(input)});
    }
  }
  return inputs;
}

tl::expected<ModelInput, ModelError> ModelInputs::read(std::size_t i) const {
  const Item& item = items_[i];
  switch (item.kind) {
    case Item::Kind::held: return item.held;
    case Item::Kind::random: return drawn(item.name, item.shape, quantization_, Random(seed_, i));
    case Item::Kind::array: break;
  }
  auto tensor = read_npy(item.name);
  if (!tensor) return wrong(item.name, tensor.error());
  return ModelInput{.name = item.name, .arguments = {std::move(*tensor)}};
}

std::int64_t count_not_finite(const ModelInput& input) {
  std::int64_t count = 0;
  for (const ModelTensor& argument : input.arguments) {
    if (argument.type == ModelTensor::Type::float32) count += not_finite<float>(argument.bytes);
    if (argument.type == ModelTensor::Type::float64) count += not_finite<double>(argument.bytes);
  }
  return count;
}

std::string hint_of(const ModelInput& input) {
  const auto wide = [](const ModelTensor& argument) { return argument.type == ModelTensor::Type::float64; };
  if (std::none_of(input.arguments.begin(), input.arguments.end(), wide)) return {};
  return "the input is float64, and models take float32: save array.astype('float32'), or x.float()";
}

}  // namespace tieout
