#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cases/strings/printable.h"
#include "cases/text/case_text.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/duration.h"
#include "cli/common/errors.h"
#include "cli/common/own_process.h"
#include "cli/common/patience.h"
#include "cli/common/progress.h"
#include "cli/common/run_text.h"
#include "cli/common/terminal.h"
#include "cli/exported_model.h"
#include "cli/model_errors.h"
#include "cli/options/diagnosis_option.h"
#include "cli/options/domain_option.h"
#include "cli/options/report_outputs.h"
#include "cli/options/seed.h"
#include "cli/options/subject_option.h"
#include "oracle/exported/read_exported.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/model_files/model_file.h"
#include "props/explain/explain.h"
#include "props/model/model_verify.h"
#include "props/process/forked_task.h"
#include "reports/formats/finding_text.h"
#include "reports/formats/model_text.h"
#include "reports/records/output_file.h"
#include "reports/text/number_text.h"

namespace tieout {
namespace {

struct ModelArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> hypotheses;
  std::optional<double> subject_patience;  // time limit of a subject's answer, seconds
  std::vector<std::string> subjects;
  std::vector<std::string> spread;
  std::string engine = "fbgemm";
  std::string save;
  std::string seed = "0";
  double diagnosis = kSecondsOfDiagnosis;
  std::size_t findings = 10;
  int threads = 0;
  std::vector<std::string> libtorch_threads;
  std::string save_tensors, compare;
  double patience = 600;       // time limit of the model's own code, seconds
  std::int64_t memory = 8192;  // MiB beyond LibTorch itself
  bool timing = false;
  std::string isa;
  ReportOutputs outputs;
};

tl::expected<std::vector<const Hypothesis*>, std::string> find_hypotheses(const std::vector<std::string>& names) {
  std::vector<const Hypothesis*> found;
  const bool all = names == std::vector<std::string>{"all"};
  for (const Hypothesis& hypothesis : hypotheses()) {
    if (all || (names.empty() && hypothesis.distance != Hypothesis::Distance::anywhere)) found.push_back(&hypothesis);
  }
  if (all) return found;
  for (const std::string& name : names) {
    const Hypothesis* const hypothesis = find_hypothesis(name);
    if (hypothesis == nullptr) {
      return tl::unexpected(
          fmt::format("--hypothesis: must be all, or of {}, is '{}'", fmt::join(names_of(hypotheses()), ", "), name));
    }
    if (std::find(found.begin(), found.end(), hypothesis) == found.end()) found.push_back(hypothesis);
  }
  return found;
}

// Default time limit of a subject's answer to one layer.
constexpr double kSecondsForALayer = 120;

using Subjects = std::vector<std::shared_ptr<Subject>>;  // one for each --subject

LayerSubject layer_subject(const std::shared_ptr<Subject>& subject, const std::string& text,
                           std::optional<double> patience) {
  const double seconds = patience.value_or(kSecondsForALayer);
  return {subject->name(),
          [subject, seconds](const ConvProblem& problem) { return run_subject_alone(*subject, problem, seconds); },
          [subject] { return subject->change(); }, text};
}

// Returns the options of the verification, and adds the subjects that they name. Error: the exit status, after the
// reason has been printed.
tl::expected<ModelOptions, int> options_of(const ModelArguments& arguments, Subjects& subjects) {
  ModelOptions options{.spread = arguments.spread, .max_findings = arguments.findings};
  for (const std::string& text : arguments.libtorch_threads) options.libtorch_threads.push_back(std::stoi(text));
  options.layers.threads =
      arguments.threads > 0 ? arguments.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  auto found = find_hypotheses(arguments.hypotheses);
  if (!found) return tl::unexpected(refuse_model(found.error()));
  options.layers.hypotheses = std::move(*found);
  for (const std::string& text : arguments.subjects) {
    auto subject = open_named(text, "model", arguments.subject_patience);
    if (!subject) return tl::unexpected(subject.error());
    subjects.push_back(std::move(*subject));
    options.layers.subjects.push_back(layer_subject(subjects.back(), text, arguments.subject_patience));
  }
  const std::vector<Column> columns = columns_of(options.layers);
  for (const std::string& name : options.spread) {
    if (std::any_of(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; })) continue;
    return tl::unexpected(refuse_model(fmt::format("--spread: must be one that is compared, is '{}'", name)));
  }
  return options;
}

