#include "cli/common/interruption.h"

#include <csignal>
#include <initializer_list>

namespace tieout {
namespace {

// Set by the signal handler, which can access only such a variable.
volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void take_interruptions() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { interrupted = 1; });
  // A terminal that is closed sends SIGHUP. If it is ignored, as under nohup, it stays so.
  if (std::signal(SIGHUP, [](int) { interrupted = 1; }) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

void release_interruptions() {
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  if (std::signal(SIGHUP, SIG_DFL) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
}

bool is_interrupted() { return interrupted != 0; }

}  // namespace tieout
