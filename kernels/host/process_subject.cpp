#include "kernels/host/process_subject.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cases/layout.h"
#include "cases/strings/printable.h"
#include "kernels/host/child_process.h"
#include "kernels/subject/kernel_call.h"
#include "kernels/subject/subject_digest.h"
#include "kernels/subject/tensor_order.h"

namespace tieout {
namespace {

using Kind = SubjectError::Kind;

constexpr std::size_t kLongestProgramText = 300;  // maximum size of the program's own texts in messages, in bytes

std::string number(double value, int digits) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

template <typename T, typename Text>
std::string list(const std::vector<T>& values, Text text) {
  std::string joined;
  for (const T& value : values) joined += (joined.empty() ? "" : ",") + text(value);
  return joined;
}

std::string triple(const Spatial& s) {
  return std::to_string(s[0]) + "," + std::to_string(s[1]) + "," + std::to_string(s[2]);
}

// The properties that a program declares in its first line.
struct Hello {
  bool activation_last = false, weight_last = false;  // channels last: nhwc, ohwi
  std::string name, domain;                           // empty: none
  KernelTypes types;
  SubjectScope scope;
};

// Returns the operators that a program lists, or nothing if it lists one that does not exist.
std::optional<std::vector<std::string>> listed_operators(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    if (find_operator(name) == nullptr) return {};
    names.emplace_back(name);
  }
  return names;
}

// Returns the properties in the line. Error: what is wrong with the line, and what is allowed.
tl::expected<Hello, std::string> parse_hello(std::string_view line) {
  Hello hello;
  std::string_view rest = line;
  const auto next_word = [&] {
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    return word;
  };
  if (next_word() != "ok") return tl::unexpected(std::string("it must begin with the word 'ok'"));
  while (!rest.empty()) {
    constexpr std::string_view kDomain = "domain=";
    if (rest.starts_with(kDomain)) {
      hello.domain = rest.substr(kDomain.size());
      break;
    }
    const std::string_view word = next_word();
    if (word == "activation=nchw" || word == "activation=nhwc") {
      hello.activation_last = word.ends_with("nhwc");
    } else if (word == "weight=oihw" || word == "weight=ohwi") {
      hello.weight_last = word.ends_with("ohwi");
    } else if (word == "activation_type=uint8" || word == "activation_type=int8") {
      hello.types.activation = word.ends_with("=int8") ? ActivationType::int8 : ActivationType::uint8;
    } else if (word == "output_type=uint8" || word == "output_type=int8" || word == "output_type=int32") {
      hello.types.output = word.ends_with("=int32")  ? OutputType::int32
                           : word.ends_with("=int8") ? OutputType::int8
                                                     : OutputType::uint8;
    } else if (word == "bias_type=float32" || word == "bias_type=int32") {
      hello.types.int32_bias = word.ends_with("=int32");
    } else if (word == "end_padding=0" || word == "end_padding=1") {
      hello.types.end_padding = word.ends_with("=1");
    } else if (word == "convolutions=0" || word == "convolutions=1") {
      hello.scope.convolutions = word.ends_with("=1");
    } else if (word.starts_with("operators=")) {
      auto names = listed_operators(word.substr(10));
      if (!names) {
        return tl::unexpected("'" + printable(word, 100) +
                              "' names an operator that does not exist; see `tieout help operators`");
      }
      hello.scope.operators = !names->empty();
      hello.scope.declared = std::move(*names);
    } else if (word.starts_with("name=")) {
      hello.name = printable(word.substr(5), kLongestName);
    } else {
      return tl::unexpected(
          "'" + printable(word, 100) +
          "' is not a word of it: activation=nchw or nhwc, weight=oihw or ohwi, activation_type=uint8 or int8, "
          "output_type=uint8, int8 or int32, bias_type=float32 or int32, end_padding=0 or 1, convolutions=0 or 1, "
          "operators=NAME,NAME, name=WORD, and last "
          "domain=WORDS");
    }
  }
  return hello;
}

class ProcessSubject final : public Subject {
 public:
  explicit ProcessSubject(ProcessProgram program) : program_(std::move(program)), files_(program_.files) {}

