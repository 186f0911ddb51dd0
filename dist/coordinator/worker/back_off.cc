#include "dist/coordinator/worker/back_off.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace convoy::dist {
namespace {

// A coordinator that is started anew is not worth a word.
constexpr std::chrono::seconds kWorthANote{1};
constexpr int kMaxDoublings = 20;

}  // namespace

std::string BackOff::answered() {
  failures_ = 0;
  retry_at_ = {};
  return std::exchange(told_, false) ? fmt::format("{} answers again", options_.coordinator) : "";
}

std::string BackOff::failed(bool refused, const std::string& reason, Time now) {
  using Seconds = std::chrono::duration<double>;
  since_ = failures_ == 0 ? now : since_;
  const Seconds delay =
      std::min(Seconds(options_.longest), Seconds(options_.first) * (1 << failures_));
  failures_ = std::min(failures_ + 1, kMaxDoublings);
  retry_at_ = now + std::chrono::duration_cast<Time::duration>(delay * jitter_(random_));
  if (now - since_ < kWorthANote || std::exchange(told_, true)) {
    return "";
  }
  return fmt::format("{} {}: {}; training goes on, and its reports are kept", options_.coordinator,
                     refused ? "takes no reports" : "does not answer",
                     reason.substr(0, reason.find('\n')));
}

}  // namespace convoy::dist
