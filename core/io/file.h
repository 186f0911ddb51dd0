// Files, read and written so that a crash or a full disk never leaves half of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::io {

/// All bytes of a regular file. Throws Error, with the system's reason, if it cannot be read.
std::vector<std::byte> read_file(const std::filesystem::path& path);

/// Takes bytes, each time those that follow the ones before.
using ByteSink = std::function<void(std::span<const std::byte>)>;

/// Gives all bytes of a regular file in pieces, so that a large one takes no memory. Throws Error.
void read_pieces(const std::filesystem::path& path, const ByteSink& sink);

/// What a file shall hold, made piece by piece while it is written.
struct FileContent {
  std::uint64_t bytes = 0;                         ///< in all; for messages
  std::function<void(const ByteSink&)> give = {};  ///< may throw

  static FileContent of(std::span<const std::byte> bytes) {
    return {bytes.size(), [bytes](const ByteSink& sink) { sink(bytes); }};
  }
};

/// Creates a file that must not exist yet and brings it to the disk (fsync). On failure throws
/// Error and removes what it wrote.
void write_new_file(const std::filesystem::path& path, const FileContent& content);
void write_new_file(const std::filesystem::path& path, std::span<const std::byte> bytes);

/// Replaces or creates `path` in one instant: a temporary file in the same directory is written,
/// brought to the disk and renamed. On failure throws Error and leaves the old file as it was. A
/// kill in the middle may leave a hidden ".NAME.PID-N.tmp" behind.
/// `mode`: who may do what with it, as open takes it, from its first moment on.
void write_file_atomically(const std::filesystem::path& path, const FileContent& content,
                           unsigned mode = 0666);
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes,
                           unsigned mode = 0666);

/// Brings a directory's entries (files made, renamed, removed) to the disk. Throws Error.
void sync_directory(const std::filesystem::path& path);

/// Throws Error "cannot VERB 'PATH': REASON. ADVICE" for an errno value.
[[noreturn]] void fail_io(std::string_view verb, const std::filesystem::path& path, int error);

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace convoy::io
