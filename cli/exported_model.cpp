#include "cli/exported_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cases/strings/printable.h"
#include "cases/text/case_words.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/progress.h"
#include "cli/common/terminal.h"
#include "cli/model_errors.h"
#include "oracle/exported/read_exported.h"
#include "oracle/libtorch/libtorch_isa_limit.h"
#include "props/exported/exported_verify.h"
#include "props/process/forked_task.h"
#include "reports/formats/exported_text.h"

namespace tieout {
namespace {

// Returns the instruction set of the call, which is valid.
Isa isa_of(const ExportedModelCall& call) {
  return call.isa.empty() ? Isa::native : from_name<Isa>("--isa", call.isa).value_or(Isa::native);
}

// Loads LibTorch, with ONEDNN held to the instruction set of the call. Error: the exit status, after the reason has
// been printed.
tl::expected<LibTorch*, int> load(const ExportedModelCall& call) {
  if (call.isa.empty()) return load_libtorch("model");
  const auto isa = from_name<Isa>("--isa", call.isa);
  if (!isa) return tl::unexpected(refuse_model(isa.error().text()));
  const auto reference = libtorch_held_to(*isa);
  if (!reference) return tl::unexpected(model_not_verified("--isa: " + reference.error().message));
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

void print_program(const ExportedModelCall& call, const ExportedReport& report) {
  const std::string text =
      fmt::format("{}: a program exported by PyTorch {}\n\n{}\n{}\n{}\n{}\n{}", call.model,
                  report.torch_version.empty() ? "of unknown version" : report.torch_version, lowering_text(report),
                  migration_table(report), arithmetic_table(report), ends_text(report), exported_totals_text(report));
  // Names of layers and operators come from the file.
  print_text(printable_lines(text));
}

// Opens the program and its inputs, and verifies it. Error: the exit status, after the reason has been printed.
tl::expected<ExportedReport, int> verify_opened_program(const ExportedModelCall& call) {
  const auto failed = [&](const std::string& what, const ModelError& error) {
    return tl::unexpected(fail_model(call.model, call.memory, what, error));
  };
  auto program = read_exported_program(call.model);
  if (!program) return tl::unexpected(refuse_model(call.model + ": " + program.error()));
  const std::vector<ExportedLayer> layers = find_exported_layers(*program);
  const auto reference = load(call);
  if (!reference) return tl::unexpected(reference.error());
  limit_memory(call.memory << 20);  // called after LibTorch is loaded, which therefore does not count
  const ExportedProgram graph{.torch_version = program->torch_version, .nodes = program->nodes};
  auto model = (*reference)->open_exported(std::move(*program), layers);
  if (!model) return failed(call.model + ": ", model.error());
  const auto inputs = ModelInputs::open(call.inputs, call.seed, **model, **reference);
  if (!inputs) return failed("--input: ", inputs.error());
  Progress progress(std::max<std::int64_t>(1, (*model)->layers()) * static_cast<std::int64_t>(inputs->count()));
  auto report =
      verify_exported({.model = model->get(),
                       .program = &graph,
                       .layers = &layers,
                       .onednn = hardware_of_onednn(call, **reference),
                       .fbgemm = isa_of(call)},
                      *inputs, call.layers, **reference, [&](std::int64_t done) { progress.show(done, 0, "layers"); });
  progress.finish();
  if (!report) return failed("--input: ", report.error());
  return std::move(*report);
}

}  // namespace

int verify_exported_model(const ExportedModelCall& call) {
  ReportOutputs outputs = call.outputs;
  const auto baseline = prepare_reports(outputs, call.files);
  if (!baseline) return refuse_model(baseline.error());
  auto report = verify_opened_program(call);
  if (!report) return report.error();
  for (ExportedColumn& column : report->columns) {
    const bool of_document = column.name.starts_with("manual_output");
    if (column.kind == Column::Kind::hypothesis && !call.all_hypotheses && !of_document) column.shown = false;
  }
  RunSummary& run = report->run;
  run.command = fmt::format("tieout model {} --input {}", call.model, fmt::join(call.inputs, " "));
  run.seed = call.seed;
  Report reported = make_report({run}, *baseline);
  reported.table = exported_table(*report);
  const auto written = write_reports(outputs, reported);  // first, because printing to standard output may fail
  print_program(call, *report);
  if (!written) return model_not_verified(written.error());
  const int status = exit_status(*report);
  if (status != kNotVerified) return status;
  return model_not_verified(call.model + ": no quantized layer was compared: see above why");
}

}  // namespace tieout
