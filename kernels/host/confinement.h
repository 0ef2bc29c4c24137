#pragma once
// Restricts a process that runs a user's library: limits its memory and its access to other processes.

namespace tieout {

// Confines the calling process and all processes that it starts later, as far as the running Linux kernel supports it:
//   - Data beyond a quarter of the machine's memory (at least 1 GiB, at most 8 GiB) is refused. If the machine runs out
//     of memory, this process is ended first.
//   - Starting a program grants no additional rights (no_new_privs).
//   - Other processes can be neither signalled (Linux 6.12) nor read and traced (Linux 5.13), except those that it
//     starts itself. Before 5.13, a process of the same user can be traced if its owner permits it, and root traces
//     none.
//   - No core file is written.
void confine();

}  // namespace tieout
