// What the parts of `convoy status` that write text share.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <string>
#include <string_view>

#include "convoy/v1/run.pb.h"
#include "launcher/status_report.h"

namespace convoy::launcher {

inline constexpr const char* kBold = "\x1b[1m";
inline constexpr const char* kDim = "\x1b[2m";
inline constexpr const char* kRed = "\x1b[31m";
inline constexpr const char* kGreen = "\x1b[32m";
inline constexpr const char* kYellow = "\x1b[33m";

/// `text` in a colour, where there are colours.
std::string painted(std::string_view text, const char* colour, const StatusScreen& screen);
const char* colour_of(v1::RunState state);

/// Text of others, fit for this screen.
std::string shown(std::string_view text, const StatusScreen& screen, std::size_t max_length = 1024);

/// Cut to the screen's width, where there is one.
std::string fitted(const std::string& text, const StatusScreen& screen);
/// The width of a table.
int table_width(const StatusScreen& screen);

/// Of all steps, in [0, 1].
double share_done(const v1::Run& run);

std::chrono::system_clock::time_point time_of(const google::protobuf::Timestamp& time);
std::chrono::duration<double> duration_of(const google::protobuf::Duration& duration);
/// "3m02s"; never negative, whatever the clocks of two machines say.
std::string since(const google::protobuf::Timestamp& time, const StatusScreen& screen);

/// Averages as shown; "" of no images.
std::string loss_of(const v1::Sums& sums);
std::string accuracy_of(const v1::Sums& sums);

}  // namespace convoy::launcher
