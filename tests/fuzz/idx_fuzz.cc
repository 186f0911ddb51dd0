// Feeds arbitrary files to the IDX reader: it must refuse with Error or read, nothing else.
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/check.h"
#include "core/data/idx.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::span file(bytes, size);
  try {
    convoy::data::parse_idx_images(file, "fuzz");
  } catch (const convoy::Error&) {
  }
  try {
    convoy::data::parse_idx_labels(file, "fuzz", 10);
  } catch (const convoy::Error&) {
  }
  return 0;
}
