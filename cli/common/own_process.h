#pragma once
// Runs a subcommand in a process of its own, so that a crash becomes an exit status and a message.

#include <functional>

namespace tieout {

// Runs `work` in a forked process, where it may print, and returns its exit status. If that process dies, prints how
// and returns kNotVerified. If no process can be started, runs `work` in this one. who: prefix of that message, for
// example "tieout model".
[[nodiscard]] int in_own_process(const char* who, const std::function<int()>& work);

}  // namespace tieout
