// Reads a file's content that is in memory, whether it is gzipped or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace convoy::data {

/// Gives bytes one after the other; what begins with gzip's magic 1f 8b (RFC 1952) is unpacked on
/// the way, never as a whole, so nothing is allocated for what a file merely claims. Borrows
/// `file`.
class ByteSource {
 public:
  ByteSource(std::span<const std::uint8_t> file, std::string name);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  /// Fills `out` and returns how many bytes that took; fewer than asked for only at the end.
  /// Throws Error, with the offset, if gzip data is damaged or cut off.
  std::size_t read(std::span<std::uint8_t> out);

  /// No more bytes than this can follow: exact for a plain file; for a gzipped one what deflate can
  /// unpack to at most.
  std::uint64_t at_most() const;
  bool gzipped() const { return gzip_ != nullptr; }

 private:
  struct Gzip;
  std::size_t inflate_into(std::span<std::uint8_t> out);
  std::size_t offset() const { return whole_.size() - rest_.size(); }

  std::span<const std::uint8_t> whole_;
  std::span<const std::uint8_t> rest_;
  std::string name_;
  std::unique_ptr<Gzip> gzip_;
};

}  // namespace convoy::data