// Returns for example "003_features.16.conv.2_manual_output_1.case".
std::string file_name(std::size_t number, const Finding& finding) {
  std::string name = fmt::format("{:03} {} {}", number, finding.expected_name, finding.actual_name);
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-' && c != '_'; }, '_');
  return name + ".case";
}

// Prints the findings and saves each in the folder, unless that is empty. Returns false if one cannot be written, after
// the reason has been printed.
bool print_findings(const ModelReport& report, const std::string& folder) {
  std::size_t number = 0;
  for (const Finding& finding : report.run.findings) {
    fmt::print("\n{}", finding_text(finding));
    if (folder.empty()) continue;
    const std::filesystem::path file = std::filesystem::path(folder) / file_name(++number, finding);
    if (const auto written = write_file(file, finding.case_line + "\n"); !written) {
      fmt::print(stderr, "tieout model: --save: {}\n", printable_lines(written.error()));
      return false;
    }
    fmt::print("saved: {}\n", file.string());
  }
  return true;
}

// Returns the reason why findings cannot be written to the folder; empty if they can, or if no folder is given.
std::string unwritable(const std::string& folder) {
  if (folder.empty()) return {};
  const auto writable = check_writable(std::filesystem::path(folder) / "finding.case");
  return writable ? std::string() : writable.error();
}

CallFiles files_of(const ModelArguments& arguments) {
  CallFiles files;
  files.add_input("model", arguments.model);
  for (const std::string& subject : arguments.subjects) add_subject_file(files, subject);
  for (const std::string& input : arguments.inputs) {
    files.add_input("--input", input);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(input, error))
      files.add_input("--input", entry.path());
  }
  return files;
}

std::string nothing_verified(const ModelReport& report) {
  if (report.run.cases.verified() > 0) return "not every layer was verified by every subject: see above why";
  if (!report.layers.empty()) return "nothing was verified: see above why";
  std::string text = "the model ran no quantized convolution or linear layer that can be verified";
  if (report.unverified.empty()) {
    return text +
           ": none of its operators is quantized. Quantize it for FBGEMM (torch.ao.quantization, "
           "get_default_qconfig('fbgemm')), and save what torch.jit.script or trace makes of it";
  }
  return text + "; what is quantized in it is listed above";
}

// Returns the run for the reports: without the findings of hypotheses, whose differences are no failures, and with an
// explanation of every finding.
RunSummary what_counts(RunSummary run) {
  std::erase_if(run.findings, [](const Finding& finding) { return find_hypothesis(finding.actual_name) != nullptr; });
  for (Finding& finding : run.findings) finding.explanation = explanation_of(finding);
  return run;
}

std::string too_slow(const ModelArguments& arguments, std::string_view what) {
  return fmt::format(
      "tieout model: {}: its code {} for {} seconds without reaching a quantized layer or its end: raise "
      "--patience",
      arguments.model, what, arguments.patience);
}

// Opens the model, with a time limit, because its code also runs while it is read.
ModelResult<std::unique_ptr<Model>> open(const ModelArguments& arguments, Engine engine, LibTorch& reference) {
  const Deadline deadline(arguments.patience, too_slow(arguments, "was read"));
  return reference.open_model(arguments.model, engine);
}

// What is decided before the model is opened.
struct Prepared {
  ModelOptions options;
  Subjects subjects;
  std::uint64_t seed;
  std::vector<KnownFinding> baseline;
  LibTorch* reference;
};

