// Which runs there are on this machine, and where each one's coordinator is: from links and files
// alone, nobody is asked.
//
//   $XDG_STATE_HOME/convoy/runs/RUN -> a run directory     every run of this user on this machine
//   runs/latest -> a run directory                         in the current folder
//   RUN_DIR/coordinator.json                               address, token and process
//   RUN_DIR/coordinator.db                                 what it was told
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace convoy::launcher {

/// A run directory with a coordinator of its own, as it says.
struct FoundRun {
  std::filesystem::path directory = {};
  std::string run = {};      ///< its name; empty if there is no good coordinator.json
  std::string address = {};  ///< HOST:PORT; likewise
  std::string token = {};
  std::string page = {};      ///< URL for browsers; may be empty
  std::int64_t pid = 0;       ///< of the process that serves it
  bool running = false;       ///< that process is there
  std::string distrust = {};  ///< why its coordinator.json was not believed
  /// Of its start, or if not running of its last word.
  std::filesystem::file_time_type time = std::filesystem::file_time_type::min();

  std::filesystem::path database() const { return directory / "coordinator.db"; }
};

/// Where the links to this user's runs are: `$XDG_STATE_HOME/convoy/runs`, or below
/// `~/.local/state`.
std::filesystem::path run_links();

class RunFinder {
 public:
  struct Options {
    std::filesystem::path links = {};  ///< the folder of links
    std::filesystem::path runs = "runs";
    std::function<bool(std::int64_t pid)> is_running = {};
  };

  /// run_links(), and the runs in the current folder.
  static Options standard_options();

  explicit RunFinder(Options options);

  /// Every run whose directory is still there: first those that are running, then the others, the
  /// newest first in both.
  std::vector<FoundRun> all() const;

  /// The run of that name or in that directory; empty: the first of `all`. Throws Error that says
  /// where it looked, and the nearest name.
  FoundRun find(const std::string& run) const;

 private:
  Options options_;
};

/// What a directory's files say; nothing if it has neither a coordinator.json nor a database. A
/// coordinator.json that others could have written is not believed: its address would be given the
/// token that stands beside it.
std::optional<FoundRun> look_into(const std::filesystem::path& directory,
                                  const std::function<bool(std::int64_t pid)>& is_running);

}  // namespace convoy::launcher