  std::string name() const override { return hello_.name.empty() ? program_.name : hello_.name; }
  std::string domain() const override { return hello_.domain; }
  KernelTypes types() const override { return hello_.types; }
  SubjectScope scope() const override { return hello_.scope; }
  std::string text() const override { return program_.text; }
  std::string version() const override { return program_.reads_execution ? hello_.name : std::string(); }
  bool reads_execution() const override { return program_.reads_execution; }
  Isolation isolation() const override { return Isolation::program; }
  void stop() override { process_.reset(); }
  std::string change() const override {
    const std::string what = files_.change();
    return what.empty() ? what : what + "; a file that the command itself writes must not be named in its line";
  }

  using Subject::load;
  tl::expected<void, SubjectError> load(double seconds) override {
    seconds_to_load_ = seconds;
    if (process_ && process_->is_ours()) return {};
    process_.reset();
    auto started = ChildProcess::start(ChildProcess::Kind::command, program_.command);
    if (!started) return tl::unexpected(started.error());
    const auto deadline = ChildProcess::after(seconds_to_load_);
    const auto sent = started->send("tieout 1\n", deadline);
    const auto hello = sent ? started->read_line(deadline) : tl::unexpected(sent.error());
    if (!hello) {
      // The last line of standard error explains a hang. After the end of the program, the error already contains it.
      const std::string words = started->end();
      return absent("said nothing: " + hello.error().message +
                    (words.empty() ? "" : "; its standard error ends with '" + words + "'"));
    }
    auto parsed = parse_hello(*hello);
    if (!parsed) return absent("answered '" + printable(*hello, 200) + "': " + parsed.error());
    hello_ = std::move(*parsed);
    process_.emplace(std::move(*started));
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) override {
    return run_in_process(problem, conditions);
  }
  SubjectAnswer run_operator(const OperatorCase& c, const Conditions& conditions) override {
    return run_in_process(c, conditions);
  }

 private:
  using Clock = ChildProcess::Clock;

  [[nodiscard]] tl::unexpected<SubjectError> absent(const std::string& what) const {
    return tl::unexpected(SubjectError{
        Kind::absent,
        "command '" + program_.command + "' " + what + "; to 'tieout 1' it must answer a line that begins with 'ok'"});
  }

  template <typename Problem>
  SubjectAnswer run_in_process(const Problem& problem, const Conditions& conditions) {
    if (auto loaded = load(std::max(seconds_to_load_, kSecondsToLoad)); !loaded) return tl::unexpected(loaded.error());
    if (!process_) std::abort();  // impossible: load() has started it
    auto answer = ask(*process_, problem, ChildProcess::after(conditions.seconds));
    // After any other error, the position of the program in the stream of requests is unknown.
    if (!answer && answer.error().kind != Kind::declined) process_.reset();
    return answer;
  }

