// A directory of a command's own, for what it makes on the way.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/check.h"
#include "core/base/file_descriptor.h"

namespace convoy::launcher {

/// Made empty in the place for temporary files, and removed with all that is in it.
class Workplace {
 public:
  /// Throws Error.
  Workplace() : path_((std::filesystem::temp_directory_path() / "convoy-XXXXXX").string()) {
    check(mkdtemp(path_.data()) != nullptr, "{} cannot be made: {}", path_, system_reason());
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  std::filesystem::path file(const std::string& name) const {
    return std::filesystem::path(path_) / name;
  }

 private:
  std::string path_;
};

}  // namespace convoy::launcher
