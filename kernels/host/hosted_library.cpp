#include "kernels/host/hosted_library.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cases/strings/printable.h"
#include "kernels/host/child_process.h"
#include "kernels/host/host_protocol.h"
#include "kernels/host/library_server.h"
#include "kernels/subject/subject_digest.h"

namespace tieout {
namespace {

using Kind = SubjectError::Kind;
using Clock = ChildProcess::Clock;

constexpr std::size_t kLongestLibraryText = 300;  // maximum size of the library's own texts in messages, in bytes

Shape shape_of(const ConvProblem& problem) { return output_shape(problem.spec); }
Shape shape_of(const OperatorCase& c) { return output_shape(c); }

std::string packed(std::uint64_t number, const SubjectCall& call) {
  return std::visit([&](const auto* problem) { return pack(number, *problem, call.conditions); }, call.problem);
}

// Returns the next message. Error: misbehaved if it has more than `most` bytes.
tl::expected<std::string, SubjectError> read_frame(ChildProcess& process, std::size_t most,
                                                   Clock::time_point deadline) {
  const auto head = process.read_bytes(kFrameHead, deadline);
  if (!head) return tl::unexpected(head.error());
  const std::uint64_t size = frame_size(*head);
  if (size > most) return subject_error(Kind::misbehaved, "writes to a file descriptor that is not its own");
  return process.read_bytes(size, deadline);
}

class HostedLibrary final : public Subject {
 public:
  explicit HostedLibrary(std::filesystem::path file) : file_(std::move(file)), files_(file_.string()) {}

  std::string name() const override { return hello_.name.empty() ? file_.filename().string() : hello_.name; }
  std::string text() const override { return file_.string(); }
  std::string domain() const override { return hello_.domain; }
  KernelTypes types() const override { return hello_.types; }
  SubjectScope scope() const override { return hello_.scope; }
  Isolation isolation() const override { return Isolation::library; }
  void stop() override { process_.reset(); }
  std::string change() const override { return files_.change(); }

  using Subject::load;
  tl::expected<void, SubjectError> load(double seconds) override {
    seconds_to_load_ = seconds;
    if (process_ && process_->is_ours()) return {};
    process_.reset();
    if (std::string what = change(); !what.empty()) return subject_error(Kind::absent, std::move(what));
    auto started = ChildProcess::start(ChildProcess::Kind::library, file_.string());
    if (!started) return tl::unexpected(started.error());
    auto hello = read_hello(*started);
    if (!hello) return tl::unexpected(hello.error());
    hello_ = std::move(*hello);
    process_.emplace(std::move(*started));
    return {};
  }

  SubjectAnswer run(const ConvProblem& problem, const Conditions& conditions) override {
    const SubjectCall call{problem, conditions};
    return std::move(run_all({&call, 1}).front());
  }

  SubjectAnswer run_operator(const OperatorCase& c, const Conditions& conditions) override {
    const SubjectCall call{c, conditions};
    return std::move(run_all({&call, 1}).front());
  }

  std::vector<SubjectAnswer> run_all(std::span<const SubjectCall> calls) override {
    std::vector<SubjectAnswer> answers;
    do {
      run_some(calls.subspan(answers.size()), answers);
    } while (answers.size() < calls.size() && !has_ended(answers.back()));
    return answers;
  }

 private:
  [[nodiscard]] tl::expected<HostHello, SubjectError> read_hello(ChildProcess& process) const {
    const auto bytes = read_frame(process, 4 * kLongestText, ChildProcess::after(seconds_to_load_));
    if (!bytes) {
      const bool hung = bytes.error().kind == Kind::hung;
      return subject_error(Kind::absent,
                           file_.string() + (hung ? " is not loaded in time: its constructors or tieout_describe() hang"
                                                  : " ends the process that loads it: " + bytes.error().message));
    }
    auto hello = unpack_hello(*bytes);
    if (!hello) return subject_error(Kind::absent, file_.string() + " writes to file descriptors that are not its own");
    if (!hello->error.empty()) return subject_error(Kind::absent, hello->error);
    return std::move(*hello);
  }

  // Sends the first of the calls, as many as the pipe to the host holds, and appends their answers.
  void run_some(std::span<const SubjectCall> calls, std::vector<SubjectAnswer>& answers) {
    if (auto loaded = load(std::max(seconds_to_load_, kSecondsToLoad)); !loaded) {
      answers.emplace_back(tl::unexpected(loaded.error()));
      return;
    }
    if (!process_) std::abort();  // impossible: load() has started it
    std::string bytes;
    std::size_t sent = 0;
    for (; sent < calls.size(); ++sent) {
      const std::string one = frame(packed(number_ + sent + 1, calls[sent]));
      if (sent > 0 && bytes.size() + one.size() > process_->room()) break;
      bytes += one;
    }
    const auto done = process_->send(bytes, ChildProcess::after(calls.front().conditions.seconds));
    if (!done) answers.push_back(lose_track(done.error()));
    for (std::size_t i = 0; i < sent && !lost_track_; ++i) {
      ++number_;
      answers.push_back(read_answer(*process_, calls[i]));
    }
    if (std::exchange(lost_track_, false)) stop();
  }

  SubjectAnswer read_answer(ChildProcess& process, const SubjectCall& call) {
    const Shape shape = std::visit([](const auto* problem) { return shape_of(*problem); }, call.problem);
    const auto most = static_cast<std::size_t>(element_count(shape)) * sizeof(std::int32_t) + 2 * kLongestText;
    const auto bytes = read_frame(process, most, ChildProcess::after(call.conditions.seconds));
    if (!bytes) return lose_track(bytes.error());
    auto answer = unpack_answer(*bytes, number_, shape);
    if (!answer) return lose_track({Kind::misbehaved, "writes to a file descriptor that is not its own"});
    if (!*answer) answer->error().message = printable(answer->error().message, kLongestLibraryText);
    return std::move(*answer);
  }

  // Returns the error, and marks the connection as unusable: after it, the position of the host in the stream of
  // messages is unknown.
  SubjectAnswer lose_track(SubjectError why) {
    lost_track_ = true;
    const std::string lost = "exit with status " + std::to_string(kConnectionLost);
    if (why.message.starts_with(lost) || why.message.starts_with("closed its standard")) {
      why.message = "closes or takes over file descriptors that are not its own";
    }
    return tl::unexpected(std::move(why));
  }

  std::filesystem::path file_;
  SubjectFiles files_;  // at construction; another build under the same path is another subject
  double seconds_to_load_ = kSecondsToLoad;
  HostHello hello_;
  std::optional<ChildProcess> process_;
  std::uint64_t number_ = 0;  // number of the problem that was sent last
  bool lost_track_ = false;
};

}  // namespace

std::unique_ptr<Subject> hosted_library(std::filesystem::path file) {
  return std::make_unique<HostedLibrary>(std::move(file));
}

}  // namespace tieout
