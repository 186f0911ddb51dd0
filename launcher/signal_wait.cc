#include "launcher/signal_wait.h"

#include <pthread.h>

#include <csignal>
#include <cstdlib>

namespace convoy::launcher {
namespace {

sigset_t awaited() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  struct sigaction action = {};
  if (sigaction(SIGHUP, nullptr, &action) != 0 || action.sa_handler != SIG_IGN) {
    sigaddset(&set, SIGHUP);  // not under nohup
  }
  return set;
}

}  // namespace

SignalWait::SignalWait() {
  const sigset_t set = awaited();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  listener_ = std::thread([this] { listen(); });
}

SignalWait::~SignalWait() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  // To that thread alone, to wake it.
  pthread_kill(listener_.native_handle(), SIGTERM);
  listener_.join();
  // One that came on top of the first is not to end the process now.
  const sigset_t set = awaited();
  const timespec at_once = {};
  while (sigtimedwait(&set, nullptr, &at_once) > 0) {
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void SignalWait::listen() {
  const sigset_t set = awaited();
  while (true) {
    int signal = 0;
    sigwait(&set, &signal);
    const std::lock_guard lock(mutex_);
    if (ending_) {
      return;
    }
    if (caught_ == 0) {
      caught_ = signal;
      changed_.notify_all();
      if (action_) {
        action_();
      }
    }
  }
}

int SignalWait::caught() const {
  const std::lock_guard lock(mutex_);
  return caught_;
}

void SignalWait::wait() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return caught_ != 0; });
}

bool SignalWait::wait_for(std::chrono::milliseconds time) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return caught_ != 0; });
}

void SignalWait::set_action(std::function<void()> action) {
  const std::lock_guard lock(mutex_);
  action_ = std::move(action);
  if (caught_ != 0 && action_) {
    action_();
  }
}

void SignalWait::end_by(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  std::raise(signal);
  std::_Exit(128 + signal);
}

}  // namespace convoy::launcher
