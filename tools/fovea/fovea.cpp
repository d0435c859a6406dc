// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The command line: fovea compile, run, bench. This file turns whatever happens
// into one line on standard error and an exit status: 0 done, 1 wrong input,
// 2 the machine lacks something, 3 our own fault.

#include "Commands.h"

#include <cstdio>
#include <exception>
#include <new>

using namespace fovea;
using namespace fovea::tool;

static runtime::Status dispatch(int argc, char **argv) {
  runtime::Result<Options> options = parseOptions(argc, argv);
  if (!options)
    return options.error();
  return options->command == Command::Compile ? runCompile(*options)
                                              : runKernel(*options);
}

int main(int argc, char **argv) {
  runtime::Error error{FOVEA_OK, ""};
  try {
    if (runtime::Status status = dispatch(argc, argv); !status)
      error = status.error();
  } catch (const std::bad_alloc &) {
    error = runtime::machineLacks("out of memory");
  } catch (const std::exception &exception) {
    error = runtime::internalError(exception.what());
  }
  if (!error.message.empty())
    std::fprintf(stderr, "fovea: error: %s\n", error.message.c_str());
  return error.status;
}