// Checks the options and files of the call, and loads LibTorch. Error: the exit status, after the reason has been
// printed.
tl::expected<Prepared, int> prepare(ModelArguments& arguments) {
  const auto refused = [](std::string_view message) { return tl::unexpected(refuse_model(message)); };
  const auto engine = from_name<Engine>("--engine", arguments.engine);
  if (!engine) return refused(engine.error().text());
  Subjects subjects;
  auto options = options_of(arguments, subjects);
  if (!options) return tl::unexpected(options.error());
  options->layers.engine = *engine;
  options->save_tensors = arguments.save_tensors;
  options->compare = arguments.compare;
  options->model_name = std::filesystem::path(arguments.model).filename().string();
  if (!arguments.inputs.empty())
    options->input_name = std::filesystem::path(arguments.inputs.front()).filename().string();
  auto baseline = prepare_reports(arguments.outputs, files_of(arguments));
  if (!baseline) return refused(baseline.error());
  if (const std::string why = unwritable(arguments.save); !why.empty()) return refused("--save: " + why);
  if (const std::string why = unwritable(arguments.save_tensors); !why.empty()) {
    return refused("--save-tensors: " + why);
  }
  const auto seed = parse_seed(arguments.seed);
  if (!seed) return refused("--seed: " + seed.error());
  const auto reference = load_libtorch("model");
  if (!reference) return tl::unexpected(reference.error());
  if (const std::string what = describe_foreign_model(arguments.model); !what.empty()) {
    return refused(arguments.model + ": " + what);
  }
  return Prepared{std::move(*options), std::move(subjects), *seed, std::move(*baseline), *reference};
}

// Opens the model and its inputs, and verifies it. Error: the exit status, after the reason has been printed.
tl::expected<ModelReport, int> verify_opened_model(const ModelArguments& arguments, const Prepared& prepared) {
  const auto failed = [&](const std::string& what, const ModelError& error) {
    return tl::unexpected(fail_model(arguments.model, arguments.memory, what, error));
  };
  LibTorch& reference = *prepared.reference;
  auto opened = open(arguments, prepared.options.layers.engine, reference);
  if (!opened) return failed(arguments.model + ": ", opened.error());
  const std::unique_ptr<Model> model =
      with_deadlines(std::move(*opened), arguments.patience, too_slow(arguments, "ran"));
  const auto inputs = ModelInputs::open(arguments.inputs, prepared.seed, *model, reference);
  if (!inputs) return failed("--input: ", inputs.error());
  if (inputs->count() > 1 && !(arguments.save_tensors.empty() && arguments.compare.empty())) {
    return tl::unexpected(
        refuse_model("--save-tensors and --compare: give one input, not " + std::to_string(inputs->count())));
  }
  Progress progress(std::max<std::int64_t>(1, model->layers()) * static_cast<std::int64_t>(inputs->count()));
  auto report = verify_model(*model, *inputs, prepared.options, reference, [&](const ModelProgress& so_far) {
    progress.show(so_far.layers, so_far.differing, "layers");
  });
  progress.finish();
  if (!report) return failed("--input: ", report.error());
  return std::move(*report);
}

// Notes the causes of a subject's differences in the layers.
void set_causes_of_layers(ModelReport& report, std::size_t column, const std::string& subject) {
  const std::vector<ReportedCause>& causes = report.run.causes;
  for (LayerReport& layer : report.layers) {
    if (column >= layer.columns.size() || layer.columns[column].differing == 0) continue;
    std::string text(kUnexplained);
    for (const Finding& finding : report.run.findings) {
      if (finding.subject != subject || !finding.expected_name.ends_with(" in " + layer.name)) continue;
      for (std::size_t i = 0; i < causes.size(); ++i) {
        if (causes[i].text == finding.cause && causes[i].condition == finding.condition) {
          text = fmt::format("cause {}", i + 1);
        }
      }
    }
    layer.columns[column].by_class = {{text, layer.columns[column].differing}};
  }
}

