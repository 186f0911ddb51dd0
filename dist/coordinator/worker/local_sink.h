// A worker's way to a coordinator in its own process.
#pragma once

#include <chrono>
#include <memory>

#include "dist/coordinator/coordinator.h"
#include "dist/coordinator/worker/report_sink.h"

namespace convoy::dist {

/// `coordinator` must outlive it. A call waits at most `timeout` for the disk.
std::unique_ptr<ReportSink> make_local_sink(
    Coordinator& coordinator, std::chrono::milliseconds timeout = std::chrono::seconds(2));

}  // namespace convoy::dist
