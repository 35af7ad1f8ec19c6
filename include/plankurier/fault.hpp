#pragma once
/// Fault points: places where a test may kill the process or make a step fail. Compiled out unless
/// PLANKURIER_FAULTS is defined (CMake option of the same name; never in a release).
///
/// The environment variable PLANKURIER_FAULT chooses one: "name=kill@3" raises SIGKILL at the third
/// hit, "name=enospc@1" throws std::system_error(ENOSPC), "name=eio@1" the same with EIO.
/// PLANKURIER_FAULT_ONCE names a file that the fault removes; without the file it does not act, so
/// that a process that is started again is not killed again.
/// PLANKURIER_FAULT_LOG names a file to which each name hit is appended (a line each), so that a
/// test can list all points. Any thread.

namespace plankurier {
#ifdef PLANKURIER_FAULTS
void fault_point(const char* name);
#endif
} // namespace plankurier

#ifdef PLANKURIER_FAULTS
/// Marks a durable step, e.g. PK_FAULT("pieces.after_fdatasync");
#define PK_FAULT(point_name) ::plankurier::fault_point(point_name)
#else
#define PK_FAULT(point_name) static_cast<void>(0)
#endif
