#include "dist/shared_memory_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace convoy::dist {

std::vector<std::string> mapped_shared_memory_files() {
  std::vector<std::string> files;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    // "7f0c8a400000-7f0c8a801000 rw-s 00000000 00:16 42 /dev/shm/vader_segment.host.0.1b2c0001.0"
    const std::size_t path = line.find('/');
    const std::size_t name = line.rfind('/');
    if (path != std::string::npos && line.compare(name, 15, "/vader_segment.") == 0 &&
        !line.ends_with(" (deleted)")) {
      files.push_back(line.substr(path));
    }
  }
  std::ranges::sort(files);
  // Not std::ranges::unique: clang 14 does not compile libstdc++ 12's.
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

void unlink_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    unlink(file.c_str());
  }
}

void restore_files(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (const int descriptor = open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        descriptor >= 0) {
      close(descriptor);
    }
  }
}

}  // namespace convoy::dist
