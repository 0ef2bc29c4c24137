#include "cases/text/case_words.h"

#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "cases/strings/case_advice.h"

namespace tieout {
namespace {

constexpr std::array kFills{
    std::pair{Fill::uniform, std::string_view{"uniform"}},   std::pair{Fill::edges, std::string_view{"edges"}},
    std::pair{Fill::extremes, std::string_view{"extremes"}}, std::pair{Fill::reduced, std::string_view{"reduced"}},
    std::pair{Fill::sparse, std::string_view{"sparse"}},     std::pair{Fill::small, std::string_view{"small"}}};
constexpr std::array kEngines{std::pair{Engine::fbgemm, std::string_view{"fbgemm"}},
                              std::pair{Engine::onednn, std::string_view{"onednn"}},
                              std::pair{Engine::x86, std::string_view{"x86"}},
                              std::pair{Engine::qnnpack, std::string_view{"qnnpack"}},
                              std::pair{Engine::fbgemm_direct, std::string_view{"fbgemm_direct"}},
                              std::pair{Engine::onednn_pointwise, std::string_view{"onednn_pointwise"}}};
constexpr std::array kIsas{std::pair{Isa::native, std::string_view{"native"}},
                           std::pair{Isa::avx2, std::string_view{"avx2"}},
                           std::pair{Isa::avx512, std::string_view{"avx512"}},
                           std::pair{Isa::avx512_256, std::string_view{"avx512_256"}},
                           std::pair{Isa::avx512_vnni, std::string_view{"avx512_vnni"}},
                           std::pair{Isa::avx512_vnni_256, std::string_view{"avx512_vnni_256"}}};
constexpr std::array kFormats{std::pair{MemoryFormat::contiguous, std::string_view{"contiguous"}},
                              std::pair{MemoryFormat::channels_last, std::string_view{"channels_last"}}};

constexpr std::array kCalls{std::pair{Call::conv, std::string_view{"conv"}},
                            std::pair{Call::linear, std::string_view{"linear"}}};

constexpr std::array kActivationTypes{std::pair{ActivationType::uint8, std::string_view{"uint8"}},
                                      std::pair{ActivationType::int8, std::string_view{"int8"}}};
constexpr std::array kOutputTypes{std::pair{OutputType::uint8, std::string_view{"uint8"}},
                                  std::pair{OutputType::int8, std::string_view{"int8"}},
                                  std::pair{OutputType::int32, std::string_view{"int32"}}};

template <typename E>
constexpr const auto& names_of() {
  if constexpr (std::is_same_v<E, Fill>) {
    return kFills;
  } else if constexpr (std::is_same_v<E, Engine>) {
    return kEngines;
  } else if constexpr (std::is_same_v<E, Isa>) {
    return kIsas;
  } else if constexpr (std::is_same_v<E, Call>) {
    return kCalls;
  } else if constexpr (std::is_same_v<E, ActivationType>) {
    return kActivationTypes;
  } else if constexpr (std::is_same_v<E, OutputType>) {
    return kOutputTypes;
  } else {
    return kFormats;
  }
}

template <typename E>
std::string_view name_in_table(E value) {
  for (const auto& [known, name] : names_of<E>()) {
    if (known == value) return name;
  }
  return "listed";
}

}  // namespace

std::string_view name(Fill fill) { return name_in_table(fill); }
std::string_view name(Engine engine) { return name_in_table(engine); }
std::string_view name(Isa isa) { return name_in_table(isa); }
std::string_view name(MemoryFormat format) { return name_in_table(format); }
std::string_view name(Call call) { return name_in_table(call); }
std::string_view name(ActivationType type) { return name_in_table(type); }
std::string_view name(OutputType type) { return name_in_table(type); }
std::string_view name(Granularity granularity) {
  return granularity == Granularity::per_tensor ? "per_tensor" : "per_channel";
}

template <typename E>
tl::expected<E, CaseError> from_name(std::string_view field, std::string_view text) {
  std::string known;
  for (const auto& [value, name] : names_of<E>()) {
    if (name == text) return value;
    known.append(known.empty() ? "" : ", ").append(name);
  }
  return tl::unexpected(CaseError{std::string(field), "must be one of " + known + ", is '" + excerpt(text) + "'"});
}

template tl::expected<Fill, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<Engine, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<Isa, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<MemoryFormat, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<Call, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<ActivationType, CaseError> from_name(std::string_view, std::string_view);
template tl::expected<OutputType, CaseError> from_name(std::string_view, std::string_view);

}  // namespace tieout
