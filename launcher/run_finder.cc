#include "launcher/run_finder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"
#include "core/base/nearest.h"
#include "core/base/printable.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = 16 << 10;

bool process_is_running(std::int64_t pid) {
  return pid > 0 && pid <= INT32_MAX && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// Why a coordinator.json is not to be believed, or "".
std::string distrust_of(const FileDescriptor& file) {
  struct stat status = {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return "is no plain file";
  }
  if (status.st_uid != geteuid() && geteuid() != 0) {
    return "is another user's";
  }
  return (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 ? "" : "may be written by others";
}

void take_description(const std::string& text, FoundRun& found) {
  try {
    const nlohmann::ordered_json object = parse_json(text);
    found.run = object.value("run", "");
    found.token = object.value("token", "");
    found.page = object.value("page", "");
    found.pid = object.value("pid", std::int64_t{0});
    found.address = object.value("address", "");
  } catch (const nlohmann::ordered_json::exception&) {
    found.distrust = "is torn, or none of convoy's";
  }
}

void read_description(const fs::path& path, FoundRun& found) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    found.distrust = errno == ENOENT ? "" : "cannot be read: " + system_reason();
    return;
  }
  found.distrust = distrust_of(file);
  std::string text(kMaxFileBytes, '\0');
  const ssize_t size = found.distrust.empty() ? read(file.get(), text.data(), text.size()) : 0;
  if (size > 0) {
    text.resize(static_cast<std::size_t>(size));
    take_description(text, found);
  }
}

bool earlier(const FoundRun& one, const FoundRun& other) {
  return one.running != other.running ? one.running : one.time > other.time;
}

}  // namespace

std::optional<FoundRun> look_into(const fs::path& directory,
                                  const std::function<bool(std::int64_t pid)>& is_running) {
  FoundRun found = {.directory = directory};
  const fs::path description = directory / "coordinator.json";
  read_description(description, found);
  found.running = !found.address.empty() && is_running(found.pid);
  std::error_code error;
  // A database that is written to has its newest part beside it.
  for (const char* name : {"coordinator.json", "coordinator.db", "coordinator.db-wal"}) {
    if (!found.running || name == description.filename()) {
      found.time = std::max(found.time, fs::last_write_time(directory / name, error));
    }
  }
  const bool known =
      !found.address.empty() || !found.distrust.empty() || fs::exists(found.database(), error);
  return known ? std::optional(found) : std::nullopt;
}

fs::path run_links() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? fs::path() : fs::path(value);
  };
  // Relative paths are to be ignored, says the XDG Base Directory Specification.
  fs::path state = variable("XDG_STATE_HOME");
  if (!state.is_absolute()) {
    state = variable("HOME") / ".local" / "state";
  }
  return state / "convoy" / "runs";
}

RunFinder::Options RunFinder::standard_options() {
  return {.links = run_links(), .is_running = process_is_running};
}

RunFinder::RunFinder(Options options) : options_(std::move(options)) {}

std::vector<FoundRun> RunFinder::all() const {
  std::vector<FoundRun> runs;
  std::set<fs::path> seen;
  const auto add = [&](const fs::path& link) {
    std::error_code error;
    const fs::path directory = fs::canonical(link, error);
    if (error || !seen.insert(directory).second) {
      return;
    }
    if (const auto found = look_into(directory, options_.is_running)) {
      runs.push_back(*found);
    }
  };
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(options_.links, none)) {
    add(entry.path());
  }
  add(options_.runs / "latest");
  std::ranges::sort(runs, earlier);
  return runs;
}

FoundRun RunFinder::find(const std::string& run) const {
  std::error_code error;
  if (run.empty()) {
    const std::vector<FoundRun> runs = all();
    check(!runs.empty(),
          "there is no run on this machine: nothing in {} and no {}/latest\n"
          "name its directory, or the coordinator that it reports to: --coordinator HOST:PORT",
          options_.links.string(), options_.runs.string());
    return runs.front();
  }
  // A name has no slash, so that it cannot lead out of the folder of links.
  const bool is_path = run.find('/') != run.npos;
  const fs::path link = options_.links / run;
  if (!is_path && fs::is_directory(link, error)) {
    if (const auto found = look_into(fs::canonical(link, error), options_.is_running)) {
      return *found;
    }
  }
  if (fs::is_directory(run, error)) {
    const auto found = look_into(fs::canonical(run, error), options_.is_running);
    check(found.has_value(),
          "the run in {} has no coordinator of its own: no coordinator.json or "
          "coordinator.db\nwas it trained with --coordinator? Then say the same here",
          printable(run));
    return *found;
  }
  std::vector<std::string> names;
  for (const FoundRun& found : all()) {
    names.push_back(found.run.empty() ? found.directory.filename().string() : found.run);
  }
  fail("no run {} on this machine: neither a directory nor a name in {}{}", printable(run),
       options_.links.string(), did_you_mean(run, names));
}

}  // namespace convoy::launcher
