#include "cli/common/patience.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <optional>
#include <utility>

#include "cli/common/commands.h"

namespace tieout {
namespace {

std::string last_message;  // read by the signal handler; written only while no timer runs

void set_timer(double seconds) {
  constexpr double kMost = 1e9;  // within the range of setitimer()
  const double kept = std::min(seconds, kMost);
  const double whole = std::floor(kept);
  const itimerval timer{{0, 0}, {static_cast<time_t>(whole), static_cast<suseconds_t>((kept - whole) * 1e6)}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

void end_process(int) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, last_message.data(), last_message.size());
  _exit(kNotVerified);
}

class PatientModel final : public Model {
 public:
  PatientModel(std::unique_ptr<Model> model, double seconds, std::string message)
      : model_(std::move(model)), seconds_(seconds), message_(std::move(message)) {}

  ModelResult<ModelRun> run(const ModelInput& input, const ModelObserver& observer) override {
    std::optional<Deadline> deadline(std::in_place, seconds_, message_);
    // Returns the callback without the time that it takes.
    const auto untimed = [&](const auto& callback) {
      return [&](auto&& captured) {
        deadline.reset();
        auto replacement = callback(std::forward<decltype(captured)>(captured));
        deadline.emplace(seconds_, message_);
        return replacement;
      };
    };
    ModelObserver timed;
    if (observer.conv) timed.conv = untimed(observer.conv);
    if (observer.op) timed.op = untimed(observer.op);
    return model_->run(input, timed);
  }

  std::size_t arguments() const override { return model_->arguments(); }
  std::int64_t layers() const override { return model_->layers(); }

 private:
  std::unique_ptr<Model> model_;
  double seconds_;
  std::string message_;
};

}  // namespace

Deadline::Deadline(double seconds, const std::string& message) {
  last_message = message + "\n";
  std::signal(SIGALRM, end_process);
  set_timer(std::max(seconds, 1e-3));  // 0 would switch the timer off
}

Deadline::~Deadline() { set_timer(0); }

std::unique_ptr<Model> with_deadlines(std::unique_ptr<Model> model, double seconds, std::string message) {
  return std::make_unique<PatientModel>(std::move(model), seconds, std::move(message));
}

}  // namespace tieout
