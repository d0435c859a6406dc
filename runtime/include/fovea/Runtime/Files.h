// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that are there whole or not at all. Everything is written beside its
// place and renamed into it, so that a reader never sees half a file and an
// error leaves what was there before.

#ifndef FOVEA_RUNTIME_FILES_H
#define FOVEA_RUNTIME_FILES_H

#include "fovea/Runtime/Manifest.h"

#include <string>
#include <string_view>
#include <vector>

namespace fovea::runtime {

/// All bytes of a regular file (or of a pipe). FOVEA_WRONG_INPUT with the
/// system's reason otherwise.
Result<std::string> readFile(const std::string &path);

/// Writes the parts one after the other. Replaces a file, refuses a folder.
Status writeFileAtomically(const std::string &path,
                           const std::vector<std::string_view> &parts);

/// The contents of one file of a bundle.
struct BundleFile {
  std::string name;
  std::string contents;
};

/// Writes a folder with manifest.json and these files. Replaces a bundle that
/// is there already; refuses to replace anything else, because a folder given
/// by mistake would be lost. Files must be those that the manifest names.
Status writeBundle(const std::string &path, const Manifest &manifest,
                   const std::vector<BundleFile> &files);

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_FILES_H
