#pragma once
// Limits of a process that runs a user's library: its memory, and its hold on the processes around it.

namespace tieout {

// Confines the calling process and what it starts later, as far as the kernel of the system offers it:
//   - data beyond a quarter of the machine's memory, at most 8 GiB, is refused; where memory runs out, this process ends first
//   - no rights are gained by starting programs (no_new_privs)
//   - other processes can neither be signalled (Linux 6.12) nor read and traced (Linux 5.13), those that it starts itself
//     excepted; before 5.13 a process of the same user can be traced where its owner permits it, and root traces none
void confine();

}  // namespace tieout
