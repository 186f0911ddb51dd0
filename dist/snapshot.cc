// bytes = Fixed, then for each part of the optimizer's state: name_bytes elements name values, the
// first two being 64-bit integers.
#include "dist/snapshot.h"

#include <cstring>
#include <type_traits>

#include "core/base/check.h"
#include "dist/collectives.h"

namespace convoy::dist {
namespace {

struct Fixed {
  Position position = {};
  Metrics train = {};
  data::IdDigest seen = {};
  std::int64_t optimizer_step = 0;
  std::uint64_t parts = 0;
};
static_assert(std::is_trivially_copyable_v<Fixed>);

class Writer {
 public:
  template <typename Value>
  void append(std::span<const Value> values) {
    const auto raw = std::as_bytes(values);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  }
  template <typename Value>
  void append(const Value& value) {
    append(std::span<const Value>(&value, 1));
  }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename Value>
  Value read() {
    Value value;
    std::memcpy(&value, take(1, sizeof(Value)).data(), sizeof(Value));
    return value;
  }
  // Whatever `count` is, nothing is taken that is not there.
  std::span<const std::byte> take(std::uint64_t count, std::size_t size) {
    check(count <= bytes_.size() / size, "a snapshot of training is cut short: {} x {} of {} bytes",
          count, size, bytes_.size());
    const auto taken = bytes_.first(count * size);
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace

std::vector<std::byte> snapshot_bytes(const Snapshot& snapshot) {
  Writer writer;
  writer.append(Fixed{.position = snapshot.position,
                      .train = snapshot.train,
                      .seen = snapshot.seen,
                      .optimizer_step = snapshot.optimizer_step,
                      .parts = snapshot.optimizer.size()});
  for (const auto& [name, values] : snapshot.optimizer) {
    check(values.shape().rank() == 1, "the optimizer's {} has the shape {}, not a flat one", name,
          values.shape().str());
    writer.append(static_cast<std::uint64_t>(name.size()));
    writer.append(static_cast<std::uint64_t>(values.elements()));
    writer.append(std::span<const char>(name));
    writer.append(values.values());
  }
  return writer.take();
}

Snapshot snapshot_of(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  const auto fixed = reader.read<Fixed>();
  Snapshot snapshot{.position = fixed.position,
                    .train = fixed.train,
                    .seen = fixed.seen,
                    .optimizer_step = fixed.optimizer_step};
  for (std::uint64_t part = 0; part < fixed.parts; ++part) {
    const auto name_bytes = reader.read<std::uint64_t>();
    const auto elements = reader.read<std::uint64_t>();
    const auto name = reader.take(name_bytes, sizeof(char));
    const auto values = reader.take(elements, sizeof(float));
    Tensor tensor({static_cast<std::int64_t>(elements)});
    std::memcpy(tensor.data(), values.data(), values.size());
    snapshot.optimizer.push_back(
        {std::string(reinterpret_cast<const char*>(name.data()), name.size()), tensor});
  }
  check(reader.at_end(), "a snapshot of training has bytes left over");
  return snapshot;
}

void broadcast_snapshot(Communicator& communicator, Snapshot& snapshot,
                        std::span<float> all_values) {
  if (communicator.size() == 1) {
    return;
  }
  const bool root = communicator.rank() == 0;
  const std::vector<std::byte> bytes =
      broadcast(communicator, root ? snapshot_bytes(snapshot) : std::vector<std::byte>());
  if (!root) {
    snapshot = snapshot_of(bytes);
  }
  broadcast(communicator, std::as_writable_bytes(all_values));
}

}  // namespace convoy::dist
