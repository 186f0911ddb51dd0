// serve DATABASE: a coordinator for tests in other languages. Prints its address, and serves until
// its standard input ends. The token is in CONVOY_COORDINATOR_TOKEN.
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "dist/coordinator/rpc/server.h"

int main(int argc, char** argv) {
  const char* token = std::getenv("CONVOY_COORDINATOR_TOKEN");
  if (argc != 2 || token == nullptr) {
    std::cerr << "usage: CONVOY_COORDINATOR_TOKEN=... serve DATABASE\n";
    return 2;
  }
  try {
    convoy::dist::Coordinator coordinator({.database = argv[1]});
    const convoy::dist::CoordinatorServer server(coordinator, {.token = token});
    std::cout << server.address() << std::endl;
    while (std::getchar() != EOF) {
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
