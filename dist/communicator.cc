#include "dist/communicator.h"

#include <sched.h>

#include <thread>

namespace convoy::dist {

std::chrono::nanoseconds Backoff::pause() {
  using std::chrono::steady_clock;
  // A message in shared memory takes about a microsecond; asking the clock a twentieth of that.
  constexpr std::int64_t kHotPolls = 64;
  constexpr auto kYielding = std::chrono::milliseconds(2);
  if (polls_++ == 0) {
    began_ = steady_clock::now();
  }
  if (polls_ < kHotPolls) {
    return {};
  }
  const auto waited = steady_clock::now() - began_;
  if (waited < kYielding) {
    sched_yield();  // to a rank on the same core, maybe the very one waited for
  } else {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return waited;
}

std::vector<std::shared_ptr<std::byte[]>> Communicator::share(std::size_t bytes) {
  fail("{} ranks have no memory in common, and so not {} bytes", size(), bytes);
}

void Communicator::wait(Transfer& transfer) {
  wait_until(transfer, [&] { return done(transfer); });
}

void Communicator::wait_until(int peer, const std::function<bool()>& done) {
  wait_until(Transfer{.peer = peer}, done);
}

void Communicator::wait_until(const Transfer& transfer, const std::function<bool()>& done) {
  if (done()) {
    return;
  }
  const int peer = transfer.peer;
  const auto began = std::chrono::steady_clock::now();
  for (Backoff backoff; !done();) {
    const std::chrono::nanoseconds waited = backoff.pause();
    if (waited > timeout_) {
      fail_late(transfer);
    }
    note_wait(peer, waited);
  }
  note_wait(peer, {});
  waited_ += std::chrono::steady_clock::now() - began;
}

std::string Communicator::activity() const {
  return activity_number_ < 0 ? activity_ : fmt::format("{} {}", activity_, activity_number_);
}

std::string Communicator::name(int rank) const {
  return fmt::format("rank {} ({})", rank, host(rank));
}

void Communicator::fail_late(const Transfer& transfer) const {
  fail(
      "{} has waited {:g} s for {} ({}): {}\nThat rank is stopped, stuck, very slow or cut off; "
      "see "
      "what it does there. --timeout SECONDS gives it longer.",
      name(rank()), std::chrono::duration<double>(timeout_).count(), name(transfer.peer),
      activity(), transfer.sending ? "it takes no message" : "nothing came from it");
}

}  // namespace convoy::dist