// Returns the part of the run that concerns one subject. calls: number of calls of layers in which it differs.
RunSummary run_of_subject(const RunSummary& run, const std::string& subject, std::int64_t calls, std::uint64_t seed) {
  RunSummary part = run;
  part.subject = subject;
  part.seed = seed;
  part.causes.clear();
  part.differences = {{std::string(kUnexplained), calls}};
  std::erase_if(part.findings, [&](const Finding& finding) { return finding.subject != subject; });
  return part;
}

// Adds the causes that a diagnosis of one subject has proven to the whole. several: whether there are other subjects,
// so that the causes need the name of theirs.
void add_causes(RunSummary& run, RunSummary part, const std::string& name, bool several) {
  const auto named = [&](std::string& cause) {
    if (several && !cause.empty() && cause != kReferenceDeparts) cause.insert(0, name + ": ");
  };
  auto diagnosed = part.findings.begin();
  for (Finding& finding : run.findings) {
    if (finding.subject != part.subject) continue;
    finding = *diagnosed++;
    named(finding.cause);
  }
  for (ReportedCause& cause : part.causes) {
    named(cause.text);
    run.cases_by_cause[name_of(cause)] += cause.cases;
    run.causes.push_back(std::move(cause));
  }
  const auto left = part.cases_by_cause.find(std::string(kUnexplained));
  if (left != part.cases_by_cause.end()) run.cases_by_cause[left->first] += left->second;
}

// Finds the causes of the subjects' differences. With several subjects, a call of a layer counts for each that differs.
void diagnose_subjects(ModelReport& report, const ModelArguments& arguments, const Prepared& prepared) {
  const std::size_t first = report.columns.size() - prepared.subjects.size();
  const std::map<std::string, std::int64_t> differences = report.run.differences;
  bool any = false;
  for (std::size_t i = 0; i < prepared.subjects.size() && arguments.diagnosis > 0; ++i) {
    const std::string& text = arguments.subjects[i];
    RunSummary part = run_of_subject(report.run, text, report.columns[first + i].differing, prepared.seed);
    if (part.findings.empty() || is_unstable(part)) continue;
    Subject& subject = *prepared.subjects[i];
    const double patience = arguments.subject_patience.value_or(Rules{}.seconds);
    const auto domain = choose_domain({}, &subject, patience, "model");
    if (!domain) continue;
    diagnose_findings(part, subject, text, patience, *domain, {}, arguments.diagnosis);
    if (part.causes.empty()) continue;
    any = true;
    add_causes(report.run, std::move(part), subject.name(), prepared.subjects.size() > 1);
  }
  for (const auto& [kind, count] : differences) {
    if (any && kind != kUnexplained) report.run.cases_by_cause[kind] = count;
  }
  for (std::size_t i = 0; i < prepared.subjects.size(); ++i) {
    set_causes_of_layers(report, first + i, arguments.subjects[i]);
  }
}

// Prints the causes of the subjects' differences, and the commands that look for causes that were not found.
void print_causes_of_subjects(const ModelArguments& arguments, const ModelReport& report, const Report& reported) {
  print_causes(reported);
  const std::size_t first = report.columns.size() - arguments.subjects.size();
  for (std::size_t i = 0; i < arguments.subjects.size(); ++i) {
    const std::string& subject = arguments.subjects[i];
    const bool explained = std::ranges::any_of(report.run.findings, [&](const Finding& finding) {
      return finding.subject == subject && !finding.cause.empty();
    });
    if (report.columns[first + i].differing == 0 || explained) continue;
    print_text(fmt::format("to look for the cause: tieout diagnose --subject {}\n", shell_word(subject)));
  }
}

