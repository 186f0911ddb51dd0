#include "core/tensor/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <new>
#include <vector>

namespace convoy {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kMinBytes = 64;
constexpr std::size_t kHugePage = 2 << 20;
constexpr std::align_val_t kHugeAlignment{kHugePage};

// Four classes for each power of two, so that at most a fifth of a buffer is unused.
struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  bytes = std::max(bytes, kMinBytes);
  const auto log2 = static_cast<std::size_t>(std::bit_width(bytes - 1)) - 1;
  const std::size_t quarter = std::size_t{1} << (log2 - 2);
  const std::size_t quarters = (bytes + quarter - 1) / quarter;
  return {log2 * 4 + quarters - 4, quarters * quarter};
}

// The weights, their gradients and the optimizer's state are read from end to end in every step:
// with pages of 4 KiB the CPU spends part of that looking up where they lie.
void* allocate(std::size_t bytes) {
  if (bytes < kHugePage) {
    return ::operator new(bytes, kAlignment);
  }
  void* block = ::operator new(bytes, kHugeAlignment);
  madvise(block, bytes, MADV_HUGEPAGE);  // a wish: where there are none, nothing is lost
  return block;
}

}  // namespace

struct BufferPool::State {
  std::mutex mutex;
  std::array<std::vector<void*>, 260> free;
  std::uint64_t system_allocations = 0;
  std::uint64_t reserved_bytes = 0;
};

BufferPool::BufferPool() : state_(std::make_unique<State>()) {}

BufferPool& BufferPool::instance() {
  static BufferPool* pool = new BufferPool;
  return *pool;
}

void* BufferPool::take_bytes(std::size_t bytes) {
  const SizeClass wanted = size_class(bytes);
  const std::lock_guard lock(state_->mutex);
  std::vector<void*>& free = state_->free[wanted.index];
  if (!free.empty()) {
    void* block = free.back();
    free.pop_back();
    return block;
  }
  void* block = allocate(wanted.bytes);
  // Room to give every block back, so that give_bytes never allocates.
  free.reserve(free.capacity() + 1);
  ++state_->system_allocations;
  state_->reserved_bytes += wanted.bytes;
  return block;
}

void BufferPool::give_bytes(void* block, std::size_t bytes) noexcept {
  const SizeClass given = size_class(bytes);
  const std::lock_guard lock(state_->mutex);
  state_->free[given.index].push_back(block);
}

std::shared_ptr<float[]> BufferPool::take(std::int64_t count) {
  if (count < 0 || static_cast<std::uint64_t>(count) > (std::uint64_t{1} << 60)) {
    throw std::bad_alloc();
  }
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  auto* block = static_cast<float*>(take_bytes(bytes));
  return {block, [this, bytes](float* released) { give_bytes(released, bytes); },
          PoolAllocator<float>()};
}

std::uint64_t BufferPool::system_allocations() const {
  const std::lock_guard lock(state_->mutex);
  return state_->system_allocations;
}

std::uint64_t BufferPool::reserved_bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reserved_bytes;
}

}  // namespace convoy
