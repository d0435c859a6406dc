// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The commands, and what they share.

#ifndef FOVEA_TOOLS_COMMANDS_H
#define FOVEA_TOOLS_COMMANDS_H

#include "Options.h"

namespace fovea::tool {

runtime::Status runCompile(const Options &options);
/// run and bench: they differ only in where the arrays come from.
runtime::Status runKernel(const Options &options);

/// The pattern's text, from the file or from -e.
runtime::Result<std::string> readPattern(const Options &options);

/// Prints what the compiler has to say, with the lines it is about, to standard
/// error.
void printDiagnostics(const std::vector<pattern::Diagnostic> &diagnostics,
                      const std::string &text);

/// A compiler's failure that printDiagnostics has already shown.
inline runtime::Error alreadyShown(fovea_status status) { return {status, ""}; }

} // namespace fovea::tool

#endif // FOVEA_TOOLS_COMMANDS_H