// Prints the results on standard output. Returns false if a finding could not be saved.
bool print_report(const ModelArguments& arguments, const ModelReport& report, const Report& reported) {
  if (report.not_finite > 0) {
    fmt::print(stderr,
               "warning: {} numbers of the inputs are NaN or infinite; they are quantized to arbitrary values\n",
               report.not_finite);
  }
  print_causes_of_subjects(arguments, report, reported);
  if (!report.layers.empty()) fmt::print("{}\n{}", layer_table(report), forecast_text(report));
  if (!report.operators.empty()) fmt::print("\n{}", operator_table(report));
  fmt::print("{}{}{}{}", recorded_text(report), spread_text(report), unverified_text(report), replay_text(report));
  for (const auto* unanswered : {&report.run.differences, &report.run.reasons}) {
    for (const auto& [why, layers] : *unanswered) {
      if (why.find(": ") != std::string::npos) fmt::print("not answered, {}: {}\n", counted(layers, "layer"), why);
    }
  }
  const bool saved = print_findings(report, arguments.save);
  if (arguments.timing) fmt::print("\n{}", timing_text(report));
  fmt::print("\n{}", totals_text(report));
  return saved;
}

// Verifies an exported program.
int verify_exported_file(ModelArguments& arguments) {
  const bool others = !arguments.save.empty() || !arguments.spread.empty() || arguments.timing;
  if (others) return refuse_model("--save, --spread and --timing: apply to TorchScript models");
  if (!arguments.save_tensors.empty() || !arguments.compare.empty() || !arguments.libtorch_threads.empty()) {
    return refuse_model("--save-tensors, --compare and --libtorch-threads: apply to TorchScript models");
  }
  Subjects subjects;
  auto options = options_of(arguments, subjects);
  if (!options) return options.error();
  const auto engine = from_name<Engine>("--engine", arguments.engine);
  if (!engine) return refuse_model(engine.error().text());
  options->layers.engine = *engine;
  const auto seed = parse_seed(arguments.seed);
  if (!seed) return refuse_model("--seed: " + seed.error());
  return verify_exported_model({.model = arguments.model,
                                .inputs = arguments.inputs,
                                .layers = options->layers,
                                .all_hypotheses = !arguments.hypotheses.empty(),
                                .seed = *seed,
                                .memory = arguments.memory,
                                .isa = arguments.isa,
                                .outputs = arguments.outputs,
                                .files = files_of(arguments)});
}

int verify(ModelArguments& arguments) {
  if (is_exported_program(arguments.model)) return verify_exported_file(arguments);
  if (!arguments.isa.empty()) return refuse_model("--isa: applies to exported programs (.pt2)");
  const auto prepared = prepare(arguments);
  if (!prepared) return prepared.error();
  fmt::print(stderr, "{} is a program, and is run as you: open models of people you trust\n", arguments.model);
  limit_memory(arguments.memory << 20);  // called after LibTorch is loaded, which therefore does not count
  auto report = verify_opened_model(arguments, *prepared);
  if (!report) return report.error();
  diagnose_subjects(*report, arguments, *prepared);
  std::string change;
  for (const LayerSubject& subject : prepared->options.layers.subjects) {
    if (change.empty()) change = subject.change();
  }
  report->run.finished = change.empty();
  report->run.command = fmt::format("tieout model {} --input {}", arguments.model, fmt::join(arguments.inputs, " "));
  report->run.seed = prepared->seed;
  Report reported = make_report({what_counts(report->run)}, prepared->baseline);
  reported.model = ReportedModel{report->columns, report->layers, report->operators};
  const auto written =
      write_reports(arguments.outputs, reported);  // first, because printing to standard output may fail
  const bool saved = print_report(arguments, *report, reported);
  if (!written) return model_not_verified(written.error());
  if (!change.empty()) return model_not_verified("--subject: " + change);
  const int status = exit_status(*report);
  if (status == kNotVerified) return model_not_verified(arguments.model + ": " + nothing_verified(*report));
  return status == kEqual && !saved ? int{kNotVerified} : status;
}

constexpr const char* kFooter = R"(An input is
  FILE.pt               what torch.save() wrote: a tensor; a tuple of arguments; a
                        list of either, for several inputs
  FILE.npy, or DIR      what numpy.save() wrote; every .npy in the folder
  random:1x3x224x224    in the range that the model was calibrated for, by --seed
