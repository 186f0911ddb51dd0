#include "dist/coordinator/book/event_log.h"

namespace convoy::dist {

std::string one_line(std::string_view text, std::size_t max_bytes) {
  std::size_t length = text.size();
  if (length > max_bytes) {
    length = max_bytes;
    // Bytes 10xxxxxx go on with a character of UTF-8.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
      --length;
    }
  }
  std::string line(text.substr(0, length));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20U || c == 0x7F) {
      c = ' ';
    }
  }
  return line;
}

}  // namespace convoy::dist
