// The program's exit codes; the design fixes them.
#pragma once

namespace convoy::launcher {

inline constexpr int kExitDone = 0;
inline constexpr int kExitError = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitRanksDisagree = 3;
inline constexpr int kExitStopped = 75;  ///< on request, with a checkpoint

}  // namespace convoy::launcher
