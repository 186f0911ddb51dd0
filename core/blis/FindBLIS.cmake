# Finds BLIS: target BLIS::blis. Debian ships neither a CMake nor a pkg-config file for it.
# The static library of the serial flavour is asked for by path, because all flavours share one
# SONAME and Debian's alternatives may put another flavour, with threads of its own, in its place.
find_path(BLIS_INCLUDE_DIR blis.h
          PATH_SUFFIXES blis-serial ${CMAKE_LIBRARY_ARCHITECTURE}/blis-serial blis)
find_library(BLIS_LIBRARY NAMES libblis.a
             PATH_SUFFIXES blis-serial ${CMAKE_LIBRARY_ARCHITECTURE}/blis-serial)
mark_as_advanced(BLIS_INCLUDE_DIR BLIS_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(BLIS REQUIRED_VARS BLIS_LIBRARY BLIS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "on Debian: apt-get install libblis-serial-dev")
if(BLIS_FOUND AND NOT TARGET BLIS::blis)
  find_package(Threads REQUIRED)
  add_library(BLIS::blis STATIC IMPORTED)
  set_target_properties(BLIS::blis PROPERTIES
    IMPORTED_LOCATION ${BLIS_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${BLIS_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
endif()
