// The files of TLS, read and looked at before a connection depends on them.
#pragma once

#include <string>

#include "dist/coordinator/net/endpoint.h"

namespace convoy::dist {

/// The contents of TlsFiles; empty where no file is named.
struct TlsPem {
  std::string certificate = {};
  std::string key = {};
  std::string authority = {};
};

/// Throws Error, naming the file, if one cannot be read or is no PEM of its kind, if one of
/// certificate and key is without the other or they do not belong together, or if others than its
/// owner may read the key.
TlsPem read_tls_files(const TlsFiles& files);

}  // namespace convoy::dist
