#include "launcher/fingerprint_of.h"

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/isa.h"
#include "core/blis/bf16.h"
#include "core/io/file.h"
#include "core/io/hash64.h"
#include "launcher/json.h"

namespace convoy::launcher {
namespace {

std::string hash_text(std::uint64_t hash) {
  return fmt::format("{:016x}", hash);
}

std::string hash_text(std::span<const std::byte> bytes) {
  return hash_text(io::hash64(bytes));
}

std::string c_library() {
#ifdef __GLIBC__
  return fmt::format("glibc {}", gnu_get_libc_version());
#else
  return "not glibc";
#endif
}

// Options that rank 0 alone follows, that every machine may set its own way, or whose content is
// compared instead. All others are compared, those to come included.
bool may_differ(std::string_view option) {
  constexpr std::array<std::string_view, 7> kOptions = {
      "convoy", "data", "model", "init_from", "threads", "keep_last", "keep_best"};
  return std::ranges::find(kOptions, option) != kOptions.end();
}

void add_options(dist::Fingerprint& fingerprint, const TrainOptions& options) {
  const auto flat = nlohmann::ordered_json::parse(config_text(options)).flatten();
  for (const auto& [path, value] : flat.items()) {
    std::string name = path.substr(1);
    std::ranges::replace(name, '/', '.');  // "recipe.augment.shift"
    if (!may_differ(name)) {
      fingerprint.add(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
}

// What config.json leaves out because it changes no result; but ranks that differ in it would wait
// for messages that never come.
void add_exchange(dist::Fingerprint& fingerprint, const DistributedOptions& options) {
  fingerprint.add("shard_optimizer", options.shard_optimizer ? "true" : "false");
  fingerprint.add("bucket_bytes", std::to_string(options.reduce.bucket_bytes));
  fingerprint.add("overlap", std::to_string(static_cast<int>(options.reduce.overlap)));
  fingerprint.add("check_every", std::to_string(options.check_every));
}

void add_data(dist::Fingerprint& fingerprint, const std::string& split,
              const data::Dataset& dataset) {
  fingerprint.add(split + " images",
                  fmt::format("{} of {}", dataset.size(), torch_order_str(dataset.batch_shape(1))));
  io::Hash64 pixels;
  dataset.each_piece(
      [&](std::span<const std::uint8_t> piece) { pixels.add(std::as_bytes(piece)); });
  fingerprint.add(split + " pixels", hash_text(pixels.value()));
  fingerprint.add(split + " labels", hash_text(std::as_bytes(dataset.labels())));
}

bool agree(dist::Communicator& communicator, const dist::Fingerprint& mine) {
  const std::string table = dist::disagreement(communicator, mine);
  if (!table.empty()) {
    // In one piece, so that the ranks' tables do not mix.
    const std::string text =
        fmt::format("convoy: {}: {}\n", communicator.name(communicator.rank()), table);
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  }
  return table.empty();
}

}  // namespace

dist::Fingerprint fingerprint_of_program(const TrainOptions& given) {
  dist::Fingerprint fingerprint;
  fingerprint.add("convoy", CONVOY_VERSION);
  fingerprint.add("program", hash_text(io::hash64_of_file("/proc/self/exe")));
  fingerprint.add("C library", c_library());  // its exp, log and cos
  // AVX2 and AVX-512 give the same bits.
  fingerprint.add("arithmetic", active_isa() == Isa::kGeneric
                                    ? "generic: without fused multiply-add"
                                    : "fused multiply-add");
  fingerprint.add("resume", given.resume ? "true" : "false");
  return fingerprint;
}

dist::Fingerprint fingerprint_of(const TrainOptions& options, const TrainedModel& model,
                                 const data::Dataset& train, const data::Dataset& test) {
  dist::Fingerprint fingerprint;
  fingerprint.add("model", model.spec.model.name());
  fingerprint.add("model text", hash_text(io::as_bytes(model.spec.text)));
  fingerprint.add("first weights",
                  hash_text(std::as_bytes(std::as_const(*model.store).all_values())));
  add_options(fingerprint, options);
  if (options.recipe.precision() == v1::Recipe::BF16) {
    fingerprint.add("bf16 products", blis::bf16_in_tiles() ? "AMX" : "AVX512-BF16");
  }
  add_exchange(fingerprint, options.distributed);
  add_data(fingerprint, "train", train);
  add_data(fingerprint, "test", test);
  return fingerprint;
}

std::string data_digest(const data::Dataset& train, const data::Dataset& test) {
  dist::Fingerprint parts;
  add_data(parts, "train", train);
  add_data(parts, "test", test);
  std::string text;
  for (const dist::Fingerprint::Point& part : parts.points()) {
    text += part.name + "=" + part.value + "\n";
  }
  return hash_text(io::as_bytes(text));
}

bool programs_agree(dist::Communicator& communicator, const TrainOptions& given) {
  return communicator.size() == 1 || agree(communicator, fingerprint_of_program(given));
}

bool runs_agree(dist::Communicator& communicator, const TrainOptions& options,
                const TrainedModel& model, const data::Dataset& train, const data::Dataset& test) {
  return communicator.size() == 1 ||
         agree(communicator, fingerprint_of(options, model, train, test));
}

}  // namespace convoy::launcher
