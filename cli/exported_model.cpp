#include "cli/exported_model.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "cases/text/case_words.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/own_process.h"
#include "cli/common/patience.h"
#include "cli/common/progress.h"
#include "oracle/exported/read_exported.h"
#include "oracle/libtorch/libtorch_isa_limit.h"
#include "props/exported/exported_verify.h"
#include "props/process/forked_task.h"
#include "reports/formats/exported_text.h"

namespace tieout {
namespace {

int refuse(std::string_view message) { return fail_command("model", kBadUsage, message); }
int not_verified(std::string_view message) { return fail_command("model", kNotVerified, message); }

int fail(const ExportedModelCall& call, const std::string& what, const ModelError& error) {
  if (error.kind == ModelError::Kind::absent) return not_verified(what + error.message);
  if (error.kind != ModelError::Kind::no_memory) return refuse(what + error.message);
  return not_verified(
      fmt::format("{}: more memory than --memory {} MiB is needed ({}): raise --memory, or give a "
                  "smaller input",
                  call.model, call.memory, error.message));
}

// Loads LibTorch, with ONEDNN held to the instruction set of the call. Error: the exit status, after the reason has
// been printed.
tl::expected<LibTorch*, int> load(const ExportedModelCall& call) {
  if (call.isa.empty()) return load_libtorch("model");
  const auto isa = from_name<Isa>("--isa", call.isa);
  if (!isa) return tl::unexpected(refuse(isa.error().text()));
  const auto reference = libtorch_held_to(*isa);
  if (!reference) return tl::unexpected(not_verified("--isa: " + reference.error().message));
  return *reference;
}

// Returns what ONEDNN uses of the CPU.
Hardware hardware_of_onednn(const ExportedModelCall& call, const LibTorch& reference) {
  Hardware hardware = reference.hardware();
  if (call.isa == "avx2") hardware.avx512 = false;
  if (call.isa == "avx2" || call.isa == "avx512") {
    hardware.avx512_vnni = hardware.avx_vnni = hardware.amx_int8 = false;
  }
  if (call.isa == "avx512_vnni") hardware.amx_int8 = false;
  return hardware;
}

void print(const ExportedModelCall& call, const ExportedReport& report) {
  fmt::print("{}: a program exported by PyTorch {}\n\n", call.model,
             report.torch_version.empty() ? "of unknown version" : report.torch_version);
  fmt::print("{}\n{}\n{}\n{}\n{}", lowering_text(report), migration_table(report), arithmetic_table(report),
             ends_text(report), exported_totals_text(report));
}

}  // namespace

int verify_exported_model(const ExportedModelCall& call) {
  auto program = read_exported_program(call.model);
  if (!program) return refuse(call.model + ": " + program.error());
  const std::vector<ExportedLayer> layers = find_exported_layers(*program);
  const auto reference = load(call);
  if (!reference) return reference.error();
  limit_memory(call.memory << 20);
  const ExportedProgram graph{.torch_version = program->torch_version, .nodes = program->nodes};
  auto model = (*reference)->open_exported(std::move(*program), layers);
  if (!model) return fail(call, call.model + ": ", model.error());
  const auto inputs = ModelInputs::open(call.inputs, call.seed, **model, **reference);
  if (!inputs) return fail(call, "--input: ", inputs.error());
  Progress progress(std::max<std::int64_t>(1, (*model)->convolutions()) * static_cast<std::int64_t>(inputs->count()));
  const auto report = verify_exported(
      {.model = model->get(), .program = &graph, .layers = &layers, .onednn = hardware_of_onednn(call, **reference)},
      *inputs, call.layers, **reference, [&](std::int64_t done) { progress.show(done, 0, "layers"); });
  progress.finish();
  if (!report) return fail(call, "--input: ", report.error());
  print(call, *report);
  const int status = exit_status(*report);
  if (status == kNotVerified) {
    return not_verified(call.model + ": no quantized layer was compared: see above why");
  }
  return status;
}

}  // namespace tieout
