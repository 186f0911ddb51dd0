// How --help looks. Include after CLI/App.hpp, in .cc files only.
#pragma once

#include <CLI/FormatterFwd.hpp>
#include <string>

namespace convoy::launcher {

/// Description, usage, arguments, flags under their headings, and the footer with examples.
class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace convoy::launcher
