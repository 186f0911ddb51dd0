#!/usr/bin/env bash
# package_test.sh BUILD_DIR SOURCE_DIR CXX: installs the build into a folder of its own, builds a
# small program that finds it with find_package(convoy), and runs it.
set -euo pipefail
build=$1 source=$2 cxx=$3
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$build" --prefix "$prefix/convoy" > "$prefix/install.log"
cmake -S "$source/tests/package" -B "$prefix/newcomer" -DCMAKE_CXX_COMPILER="$cxx" \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$prefix/convoy" "${@:4}" > "$prefix/configure.log"
cmake --build "$prefix/newcomer"
"$prefix/newcomer/newcomer"
