# shellcheck shell=bash
# Sourced by what runs convoy together with Open MPI, `support` is this folder: how a build with
# ASan and LeakSanitizer runs then. Other builds ignore it.

# The slow unwinder sees through Open MPI's plug-ins, whose names the suppressions need. Where the
# plug-ins' thread-local variables lie must not be followed: LeakSanitizer takes a block that
# happens to begin 16 bytes into a page for one of glibc 2.19's, with a header, and crashes.
export ASAN_OPTIONS=fast_unwind_on_malloc=0:intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
# shellcheck disable=SC2154
export LSAN_OPTIONS=suppressions=$support/leaks.txt:print_suppressions=0