The last lines of standard output are one for each hypothesis:
  NAME differs at N of M elements in K of L layers
Exit status: 1 if the kernel or a subject differs, 0 if none does; what a
hypothesis differs by is no failure.
Of an exported program each layer's own answer, that of the operator it is lowered
to and that of eager quantization are compared, and each must be explained. They
may differ; exit status 1 if one is not explained, or if a subject reproduces none
of the three.
TorchScript is a program and is run as you: open models of people you trust.)";

}  // namespace

Command model_command() {
  Command command{.name = "model",
                  .description = "Verify every quantized layer of a TorchScript model or an exported program"};
  const auto arguments = std::make_shared<ModelArguments>();
  command.option(
      "model", &arguments->model,
      "File written by torch.jit.save(), which contains code that is run, or by torch.export.save(), which does "
      "not",
      {.required = true, .is_path = true});
  command.option("--input", &arguments->inputs, "Input of the model; see below", {.required = true, .is_path = true});
  command.option("--subject", &arguments->subjects,
                 "Kernel to verify: a shared library, command:LINE, hypothesis:NAME or engine:NAME", {.is_path = true});
  add_patience(command, arguments->subject_patience, kSecondsForALayer, "--subject-patience");
  add_diagnosis_option(command, arguments->diagnosis);
  command.option("--hypothesis", &arguments->hypotheses,
                 "Hypotheses to compare, or all (default: those whose values are close to the operator's)",
                 {.proposals = names_of(hypotheses())});
  command.option("--spread", &arguments->spread,
                 "Propagate the differences of this column to the end of the model; those of subjects always are");
  command.option("--engine", &arguments->engine, "Engine to pack the weights for",
                 {.proposals = {"fbgemm", "onednn", "x86", "qnnpack"}, .show_default = true});
  command.option("--isa", &arguments->isa,
                 "Instruction set that LibTorch is held to, for exported programs (default: all that the CPU has)",
                 {.proposals = {"avx2", "avx512", "avx512_vnni"}});
  command.option("--save", &arguments->save, "Folder for the findings, one case per file", {.type = "DIR"});
  command.option("--findings", &arguments->findings, "Maximum number of findings to shrink and print",
                 {.show_default = true});
  command.option("--seed", &arguments->seed, "Seed of random inputs", {.show_default = true});
  command.option("--save-tensors", &arguments->save_tensors,
                 "Folder for the input and output of every operator, as .npy files with a manifest", {.type = "DIR"});
  command.option("--compare", &arguments->compare,
                 "Folder of outputs that another implementation has written, named as by --save-tensors",
                 {.type = "DIR", .is_path = true});
  command.option("--libtorch-threads", &arguments->libtorch_threads,
                 "Number of LibTorch's threads for which to predict what changes; can be repeated",
                 {.check = whole_number(2, 1024)});
  command.option("--threads", &arguments->threads, "Number of threads of the verification (default: number of cores)",
                 {.check = whole_number(1, 1024)});
  command.option("--patience", &arguments->patience,
                 "Timeout of the model's own code, from one quantized layer to the next, seconds",
                 {.check = seconds_check(), .show_default = true});
  command.option("--memory", &arguments->memory,
                 "Memory limit of the model and its verification in addition to LibTorch, MiB",
                 {.check = whole_number(1, std::int64_t{1} << 32), .show_default = true});
  command.option("--timing", &arguments->timing,
                 "Print where the time went, compared with the model's own forward pass");
  add_report_options(command, arguments->outputs);
  command.footer = kFooter;
  command.run = [arguments] {
    return in_own_process("tieout model", [&] {
      try {
        return verify(*arguments);
      } catch (const std::bad_alloc& error) {
        return model_out_of_memory(arguments->model, arguments->memory, error.what());
      }
    });
  };
  return command;
}

}  // namespace tieout
