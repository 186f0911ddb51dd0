#include "core/io/checkpoint.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/base/check.h"
#include "core/base/printable.h"
#include "core/io/file.h"
#include "core/io/sha256.h"

namespace convoy::io {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kFormat = "convoy-checkpoint";
constexpr int kVersion = 1;
constexpr std::array<std::string_view, 3> kFiles = {"model.safetensors", "optimizer.safetensors",
                                                    "state.json"};

std::string checkpoint_name(std::int64_t step) {
  return fmt::format("step-{:08}", step);
}

// The step of a checkpoint's directory, or nothing if the name is not one.
std::optional<std::int64_t> step_of(const std::string& name) {
  std::int64_t step = 0;
  const std::string_view digits =
      std::string_view(name).substr(std::min<std::size_t>(5, name.size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), step);
  return name == checkpoint_name(step) ? std::optional(step) : std::nullopt;
}

// Removes a directory that is being written unless `keep` is called.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    if (!fs::create_directory(path_, error)) {
      fail_io("create directory", path_, error ? error.value() : EEXIST);
    }
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

bool is_unfinished(const std::string& name) {
  return name.starts_with(".step-") && name.ends_with(".tmp");
}

void remove_unfinished(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> unfinished;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (is_unfinished(entry.path().filename().string())) {
      unfinished.push_back(entry.path());
    }
  }
  for (const fs::path& path : unfinished) {
    fs::remove_all(path, error);
  }
}

// Puts `from` in the place of `to`; what was there lies in `from` afterwards, or is gone.
void replace_directory(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) {
    return;
  }
  if (errno == EEXIST || errno == ENOTEMPTY) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) {
      return;
    }
    // A file system that cannot exchange (NFS): for a moment neither is there under this name.
    std::error_code ignored;
    fs::remove_all(to, ignored);
    if (std::rename(from.c_str(), to.c_str()) == 0) {
      return;
    }
  }
  fail_io("rename a checkpoint to", to, errno);
}

// Gives the part of the manifest that describes the file.
Json write_part(const fs::path& path, const FileContent& content) {
  Sha256 sha256;
  write_new_file(path, {.bytes = content.bytes, .give = [&](const ByteSink& sink) {
                          content.give([&](std::span<const std::byte> bytes) {
                            sha256.add(bytes);
                            sink(bytes);
                          });
                        }});
  return {{"bytes", content.bytes}, {"sha256", sha256.hex()}};
}

// The manifest's "files", or an empty object and a line in `damage`.
Json read_manifest(const fs::path& path, std::vector<std::string>& damage) {
  constexpr std::uintmax_t kMaxBytes = 1 << 20;
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) {
    damage.push_back(fmt::format("{}: {}", kManifest, error.message()));
    return Json::object();
  }
  if (size > kMaxBytes) {
    damage.push_back(fmt::format("{}: {} bytes are too many for a manifest", kManifest, size));
    return Json::object();
  }
  const std::vector<std::byte> bytes = read_file(path);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  // Deeper members are dropped: copying a hostile manifest would exhaust the stack.
  const Json manifest = Json::parse(
      text, text + bytes.size(), [](int depth, Json::parse_event_t, Json&) { return depth <= 3; },
      /*allow_exceptions=*/false);
  if (!manifest.is_object() || manifest.value("format", Json()) != kFormat ||
      manifest.value("version", Json()) != kVersion || !manifest.contains("files") ||
      !manifest["files"].is_object()) {
    damage.push_back(
        fmt::format("{}: not the manifest of a version {} checkpoint", kManifest, kVersion));
    return Json::object();
  }
  return manifest["files"];
}

