#pragma once
// Ctrl-C and other requests to end: they stop a run, and the process goes on.

namespace tieout {

// Makes SIGINT, SIGTERM and SIGHUP stop the run, which then reports what it has found, instead of ending the process.
// Must be called before the subject is given its first case. An ignored SIGHUP, as under nohup, stays ignored.
void take_interruptions();
// Lets these signals end the process again.
void release_interruptions();
// Returns true once such a signal has arrived.
[[nodiscard]] bool is_interrupted();

}  // namespace tieout
