// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One line on a terminal that says what is going on; nothing in a pipe.

#ifndef FOVEA_TOOLS_PROGRESS_H
#define FOVEA_TOOLS_PROGRESS_H

#include <cstdio>
#include <string>
#include <unistd.h>

namespace fovea::tool {

class Progress {
public:
  Progress() : isTerminal(isatty(STDERR_FILENO)) {}
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  ~Progress() { show(""); }

  /// Replaces the line; an empty text removes it.
  void show(const std::string &text) {
    if (!isTerminal || (text.empty() && isClear))
      return;
    // Return to the start, write, erase the rest.
    std::fprintf(stderr, "\r%s\033[K", text.c_str());
    isClear = text.empty();
  }

private:
  bool isTerminal;
  bool isClear = true;
};

} // namespace fovea::tool

#endif // FOVEA_TOOLS_PROGRESS_H
