#include "kernels/process_subject.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "cases/layout.h"
#include "kernels/child_process.h"

namespace tieout {
namespace {

using Kind = SubjectError::Kind;

constexpr double kPatience = 60;  // seconds, until a program has said hello

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

// "a=1 b=2" as a map; words without '=' map to nothing.
std::map<std::string, std::string> words_of(const std::string& line) {
  std::map<std::string, std::string> words;
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    const auto equals = word.find('=');
    words[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
  }
  return words;
}

class ProcessSubject final : public Subject {
 public:
  explicit ProcessSubject(std::string command) : command_(std::move(command)) {}

  std::string name() const override { return command_; }
  std::string text() const override { return "command:" + command_; }
  Isolation isolation() const override { return Isolation::own_process; }

  tl::expected<void, SubjectError> load() override {
    if (process_ && process_->is_ours()) return {};
    process_.reset();
    auto started = ChildProcess::start(command_);
    if (!started) return tl::unexpected(started.error());
    const auto deadline = after(kPatience);
    const auto sent = started->send("tieout 1\n", deadline);
    const auto hello = sent ? started->read_line(deadline) : tl::unexpected(sent.error());
    if (!hello) return absent("said nothing: " + hello.error().message);
    auto words = words_of(*hello);
    if (!words.contains("ok")) return absent("answered '" + *hello + "'");
    const auto one_of = [&](const char* word, const char* first, const char* last) -> std::optional<bool> {
      const std::string value = words.contains(word) ? words[word] : first;
      if (value != first && value != last) return {};
      return value == last;
    };
    const auto activation = one_of("activation", "nchw", "nhwc");
    const auto weight = one_of("weight", "oihw", "ohwi");
    if (!activation || !weight) {
      return absent("answered '" + *hello + "': activation must be nchw or nhwc, weight oihw or ohwi");
    }
    activation_last_ = *activation;
    weight_last_ = *weight;
    process_.emplace(std::move(*started));
    return {};
  }

  tl::expected<Tensor<std::uint8_t>, SubjectError> run(const ConvProblem& problem,
                                                       const Conditions& conditions) override {
    if (auto loaded = load(); !loaded) return tl::unexpected(loaded.error());
    if (!process_) std::abort();  // load() has started it
    auto answer = ask(*process_, problem, after(conditions.seconds));
    // After anything but an answer nobody knows what it will read or write next.
    if (!answer && answer.error().kind != Kind::declined) process_.reset();
    return answer;
  }

 private:
  using Clock = ChildProcess::Clock;

  static Clock::time_point after(double seconds) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  [[nodiscard]] tl::unexpected<SubjectError> absent(const std::string& what) const {
    return tl::unexpected(SubjectError{
        Kind::absent,
        "command '" + command_ + "' " + what + "; to 'tieout 1' it must answer a line that begins with 'ok'"});
  }

  tl::expected<Tensor<std::uint8_t>, SubjectError> ask(ChildProcess& process, const ConvProblem& problem,
                                                       Clock::time_point deadline) const {
    const ConvCase& c = problem.spec;
    std::string request = request_line(c);
    const auto append = [&](const auto& values) { request.append(values.begin(), values.end()); };
    append(activation_last_ ? transposed(problem.activation.data(), c.batch, c.in_channels, volume(c.input))
                            : problem.activation);
    append(weight_last_ ? transposed(problem.weight.data(), c.out_channels, c.in_channels / c.groups, volume(c.kernel))
                        : problem.weight);
    if (auto sent = process.send(request, deadline); !sent) return tl::unexpected(sent.error());
    const auto line = process.read_line(deadline);
    if (!line) return tl::unexpected(line.error());
    if (line->starts_with("declined")) {
      return tl::unexpected(SubjectError{Kind::declined, line->substr(std::min<std::size_t>(line->size(), 9))});
    }
    Tensor<std::uint8_t> y{output_shape(c), {}};
    const std::int64_t count = element_count(y.shape);
    if (*line != "ok " + std::to_string(count)) {
      return tl::unexpected(SubjectError{
          Kind::misbehaved, "answers '" + *line + "', and neither 'ok " + std::to_string(count) + "' nor 'declined'"});
    }
    const auto bytes = process.read_bytes(static_cast<std::size_t>(count), deadline);
    if (!bytes) return tl::unexpected(bytes.error());
    y.values.assign(bytes->begin(), bytes->end());
    if (activation_last_) {
      y.values = transposed(y.values.data(), c.batch, volume(output_size(c)), c.out_channels);
    }
    return y;
  }

  std::string command_;
  std::optional<ChildProcess> process_;
  bool activation_last_ = false, weight_last_ = false;
};

}  // namespace

std::string request_line(const ConvCase& c) {
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
  word("dilation", triple(c.dilation));
  word("output", triple(output_size(c)));
  word("xs", scale(c.activation_scale));
  word("xz", integer(c.activation_zero_point));
  word("per_channel", c.granularity == Granularity::per_channel ? "1" : "0");
  word("ws", list(c.weight_scales, scale));
  word("wz", list(c.weight_zero_points, integer));
  word("os", scale(c.output_scale));
  word("oz", integer(c.output_zero_point));
  word("relu", c.relu == Relu::on ? "1" : "0");
  word("bias", c.bias.empty() ? "none" : list(c.bias, bias));
  return line + "\n";
}

std::unique_ptr<Subject> process_subject(std::string command) {
  return std::make_unique<ProcessSubject>(std::move(command));
}

}  // namespace tieout
