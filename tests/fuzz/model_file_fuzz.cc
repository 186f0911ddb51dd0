// Feeds arbitrary text to the reader of model files and builds what it takes: every refusal must be
// an Error, and nothing of the written sizes may be allocated.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/base/check.h"
#include "launcher/build_model.h"
#include "launcher/model_file.h"
#include "launcher/summary.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace convoy::launcher;
  try {
    const ModelSpec spec = parse_model({reinterpret_cast<const char*>(bytes), size}, "fuzz");
    const convoy::Shape batch{2, 28, 28, 1};
    const auto model = build_model(spec, batch, 10, {.memory_bytes = std::uint64_t{1} << 30});
    model_summary(spec.model.name(), *model, batch);
  } catch (const convoy::Error&) {
  }
  return 0;
}
