// The ranks of a job, and how bytes go from one to another. One process is a group of one, not a
// special case: everything above works on a Communicator.
//
// Collectives are in dist/collectives.h, written once on top of this for every kind of group: so
// sums have one order, and whatever waits has a deadline and names the rank it waits for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/host_name.h"

namespace convoy::dist {

/// A message on its way; made by send and receive, ended by the done that returns true, or by wait.
struct Transfer {
  int id = -1;
  int peer = -1;
  bool sending = false;
};

/// A group of ranks. A message finds the receive with its sender and tag; those of one sender and
/// tag arrive in the order they were sent. Not thread safe: two threads of a rank need a duplicate
/// each.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Where a rank runs, for messages.
  virtual std::string host(int rank) const = 0;

  /// Starts to send; `bytes` must stay as they are until the transfer is done. REQUIRES: another
  /// rank, 0 <= tag <= kMaxTag.
  virtual Transfer send(std::span<const std::byte> bytes, int to, int tag) = 0;
  /// Starts to receive a message of exactly as many bytes.
  virtual Transfer receive(std::span<std::byte> bytes, int from, int tag) = 0;
  /// Whether it is done; moves all transfers on. Throws Error, naming the rank, if the message had
  /// another length.
  virtual bool done(Transfer& transfer) = 0;

  /// The same ranks with messages of their own, for another thread. Called by every rank alike.
  virtual std::unique_ptr<Communicator> duplicate() = 0;

  /// Whether the ranks are several and can see each other's memory: all on one host.
  virtual bool shares_memory() const { return false; }
  /// Memory of so many bytes of each rank, by rank, zeros, which all of them see; aligned to 64
  /// bytes. Called by every rank alike. REQUIRES: shares_memory(). Throws Error if there is none.
  virtual std::vector<std::shared_ptr<std::byte[]>> share(std::size_t bytes);

  /// Returns when the transfer is done. Throws Error, naming rank, host and activity, when the
  /// timeout has passed before.
  void wait(Transfer& transfer);
  /// The same for what a rank does in memory that it shares.
  void wait_until(int peer, const std::function<bool()>& done);

  /// How long `wait` waits.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }
  std::chrono::milliseconds timeout() const { return timeout_; }

  /// How long `wait` has waited so far, all calls together.
  std::chrono::nanoseconds waited() const { return waited_; }

  /// The rank that this one has been waiting for, for longer than kLongWait; -1 if there is none.
  /// May be asked by any thread.
  int awaited() const { return awaited_; }
  /// For whoever waits without `wait`: after each poll that found nothing `peer`'s message, how
  /// long that has lasted; and 0 when it has come.
  void note_wait(int peer, std::chrono::nanoseconds waited) {
    const int now = waited > kLongWait ? peer : -1;
    if (awaited_.load(std::memory_order_relaxed) != now) {
      awaited_.store(now, std::memory_order_relaxed);
    }
  }
  static constexpr std::chrono::seconds kLongWait{1};

  /// What this rank is doing, for messages: "training step", 812. `what` is not copied.
  void set_activity(const char* what, std::int64_t number = -1) {
    activity_ = what;
    activity_number_ = number;
  }
  /// "training step 812"
  std::string activity() const;
  /// "rank 2 (node7)"
  std::string name(int rank) const;
  /// Throws Error: the timeout has passed and `transfer` is not done.
  [[noreturn]] void fail_late(const Transfer& transfer) const;

  static constexpr int kMaxTag = 32767;

 private:
  void wait_until(const Transfer& transfer, const std::function<bool()>& done);

  std::chrono::milliseconds timeout_ = std::chrono::seconds(60);
  const char* activity_ = "starting";
  std::int64_t activity_number_ = -1;
  std::chrono::nanoseconds waited_{0};
  std::atomic<int> awaited_ = -1;
};

/// The group of one process; nobody to send to.
class LocalCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string host(int) const override { return host_name(); }
  Transfer send(std::span<const std::byte>, int to, int) override { fail("no rank {}", to); }
  Transfer receive(std::span<std::byte>, int from, int) override { fail("no rank {}", from); }
  bool done(Transfer&) override { return true; }
  std::unique_ptr<Communicator> duplicate() override {
    return std::make_unique<LocalCommunicator>();
  }
};

/// Waits for something that only polling brings about: briefly hot, then leaving the core to
/// others, then asleep for moments.
class Backoff {
 public:
  /// Call after a poll that found nothing; returns how long it has been waiting.
  std::chrono::nanoseconds pause();

 private:
  std::int64_t polls_ = 0;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace convoy::dist
