// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line as plain values. Only Options.cpp knows LLVM's option
// parser; every command works on this struct.

#ifndef FOVEA_TOOLS_OPTIONS_H
#define FOVEA_TOOLS_OPTIONS_H

#include "fovea/Compiler.h"
#include "fovea/Runtime/Result.h"

#include <optional>
#include <string>
#include <vector>

namespace fovea::tool {

enum class Command { Compile, Run, Bench };

struct Options {
  Command command = Command::Run;
  std::string input;               // FILE.attn or BUNDLE; empty with `text`
  std::optional<std::string> text; // -e
  CompileOptions compile;          // target, tile sizes
  Stage stage = Stage::Bundle;     // --emit
  std::string output;              // -o; empty: not given

  std::string q, k, v, lse; // array files
  std::vector<std::string> params;
  std::string device;           // empty: the host, or what a bundle is for
  std::string check, simReport; // device sim: FOVEA_SIM_CHECK, FOVEA_SIM_REPORT
  int32_t threads = 0;
  int repeat = 1;
  bool verify = false;
  bool convert = false;
  bool json = false;
  std::vector<int64_t> shape; // bench: b, h, n and, if given, nk
};

/// Parses the command line; --help, --version and unknown options end the
/// process, as LLVM's parser does (status 0 or 1).
runtime::Result<Options> parseOptions(int argc, char **argv);

} // namespace fovea::tool

#endif // FOVEA_TOOLS_OPTIONS_H
