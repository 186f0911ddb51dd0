// The web page's files, part of the program: page_assets.cc is made of the folder page/ and of
// Chart.js at build time, by embed_page.cmake.
#pragma once

#include <span>
#include <string_view>

namespace convoy::dist {

struct PageAsset {
  std::string_view path;  ///< as in the URL: "/page.css"
  std::string_view type;  ///< its media type
  std::string_view text;
  std::string_view gzip;  ///< the same, compressed
  std::string_view etag;  ///< with its quotes
};

std::span<const PageAsset> page_assets();

}  // namespace convoy::dist
