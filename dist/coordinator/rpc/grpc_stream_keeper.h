// The clock of open streams: ends idle ones, tells watchers in time, lets go of all at the end.
// Only for dist/coordinator/rpc/grpc_*.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace convoy::dist {

/// A stream that is open. All methods are called with no lock of the keeper held.
class KeptStream {
 public:
  using Time = std::chrono::steady_clock::time_point;
  virtual ~KeptStream() = default;
  /// On the keeper's thread: does what is due, and says when something is again.
  virtual Time tend(Time now) = 0;
  /// Whether it wants to be tended because this run changed. From any thread; cheap.
  virtual bool run_changed(const std::string& /*run*/) { return false; }
  /// Ends it, for the server does.
  virtual void stop() = 0;
};

/// Thread safe. Holds its streams; each must be removed when it is done.
class StreamKeeper {
 public:
  StreamKeeper();
  ~StreamKeeper();
  StreamKeeper(const StreamKeeper&) = delete;
  StreamKeeper& operator=(const StreamKeeper&) = delete;

  /// False, and not added, when there are `most` of its kind already, or after stop_all.
  bool add_report(std::shared_ptr<KeptStream> stream, std::size_t most);
  bool add_watcher(std::shared_ptr<KeptStream> stream, std::size_t most);
  void remove(const std::shared_ptr<KeptStream>& stream);

  void run_changed(const std::string& run);
  /// Tends the watchers soon.
  void wake();
  void stop_all();

 private:
  using Streams = std::set<std::shared_ptr<KeptStream>>;
  void run();

  std::mutex mutex_;
  std::condition_variable woken_;
  Streams reports_;
  Streams watchers_;
  bool wake_ = false;
  bool stopped_ = false;
  bool quit_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace convoy::dist
