#include <fmt/core.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "cases/machine/cpu_name.h"
#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch.h"

namespace tieout {
namespace {

constexpr std::array kEngines{Engine::fbgemm,  Engine::onednn,        Engine::x86,
                              Engine::qnnpack, Engine::fbgemm_direct, Engine::onednn_pointwise};
constexpr std::array kIsas{Isa::avx2, Isa::avx512, Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256};

void print_machine(const LibTorch& reference) {
  const Hardware hardware = reference.hardware();
  fmt::print("LibTorch {} on {}\n", reference.version(), cpu_name());
  fmt::print("folder: {}\n", libtorch_folder());
  const auto has = [](bool it) { return it ? "yes" : "no"; };
  fmt::print("CPU: AVX-512 {}, AVX-512 VNNI {}, AVX-VNNI {}, AMX-INT8 {}\n", has(hardware.avx512),
             has(hardware.avx512_vnni), has(hardware.avx_vnni), has(hardware.amx_int8));
  for (const Engine engine : kEngines) {
    const auto can = reference.available({.engine = engine});
    fmt::print("engine {:<16} {}\n", name(engine), can ? "available" : can.error().message);
  }
  for (const Isa isa : kIsas) {
    const auto can = reference.available({.isa = isa});
    fmt::print("FBGEMM with {:<16} {}{}\n", name(isa), can ? "can be forced" : can.error().message,
               isa == reference.native_isa() ? ", and is what it takes by itself" : "");
  }
}

std::string arithmetic_text(const ConvCase& c, FbgemmPath path, const Hardware& hardware) {
  const Arithmetic a = fbgemm_arithmetic(path, c.execution.isa, hardware);
  std::string text = a.products == Arithmetic::Products::exact ? "exact sums" : "int16 pairs saturate";
  if (a.activation_sum == Arithmetic::ActivationSum::int16) text += ", sums of activations at most 32767";
  if (!c.bias.empty() && c.granularity == Granularity::per_tensor) {
    text += a.tensor_bias == Arithmetic::TensorBias::fused ? ", bias by fma" : ", bias with two roundings";
  }
  return text;
}

std::string onednn_text(OnednnCode code) {
  switch (code) {
    case OnednnCode::vnni: return "exact sums";
    case OnednnCode::vnni_product: return "exact sums, by the product of the scales";
    case OnednnCode::amx: return "exact sums, zero point taken out in float32, by the product of the scales";
    case OnednnCode::avx512_pairs: return "int16 pairs of a kernel position saturate, scale by scale";
    case OnednnCode::avx512_pairs_product: return "int16 pairs of a kernel position saturate";
    case OnednnCode::avx512_gemm: return "int16 pairs of the window saturate";
    case OnednnCode::depthwise: return "depthwise code, exact sums";
    case OnednnCode::pointwise: return "pointwise code, int16 pairs saturate, zero point taken out in float32";
    case OnednnCode::int16_pairs: return "int16 pairs of a kernel position saturate";
    case OnednnCode::reference: return "reference code, exact sums, scale by scale";
    case OnednnCode::matmul: return "matrix product, exact sums";
    case OnednnCode::matmul_reciprocal: return "reference code of the matrix product, exact sums, by the reciprocal";
    case OnednnCode::matmul_reference: return "reference code of the matrix product, exact sums";
    case OnednnCode::matmul_product: return "matrix product, exact sums, by the product of the scales";
    case OnednnCode::matmul_blocks: return "matrix product, int16 pairs saturate, by the product of the scales";
    case OnednnCode::matmul_exact: return "matrix product of int8, exact sums, by the product of the scales";
    case OnednnCode::matmul_avx512:
    case OnednnCode::matmul_pairs: return "matrix product, int16 pairs saturate";
    case OnednnCode::gemm: break;
  }
  return "reference code, exact sums";
}

void print_row(ConvCase c, Engine engine, Isa isa, const LibTorch& reference) {
  const Hardware hardware = reference.hardware();
  c.execution.engine = engine;
  c.execution.isa = isa;
  const Engine picked = computing_engine(c, hardware);
  const FbgemmPath path = fbgemm_path(c, hardware);
  std::string what;
  if (const auto can = reference.available(c.execution); !can) {
    what = "not run: " + can.error().message;
  } else if (const std::string_view refused = refusal(c, hardware); !refused.empty()) {
    what = "refuses: " + std::string(refused);
  } else if (is_fbgemm(picked)) {
    what = std::string(name(path)) + ": " + arithmetic_text(c, path, hardware);
  } else {
    what = "by the rules of " + std::string(name(picked)) + " (oracle/README.md)";
    if (is_onednn(picked)) {
      what += ": " + onednn_text(onednn_code(c, hardware, onednn_scales(picked)));
      if (const auto other = onednn_other_code(c, hardware)) what += "; perhaps " + onednn_text(*other);
    }
  }
  constexpr int kWidth = 16;  // of the longest name of an engine
  fmt::print("{:<{}} {:<16} {}\n", name(engine), kWidth, is_fbgemm(engine) ? name(isa) : "", what);
  if (const KnownDefect* const defect = known_defect(c, hardware); defect != nullptr) {
    fmt::print("{:<{}} known defect {}: {}\n", "", kWidth + 17, defect->id, defect->cause);
  }
}

int engines(const std::string& line) {
  const auto c = line.empty() ? tl::expected<ConvCase, CaseError>(ConvCase{}) : parse(line);
  if (!c) return fail_command("engines", kBadUsage, c.error().text());
  const auto loaded = load_libtorch("engines");
  if (!loaded) return loaded.error();
  const LibTorch& reference = **loaded;
  print_machine(reference);
  if (line.empty()) return kEqual;
  fmt::print("\n{}\n", print(*c));
  const Engine fbgemm = needs_direct_call(*c) ? Engine::fbgemm_direct : Engine::fbgemm;
  for (const Isa isa : kIsas) print_row(*c, fbgemm, isa, reference);
  for (const Engine engine : {Engine::onednn, Engine::onednn_pointwise, Engine::x86, Engine::qnnpack})
    print_row(*c, engine, Isa::native, reference);
  if (const FbgemmPath actual = reference.fbgemm_path(*c); actual != fbgemm_path(*c, reference.hardware())) {
    return fail_command("engines", kDifferent, fmt::format("FBGEMM itself takes its {} path", name(actual)));
  }
  return kEqual;
}

}  // namespace

Command engines_command() {
  Command command{
      .name = "engines",
      .description = "What this CPU and LibTorch offer; with a case: which path and arithmetic each engine takes"};
  const auto line = std::make_shared<std::string>();
  command.option("case", line.get(), "Case line, in quotes");
  command.run = [line] { return engines(*line); };
  return command;
}

}  // namespace tieout
