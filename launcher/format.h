// Numbers as convoy shows them to people, the same everywhere. Not for JSON.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace convoy::launcher {

/// A fraction of 1 as "99.12 %"; NaN as "nan".
std::string format_percent(double fraction);

/// Five digits or so: "0.0453", "12.345", "3.2e-06"; "nan", "inf".
std::string format_loss(double loss);

/// "12,345"
std::string format_count(std::int64_t count);

/// Images per second: "12,345"; below ten "4.2".
std::string format_rate(double per_second);

/// "4.9s", "45s", "1m05s", "2h07m", "4d03h"; negative or NaN as "?".
std::string format_duration(std::chrono::duration<double> duration);

}  // namespace convoy::launcher
