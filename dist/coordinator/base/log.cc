#include "dist/coordinator/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "dist/coordinator/base/rate_limit.h"

namespace convoy::dist {
namespace {

constexpr double kOutsideLinesPerSecond = 10;
constexpr double kOutsideBurst = 20;

std::atomic<LogLevel>& level_in_use() {
  static std::atomic<LogLevel> level{LogLevel::kWarning};
  return level;
}

// Not spdlog's registry: the program around us may have its own default logger.
spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("coordinator",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::trace);
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l coordinator: %v");
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kDebug:
      break;
  }
  return spdlog::level::debug;
}

}  // namespace

LogLevel log_level() {
  return level_in_use().load(std::memory_order_relaxed);
}

void set_log_level(LogLevel level) {
  level_in_use().store(level, std::memory_order_relaxed);
}

namespace detail {

void write_log(LogLevel level, std::string_view line) {
  logger().log(spdlog_level(level), "{}", line);
}

bool take_from_log_budget(LogLevel level) {
  if (level > log_level()) {
    return false;
  }
  static RateLimit budget(kOutsideLinesPerSecond, kOutsideBurst);
  static std::atomic<std::int64_t> left_out{0};
  if (!budget.take(std::chrono::steady_clock::now())) {
    left_out.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (const std::int64_t count = left_out.exchange(0, std::memory_order_relaxed); count > 0) {
    write_log(level, fmt::format("{} more lines of this kind were left out", count));
  }
  return true;
}

}  // namespace detail
}  // namespace convoy::dist
