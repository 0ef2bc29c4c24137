#include "kernels/host/confinement.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace tieout {
namespace {

// Returns the bytes of data and stack that this process has now, or 0 if that is unknown.
rlim_t data_now() {
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  unsigned long pages = 0;
  const bool known = file != nullptr && std::fscanf(file, "%*u %*u %*u %*u %*u %lu", &pages) == 1;
  if (file != nullptr) std::fclose(file);
  return known ? pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) : 0;
}

// Limits data and not the address space, because software that reserves addresses, such as CUDA, does not use memory by
// it. The function is unused with AddressSanitizer.
[[maybe_unused]] void limit_memory() {
  struct sysinfo machine{};
  if (sysinfo(&machine) != 0) return;
  const rlim_t whole = static_cast<rlim_t>(machine.totalram) * machine.mem_unit;
  const rlim_t most = data_now() + std::clamp<rlim_t>(whole / 4, rlim_t{1} << 30U, rlim_t{8} << 30U);
  rlimit limit{};
  getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = limit.rlim_max = std::min(limit.rlim_max, most);
  setrlimit(RLIMIT_DATA, &limit);
}

void raise_oom_score() {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "1000", 4) != 4) std::perror("oom_score_adj");
  close(file);
}

// Gives up the capability by which root may trace and read every process. Without it, processes that forbid it
// (PR_SET_DUMPABLE) cannot be traced.
void drop_tracing() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return;
  const auto keep = ~(std::uint32_t{1} << CAP_SYS_PTRACE);
  sets[0].effective &= keep;
  sets[0].permitted &= keep;
  sets[0].inheritable &= keep;
  syscall(SYS_capset, &header, sets.data());
}

// Enters a Landlock domain: a process in it traces only processes of that domain and, from Landlock ABI 6 on, signals
// only those. The struct and the constants are those of <linux/landlock.h>, which is incomplete on older systems.
void enter_domain() {
  struct Ruleset {
    std::uint64_t files, net, scoped;
  };
  constexpr unsigned kAskForVersion = 1;
  constexpr std::uint64_t kMakeBlockDevice = 1U << 11U;  // a ruleset must handle at least one right
  constexpr std::uint64_t kScopeSignals = 1U << 1U;
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kAskForVersion);
  if (version < 1) return;
  const bool scopes = version >= 6;
  const Ruleset rules = scopes ? Ruleset{0, 0, kScopeSignals} : Ruleset{kMakeBlockDevice, 0, 0};
  const long ruleset = syscall(SYS_landlock_create_ruleset, &rules, scopes ? sizeof rules : sizeof rules.files, 0);
  if (ruleset < 0) return;
  syscall(SYS_landlock_restrict_self, ruleset, 0);
  close(static_cast<int>(ruleset));
}

}  // namespace

void confine() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__  // AddressSanitizer's shadow memory exceeds any limit
  limit_memory();
#endif
  raise_oom_score();
  drop_tracing();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) enter_domain();
}

}  // namespace tieout
