// Memory that a training step takes and gives back: after the first step nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace convoy {

/// Keeps released buffers by size class and hands them out again. Those of 2 MiB and more ask the
/// kernel for huge pages. Thread safe. There is one per process; it is never destroyed, so tensors
/// may outlive everything.
class BufferPool {
 public:
  static BufferPool& instance();

  /// A buffer for `count` floats, aligned to 64 bytes, contents unspecified; returns to the pool
  /// when the last owner lets go. Throws std::bad_alloc.
  std::shared_ptr<float[]> take(std::int64_t count);

  /// Raw blocks from the same pool, for small objects made in every step (tape nodes).
  void* take_bytes(std::size_t bytes);
  void give_bytes(void* block, std::size_t bytes) noexcept;

  /// How often the pool had to ask the system; constant from the second step on.
  std::uint64_t system_allocations() const;
  /// Bytes the pool holds from the system, in use or free.
  std::uint64_t reserved_bytes() const;

 private:
  BufferPool();
  ~BufferPool() = delete;
  struct State;
  std::unique_ptr<State> state_;
};

/// Lets std::allocate_shared and containers draw on the pool.
template <typename T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <typename U>
  explicit PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(BufferPool::instance().take_bytes(count * sizeof(T)));
  }
  void deallocate(T* block, std::size_t count) noexcept {
    BufferPool::instance().give_bytes(block, count * sizeof(T));
  }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

}  // namespace convoy
