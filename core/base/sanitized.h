// CONVOY_SANITIZED: defined where ASan or TSan is compiled in, and malloc with it. g++ says so by
// macros, clang++ when it is asked.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONVOY_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONVOY_SANITIZED
#endif
#endif
