// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy files as raw bytes in C order.
#ifndef FOVEA_TOOLS_FOVEA_SIM_NPY_H
#define FOVEA_TOOLS_FOVEA_SIM_NPY_H

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::sim {

struct NpyArray {
  std::string descr; // "<f4"
  std::vector<size_t> shape;
  std::vector<uint8_t> bytes;
};

/// Throws std::runtime_error naming the file.
NpyArray readNpy(const std::string &path);

} // namespace fovea::sim

#endif // FOVEA_TOOLS_FOVEA_SIM_NPY_H
