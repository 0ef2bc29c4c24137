#include "kernels/subject/fault_report.h"

#include <ucontext.h>
#include <unistd.h>

#include <cstdio>

namespace tieout {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGBUS};

std::span<const NamedBuffer> watched;  // static, because a signal handler has no other access to it

void on_fault(int signal, siginfo_t* info, void* context) {
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  sigaction(signal, &standard, nullptr);  // the faulting instruction runs again and ends the process
  for (const NamedBuffer& named : watched) {
    if (!named.buffer->covers(info->si_addr)) continue;
    // Bit 1 of the page fault's error code marks a write.
    const bool wrote = (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
    const long distance = named.buffer->distance(info->si_addr);
    std::array<char, 100> text;
    const int length = std::snprintf(text.data(), text.size(), "%s %ld byte%s %s its %s\n", wrote ? "writes" : "reads",
                                     distance < 0 ? -distance : distance, distance == 1 || distance == -1 ? "" : "s",
                                     distance < 0 ? "before" : "behind", named.name);
    if (write(STDERR_FILENO, text.data(), static_cast<std::size_t>(length)) < 0) return;
    return;
  }
}

}  // namespace

FaultReport::FaultReport(std::span<const NamedBuffer> buffers) {
  watched = buffers;
  struct sigaction ours{};
  ours.sa_sigaction = on_fault;
  ours.sa_flags = SA_SIGINFO;
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &ours, &before_[i]);
}

FaultReport::~FaultReport() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  watched = {};
}

}  // namespace tieout
