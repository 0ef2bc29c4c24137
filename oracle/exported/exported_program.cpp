#include "oracle/exported/exported_program.h"

#include <algorithm>

namespace tieout {

std::size_t element_size(ElementType type) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::boolean: return 1;
    case ElementType::int16:
    case ElementType::float16:
    case ElementType::bfloat16: return 2;
    case ElementType::int32:
    case ElementType::float32: return 4;
    case ElementType::int64:
    case ElementType::float64: return 8;
    case ElementType::unknown: break;
  }
  return 0;
}

const char* name(ElementType type) {
  switch (type) {
    case ElementType::uint8: return "uint8";
    case ElementType::int8: return "int8";
    case ElementType::int16: return "int16";
    case ElementType::int32: return "int32";
    case ElementType::int64: return "int64";
    case ElementType::float16: return "float16";
    case ElementType::float32: return "float32";
    case ElementType::float64: return "float64";
    case ElementType::boolean: return "bool";
    case ElementType::bfloat16: return "bfloat16";
    case ElementType::unknown: break;
  }
  return "another type";
}

const Argument* ExportedNode::find(std::string_view argument_name) const {
  const auto found =
      std::find_if(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name == argument_name; });
  return found == inputs.end() ? nullptr : &found->value;
}

const std::string& ExportedNode::value(std::string_view argument_name) const {
  static const std::string none;
  const Argument* const found = find(argument_name);
  const auto* const held = found == nullptr ? nullptr : std::get_if<ValueName>(found);
  return held == nullptr ? none : held->name;
}

std::vector<std::string> names_in(const Argument& argument) {
  std::vector<std::string> names;
  if (const auto* const name = std::get_if<ValueName>(&argument)) names.push_back(name->name);
  if (const auto* const list = std::get_if<TensorNames>(&argument)) {
    for (const auto& one : *list) {
      if (const auto* const name = std::get_if<ValueName>(&one)) names.push_back(name->name);
    }
  }
  if (const auto* const list = std::get_if<std::vector<Whole>>(&argument)) {
    for (const auto& one : *list) {
      if (const auto* const name = std::get_if<ValueName>(&one)) names.push_back(name->name);
    }
  }
  return names;
}

}  // namespace tieout
