// Files that are whole or not there.
#pragma once

#include <filesystem>
#include <string_view>

namespace convoy::launcher {

/// Writes `bytes` to a temporary file beside `path` and renames it: a reader sees the old file or
/// the new one. Throws Error with the path and the system's reason; then `path` is as it was and
/// the temporary file is gone.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace convoy::launcher
