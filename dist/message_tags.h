// Every tag that messages of dist carry, in one place so that no two meet.
#pragma once

namespace convoy::dist {

enum MessageTag : int {
  kReduceTag = 1,
  kBroadcastTag,
  kGatherTag,
  kChunksTag,
  kFirstBucketTag = 16,  ///< two for each bucket of a gradient
};

}  // namespace convoy::dist
