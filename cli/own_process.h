#pragma once
// A subcommand in a process of its own: what it runs may die, and that is an answer, too.

#include <functional>

namespace tieout {

// The exit status of `work`, which runs in a forked process and may write; kNotVerified, after saying how it ended,
// where that process died. who: "tieout model", for the words.
[[nodiscard]] int in_own_process(const char* who, const std::function<int()>& work);

}  // namespace tieout
