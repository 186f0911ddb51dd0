// What the states of a run mean, for both sides of the service.
#pragma once

#include "convoy/v1/run.pb.h"

namespace convoy::dist {

/// STOPPED, SUCCEEDED, FAILED: nothing more is to be heard of it, unless it is resumed.
inline bool has_ended(v1::RunState state) {
  return state == v1::RUN_STATE_STOPPED || state == v1::RUN_STATE_SUCCEEDED ||
         state == v1::RUN_STATE_FAILED;
}

/// RUNNING, STOPPING: its lease is valid.
inline bool goes_on(v1::RunState state) {
  return state == v1::RUN_STATE_RUNNING || state == v1::RUN_STATE_STOPPING;
}

}  // namespace convoy::dist
