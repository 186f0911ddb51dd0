#include "launcher/stop_signal.h"

#include <array>
#include <atomic>
#include <csignal>

#include "core/base/check.h"

namespace convoy::launcher {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};

std::atomic<bool> stop_requested = false;
std::atomic<bool> installed = false;
std::array<struct sigaction, kSignals.size()> previous;

void on_signal(int signal) {
  stop_requested = true;
  if (signal != SIGUSR1) {
    std::signal(signal, SIG_DFL);
  }
}

}  // namespace

StopSignal::StopSignal() {
  check(!installed.exchange(true), "two StopSignals at once");
  stop_requested = false;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &action, &previous[i]);
  }
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &previous[i], nullptr);
  }
  installed = false;
}

bool StopSignal::requested() {
  return stop_requested;
}

}  // namespace convoy::launcher
