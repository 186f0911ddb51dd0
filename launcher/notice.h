// What rank 0 lets the convoy that started the ranks know while it runs, beside what it shows:
// lines on stderr that begin with a control character, which that convoy takes out again. Stderr,
// since that is what mpirun carries from another machine. Without such a convoy nothing is written.
//
//   notice = 0x1E NAME "=" VALUE "\n"
#pragma once

#include <string_view>

namespace convoy::launcher {

inline constexpr char kNoticeMark = '\x1e';
/// Set in the environment of ranks that a convoy started.
inline constexpr const char* kLauncherVariable = "CONVOY_LAUNCHER";

/// The names of notices.
inline constexpr std::string_view kJoined = "joined";    ///< all ranks know stop signals
inline constexpr std::string_view kRunDir = "run_dir";   ///< its absolute path
inline constexpr std::string_view kStep = "step";        ///< optimizer steps so far
inline constexpr std::string_view kStopped = "stopped";  ///< on request, with a checkpoint

void notify_launcher(std::string_view name, std::string_view value = "");

}  // namespace convoy::launcher