std::string damage_of(const fs::path& checkpoint, const std::string& name, const Json& expected) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    return "the manifest names a file outside of the checkpoint";
  }
  if (!expected.is_object()) {
    return "the manifest does not describe it";
  }
  std::error_code error;
  const std::uintmax_t size = fs::file_size(checkpoint / name, error);
  if (error) {
    return error.message();
  }
  if (const Json wanted = expected.value("bytes", Json()); wanted != size) {
    return fmt::format("{} bytes, the manifest says {}", size, printable(wanted.dump()));
  }
  return expected.value("sha256", Json()) == sha256_hex_of_file(checkpoint / name)
             ? ""
             : "its SHA-256 is not the manifest's: the content has changed";
}

}  // namespace

fs::path checkpoint_path(const fs::path& directory, std::int64_t step) {
  return directory / checkpoint_name(step);
}

fs::path write_checkpoint(const fs::path& directory, std::int64_t step,
                          const CheckpointContents& contents) {
  check(step >= 0, "checkpoint of step {}: negative", step);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    fail_io("create directory", directory, error.value());
  }
  remove_unfinished(directory);
  const std::string name = checkpoint_name(step);
  const TemporaryDirectory temporary(directory / fmt::format(".{}.tmp", name));
  const fs::path& parts = temporary.path();

  Json files;
  files["model.safetensors"] =
      write_part(parts / "model.safetensors", safetensors_bytes(contents.model));
  files["optimizer.safetensors"] =
      write_part(parts / "optimizer.safetensors", safetensors_bytes(contents.optimizer));
  files["state.json"] =
      write_part(parts / "state.json", FileContent::of(as_bytes(contents.state_json)));
  const Json manifest = {{"format", kFormat}, {"version", kVersion}, {"files", files}};
  write_new_file(parts / kManifest, as_bytes(manifest.dump(2) + "\n"));
  sync_directory(parts);

  replace_directory(parts, directory / name);
  sync_directory(directory);
  return directory / name;
}

std::vector<std::string> verify_checkpoint(const fs::path& checkpoint) {
  std::vector<std::string> damage;
  try {
    const Json files = read_manifest(checkpoint / kManifest, damage);
    if (!damage.empty()) {
      return damage;
    }
    for (const std::string_view name : kFiles) {
      if (!files.contains(name)) {
        damage.push_back(fmt::format("{}: the manifest lacks it", name));
      }
    }
    for (const auto& [name, expected] : files.items()) {
      if (const std::string text = damage_of(checkpoint, name, expected); !text.empty()) {
        damage.push_back(fmt::format("{}: {}", printable(name), text));
      }
    }
  } catch (const Error& error) {
    damage.emplace_back(error.what());
  }
  return damage;
}

void remove_checkpoint(const fs::path& checkpoint) {
  // Under this name the next write removes what a kill, or a file that is in use, leaves of it.
  const fs::path hidden =
      checkpoint.parent_path() / fmt::format(".{}.tmp", checkpoint.filename().string());
  std::error_code error;
  fs::remove_all(hidden, error);
  if (std::rename(checkpoint.c_str(), hidden.c_str()) != 0) {
    fail_io("remove", checkpoint, errno);
  }
  fs::remove_all(hidden, error);
}

std::map<std::int64_t, fs::path> list_checkpoints(const fs::path& directory) {
  std::map<std::int64_t, fs::path> checkpoints;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (const auto step = step_of(entry.path().filename().string())) {
      checkpoints[*step] = entry.path();
    }
  }
  return checkpoints;
}

CheckpointSearch latest_good_checkpoint(const fs::path& directory) {
  const std::map<std::int64_t, fs::path> checkpoints = list_checkpoints(directory);
  CheckpointSearch search;
  for (auto newest = checkpoints.rbegin(); newest != checkpoints.rend(); ++newest) {
    const fs::path& checkpoint = newest->second;
    std::vector<std::string> damage = verify_checkpoint(checkpoint);
    if (damage.empty()) {
      search.newest_good = checkpoint;
      break;
    }
    search.skipped.push_back({checkpoint, std::move(damage)});
  }
  return search;
}

}  // namespace convoy::io