  // Returns a request of docs/process_protocol.md.
  [[nodiscard]] std::string request_of(const ConvProblem& problem) const {
    const ConvCase& c = problem.spec;
    std::string request = request_line(c, hello_.types);
    const auto append = [&](const auto& values) { request.append(values.begin(), values.end()); };
    std::vector<std::uint8_t> activation =
        hello_.activation_last ? transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input))
                               : problem.activation;
    if (hello_.types.activation == ActivationType::int8) shift_by_128(activation);
    append(activation);
    append(hello_.weight_last
               ? transposed(problem.weight.data(), c.out_channels, c.in_channels / c.groups, volume(c.kernel))
               : problem.weight);
    return request;
  }

  // Does the same for another operator.
  [[nodiscard]] std::string request_of(const OperatorCase& c) const {
    std::string request = operator_request_line(c);
    for (const OperatorInput& input : c.inputs) {
      const auto floats = ordered(input.floats, input.shape);
      const auto bytes = ordered(input.contents.values, input.shape);
      request.append(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
      request.append(bytes.begin(), bytes.end());
    }
    return request;
  }

  // Returns row-major values in the program's order.
  template <typename T>
  [[nodiscard]] std::vector<T> ordered(const std::vector<T>& values, const Shape& shape) const {
    return hello_.activation_last ? with_channels_last(values, shape) : values;
  }

  [[nodiscard]] static SubjectAnswer declined(std::string reason) {
    return tl::unexpected(SubjectError{Kind::declined, std::move(reason)});
  }

  // Sends the request and returns the bytes of the output. count: their number.
  [[nodiscard]] static tl::expected<std::vector<std::uint8_t>, SubjectError> exchange(ChildProcess& process,
                                                                                      const std::string& request,
                                                                                      std::int64_t count,
                                                                                      Clock::time_point deadline) {
    if (auto sent = process.send(request, deadline); !sent) return tl::unexpected(sent.error());
    const auto line = process.read_line(deadline);
    if (!line) return tl::unexpected(line.error());
    if (line->starts_with("declined")) {
      std::string reason = printable(line->substr(std::min<std::size_t>(line->size(), 9)), kLongestProgramText);
      if (reason.empty()) reason = kNoReason;
      return tl::unexpected(SubjectError{Kind::declined, std::move(reason)});
    }
    if (*line != "ok " + std::to_string(count)) {
      return tl::unexpected(SubjectError{Kind::misbehaved, "answers '" + printable(*line, kLongestProgramText) +
                                                               "', and neither 'ok " + std::to_string(count) +
                                                               "' nor 'declined'"});
    }
    const auto bytes = process.read_bytes(static_cast<std::size_t>(count), deadline);
    if (!bytes) return tl::unexpected(bytes.error());
    return std::vector<std::uint8_t>(bytes->begin(), bytes->end());
  }

  SubjectAnswer ask(ChildProcess& process, const ConvProblem& problem, Clock::time_point deadline) const {
    const ConvCase& c = problem.spec;
    const bool in_words = program_.request != nullptr;
    // A program that gets whole case lines, as LibTorch does, declines by itself.
    if (!in_words && !hello_.scope.convolutions) return declined(kNoConvolutions);
    if (const std::string_view reason = refusal(hello_.types, c); !in_words && !reason.empty()) {
      return declined(std::string(reason));
    }
    Answers y{output_shape(c), {}};
    const bool sums = hello_.types.output == OutputType::int32;
    const auto bytes = exchange(process, in_words ? program_.request(problem) : request_of(problem),
                                element_count(y.shape) * (sums ? 4 : 1), deadline);
    if (!bytes) return tl::unexpected(bytes.error());
    y.values = values_of(*bytes, hello_.types.output);
    if (hello_.activation_last) {
      y.values = transposed(y.values.data(), c.batch, volume(output_size(c)), c.out_channels);
    }
    return y;
  }

  SubjectAnswer ask(ChildProcess& process, const OperatorCase& c, Clock::time_point deadline) const {
    if (!hello_.scope.operators) return declined(kNoOperators);
    if (std::ranges::find(hello_.scope.declared, c.schema->name) == hello_.scope.declared.end()) {
      return declined(std::string(c.schema->name) + ": its greeting does not name this operator");
    }
    const OutputType type = c.schema->has_float_output ? OutputType::int32 : OutputType::uint8;
    Answers y{output_shape(c), {}};
    const auto bytes =
        exchange(process, request_of(c), element_count(y.shape) * (c.schema->has_float_output ? 4 : 1), deadline);
    if (!bytes) return tl::unexpected(bytes.error());
    y.values = values_of(*bytes, type);
    if (hello_.activation_last) y.values = in_row_major_order(y.values, y.shape);
    return y;
  }

  ProcessProgram program_;
  SubjectFiles files_;
  std::optional<ChildProcess> process_;
  double seconds_to_load_ = kSecondsToLoad;
  Hello hello_;
};

}  // namespace

