// Feeds arbitrary files to the safetensors reader: it must refuse with Error or read, nothing else.
// What it reads must survive being written: twice through the writer gives the same bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/base/check.h"
#include "core/io/safetensors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace convoy::io;
  SafetensorsFile file;
  try {
    file = parse_safetensors(std::as_bytes(std::span(bytes, size)), "fuzz");
  } catch (const convoy::Error&) {
    return 0;
  }
  for (auto& [name, tensor] : file.tensors) {
    tensor.dtype = Dtype::kF32;  // the one that holds every value
  }
  const std::vector<std::byte> once = serialize_safetensors(file);
  if (serialize_safetensors(parse_safetensors(once, "written")) != once) {
    std::abort();
  }
  return 0;
}
