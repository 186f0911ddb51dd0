#include "core/data/pixel_file.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/check.h"

namespace convoy::data {

void PixelFile::read(std::uint64_t first, std::span<std::uint8_t> out) const {
  std::uint64_t at = begin_ + first;
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), out.size(), static_cast<off_t>(at));
    check(got >= 0 || errno == EINTR, "{}: cannot be read at offset {}: {}. Try again.", name_, at,
          system_reason());
    check(got != 0,
          "{}: ends at offset {} now, {} bytes of images are missing. It was changed while it was "
          "in use; fetch it again and --resume.",
          name_, at, begin_ + bytes_ - at);
    const auto more = static_cast<std::size_t>(got > 0 ? got : 0);
    at += more;
    out = out.subspan(more);
  }
}

}  // namespace convoy::data
