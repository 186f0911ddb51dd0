#include "tests/dist/thread_communicator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

namespace convoy::dist::testing {
namespace {

struct Aborted : std::exception {};
using Blocks = std::vector<std::shared_ptr<std::byte[]>>;

// The messages between all ranks of one group.
class Mailboxes {
 public:
  Mailboxes(std::atomic<bool>& failed, int size, Memory memory)
      : failed_(failed), size_(size), memory_(memory) {}

  Memory memory() const { return memory_; }

  // The group's shared memory number `count`; the first rank that asks makes it.
  Blocks share(std::size_t count, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    while (shared_.size() <= count) {
      Blocks& blocks = shared_.emplace_back();
      for (int rank = 0; rank < size_; ++rank) {
        // Whole cache lines, zeros.
        const auto lines = std::make_shared<std::vector<Line>>(bytes / sizeof(Line) + 1);
        blocks.emplace_back(lines, lines->front().bytes.data());
      }
    }
    return shared_[count];
  }

  void put(int from, int to, int tag, std::span<const std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    boxes_[{from, to, tag}].emplace_back(bytes.begin(), bytes.end());
  }

  // The next message, or false if there is none yet.
  bool take(int from, int to, int tag, std::vector<std::byte>& message) {
    if (failed_) {
      throw Aborted();
    }
    const std::lock_guard lock(mutex_);
    auto& box = boxes_[{from, to, tag}];
    if (box.empty()) {
      return false;
    }
    message = std::move(box.front());
    box.pop_front();
    return true;
  }

  // The group's duplicate number `count`; the first rank that asks makes it.
  std::shared_ptr<Mailboxes> duplicate(std::size_t count) {
    const std::lock_guard lock(mutex_);
    while (duplicates_.size() <= count) {
      duplicates_.push_back(std::make_shared<Mailboxes>(failed_, size_, memory_));
    }
    return duplicates_[count];
  }

 private:
  struct alignas(64) Line {
    std::array<std::byte, 64> bytes = {};
  };

  std::atomic<bool>& failed_;
  const int size_;
  const Memory memory_;
  std::mutex mutex_;
  std::vector<Blocks> shared_;
  std::map<std::tuple<int, int, int>, std::deque<std::vector<std::byte>>> boxes_;
  std::vector<std::shared_ptr<Mailboxes>> duplicates_;
};

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(int rank, int size, std::shared_ptr<Mailboxes> mailboxes)
      : rank_(rank), size_(size), mailboxes_(std::move(mailboxes)) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string host(int rank) const override {
    return mailboxes_->memory() == Memory::kShared ? "host" : fmt::format("thread{}", rank);
  }

  Transfer send(std::span<const std::byte> bytes, int to, int tag) override {
    check(to >= 0 && to < size_ && to != rank_ && tag >= 0 && tag <= kMaxTag, "send to {}, tag {}",
          to, tag);
    mailboxes_->put(rank_, to, tag, bytes);
    return {.id = 0, .peer = to, .sending = true};
  }

  Transfer receive(std::span<std::byte> bytes, int from, int tag) override {
    check(from >= 0 && from < size_ && from != rank_, "receive from {}", from);
    const auto free = std::ranges::find(receives_, -1, &Receive::tag);
    const auto index = free - receives_.begin();
    const Receive receive{.bytes = bytes, .from = from, .tag = tag, .order = order_++};
    free == receives_.end() ? receives_.push_back(receive) : void(*free = receive);
    return {.id = static_cast<int>(index) + 1, .peer = from};
  }

  bool done(Transfer& transfer) override {
    if (transfer.sending) {
      return true;
    }
    // An earlier receive with the same sender and tag comes first.
    const auto asked = static_cast<std::size_t>(transfer.id - 1);
    for (;;) {
      Receive& wanted = receives_[asked];
      if (wanted.tag < 0) {
        return true;
      }
      Receive* first = &wanted;
      for (Receive& other : receives_) {
        if (other.tag == wanted.tag && other.from == wanted.from && !other.full &&
            other.order < first->order) {
          first = &other;
        }
      }
      if (!wanted.full) {
        std::vector<std::byte> message;
        if (!mailboxes_->take(first->from, rank_, first->tag, message)) {
          return false;
        }
        check(message.size() == first->bytes.size(), "{} sent {} bytes, {} were expected",
              name(first->from), message.size(), first->bytes.size());
        std::ranges::copy(message, first->bytes.begin());
        first->full = true;
      }
      if (wanted.full) {
        wanted.tag = -1;
        wanted.full = false;
        return true;
      }
    }
  }

  std::unique_ptr<Communicator> duplicate() override {
    auto copy =
        std::make_unique<ThreadCommunicator>(rank_, size_, mailboxes_->duplicate(duplicates_++));
    copy->set_timeout(timeout());
    return copy;
  }

  bool shares_memory() const override {
    return size_ > 1 && mailboxes_->memory() == Memory::kShared;
  }
  Blocks share(std::size_t bytes) override { return mailboxes_->share(shares_++, bytes); }

 private:
  struct Receive {
    std::span<std::byte> bytes;
    int from = -1;
    int tag = -1;
    std::int64_t order = 0;
    bool full = false;
  };

  int rank_;
  int size_;
  std::shared_ptr<Mailboxes> mailboxes_;
  std::deque<Receive> receives_;
  std::int64_t order_ = 0;
  std::size_t duplicates_ = 0;
  std::size_t shares_ = 0;
};

}  // namespace

void run_ranks(int size, const std::function<void(Communicator&)>& body, Memory memory) {
  std::atomic<bool> failed = false;
  const auto mailboxes = std::make_shared<Mailboxes>(failed, size, memory);
  std::mutex mutex;
  std::exception_ptr error;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ThreadCommunicator communicator(rank, size, mailboxes);
        body(communicator);
      } catch (const Aborted&) {
        return;
      } catch (...) {
        const std::lock_guard lock(mutex);
        error = error ? error : std::current_exception();
        failed = true;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace convoy::dist::testing
