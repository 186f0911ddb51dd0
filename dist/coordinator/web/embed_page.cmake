# cmake -DOUT=page_assets.cc -DGZIP=/bin/gzip -P embed_page.cmake -- FILE...: writes the files into
# a C++ source, each as it is and compressed. A file is served under its name; index.html as "/".
set(files)
set(after_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(after_dashes)
    list(APPEND files "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(after_dashes TRUE)
  endif()
endforeach()

set(type.html "text/html; charset=utf-8")
set(type.css "text/css; charset=utf-8")
set(type.js "text/javascript; charset=utf-8")
set(type.svg "image/svg+xml")
set(type.txt "text/plain; charset=utf-8")

function(append_array out name file)
  file(READ "${file}" hex HEX)
  string(REPEAT "." 64 line)
  string(REGEX REPLACE "(${line})" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  file(APPEND "${out}" "constexpr unsigned char ${name}[] = {\n${hex}};\n")
endfunction()

set(source "${OUT}.part")
file(WRITE "${source}" "// Made by embed_page.cmake.\n#include \"dist/coordinator/web/page_assets.h\"\n
namespace convoy::dist {\nnamespace {\n
template <std::size_t N>\nstd::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char*>(bytes), N};\n}\n\n")
set(table "")
set(i 0)
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  get_filename_component(extension "${file}" LAST_EXT)
  if(NOT DEFINED type${extension})
    message(FATAL_ERROR "${file}: no media type is known for ${extension}")
  endif()
  set(path "/${name}")
  if(name STREQUAL "index.html")
    set(path "/")
  endif()
  # -n: without name and time, so that the same files give the same program.
  execute_process(COMMAND "${GZIP}" -9 -n -c "${file}" OUTPUT_FILE "${OUT}.gz"
                  COMMAND_ERROR_IS_FATAL ANY)
  append_array("${source}" "kText${i}" "${file}")
  append_array("${source}" "kGzip${i}" "${OUT}.gz")
  file(SHA256 "${file}" digest)
  string(SUBSTRING "${digest}" 0 16 digest)
  string(APPEND table
    "      {\"${path}\", \"${type${extension}}\", view(kText${i}), view(kGzip${i}),\n"
    "       \"\\\"${digest}\\\"\"},\n")
  math(EXPR i "${i} + 1")
endforeach()
file(APPEND "${source}" "\n}  // namespace\n
std::span<const PageAsset> page_assets() {\n  static const PageAsset assets[] = {\n${table}  };
  return assets;\n}\n
}  // namespace convoy::dist\n")
file(REMOVE "${OUT}.gz")
file(RENAME "${source}" "${OUT}")