std::string request_line(const ConvCase& c, const KernelTypes& types) {
  const auto scale = [](double value) { return number(value, 17); };
  const auto integer = [](std::int64_t value) { return std::to_string(value); };
  const auto bias = [](float value) { return number(static_cast<double>(value), 9); };
  std::string line = "conv";
  const auto word = [&](const char* name, const std::string& value) { line.append(" ").append(name) += "=" + value; };
  word("dims", std::to_string(c.dims));
  word("batch", integer(c.batch));
  word("in_channels", integer(c.in_channels));
  word("out_channels", integer(c.out_channels));
  word("groups", integer(c.groups));
  word("input", triple(c.input));
  word("kernel", triple(c.kernel));
  word("stride", triple(c.stride));
  word("padding", triple(c.padding));
  if (types.end_padding) word("padding_end", triple(end_padding(c)));
  word("dilation", triple(c.dilation));
  word("output", triple(output_size(c)));
  word("xs", scale(c.activation_scale));
  word("xz", integer(c.activation_zero_point - stored_shift(types.activation)));
  word("per_channel", c.granularity == Granularity::per_channel ? "1" : "0");
  word("ws", list(c.weight_scales, scale));
  word("wz", list(c.weight_zero_points, integer));
  word("os", scale(c.output_scale));
  word("oz", integer(c.output_zero_point - stored_shift(types.output)));
  word("relu", c.relu == Relu::on ? "1" : "0");
  if (types.int32_bias) {
    word("int32_bias", c.int32_bias.empty() ? "none" : list(c.int32_bias, integer));
  } else {
    word("bias", c.bias.empty() ? "none" : list(c.bias, bias));
  }
  return line + "\n";
}

std::string operator_request_line(const OperatorCase& c) {
  const auto real = [](double value) { return number(value, 17); };
  const auto integer = [](std::int64_t value) { return std::to_string(value); };
  const auto shape_text = [&](const Shape& shape) {
    std::string text;
    for (const std::int64_t extent : shape) text += (text.empty() ? "" : "x") + integer(extent);
    return text.empty() ? "scalar" : text;
  };
  // Returns one text for each input.
  const auto of_inputs = [&](auto text) {
    std::string joined;
    for (const OperatorInput& input : c.inputs) joined += (joined.empty() ? "" : ",") + text(input);
    return joined;
  };
  std::string line = "operator";
  const auto word = [&](std::string_view name, const std::string& value) {
    line.append(" ").append(name).append("=").append(value);
  };
  word("name", std::string(c.schema->name));
  word("inputs", std::to_string(c.inputs.size()));
  word("shape", of_inputs([&](const OperatorInput& input) { return shape_text(input.shape); }));
  if (!c.schema->has_float_input) {
    word("xs", of_inputs([&](const OperatorInput& input) { return real(input.quantization.scale); }));
    word("xz", of_inputs([&](const OperatorInput& input) { return integer(input.quantization.zero_point); }));
  }
  word("output", shape_text(output_shape(c)));
  if (!c.schema->has_float_output) {
    word("os", real(c.output.scale));
    word("oz", integer(c.output.zero_point));
  }
  for (std::size_t i = 0; i < c.attributes.size(); ++i) {
    const AttributeSchema& schema = c.schema->attributes[i];
    const bool is_extents = schema.kind == AttributeSchema::Kind::extents;
    word(schema.name, is_extents ? list(extents(c, schema.name), integer) : list(c.attributes[i], real));
  }
  return line + "\n";
}

std::unique_ptr<Subject> process_subject(const std::string& command) {
  const std::string text = std::string(kCommandPrefix) + command;
  return process_subject(ProcessProgram{
      .command = command, .text = text, .name = command, .files = text, .request = nullptr, .reads_execution = false});
}

std::unique_ptr<Subject> process_subject(ProcessProgram program) {
  return std::make_unique<ProcessSubject>(std::move(program));
}

}  // namespace tieout
