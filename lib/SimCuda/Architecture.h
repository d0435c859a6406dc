// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPU that the library pretends to be, as numbers that programs ask for.

#ifndef FOVEA_SIMCUDA_ARCHITECTURE_H
#define FOVEA_SIMCUDA_ARCHITECTURE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fovea::simcuda {

/// A compute capability; `exact` for an architecture-specific target
/// ("sm_90a"), whose code runs on no other.
struct Architecture {
  int major = 8, minor = 0;
  bool exact = false;

  int number() const { return major * 10 + minor; }
  /// Whether code for `target` runs on this one.
  bool runs(const Architecture &target) const;
  std::string name() const;
  static std::optional<Architecture> parse(std::string_view text);
};

/// Limits of a multiprocessor and a device (CUDA programming guide, "Technical
/// specifications per compute capability"; data sheets of A100 40 GB and H100
/// SXM5 80 GB).
struct DeviceFacts {
  const char *name;
  int multiprocessors;
  int maxSharedPerBlock, sharedPerMultiprocessor; // bytes
  int clockKHz, memoryClockKHz, memoryBusBits;
  int l2Bytes;
  int64_t memoryBytes;
  int tensorMaps; // clusters as well
};

const DeviceFacts &factsOf(const Architecture &architecture);

/// FOVEA_SIM_ARCH, or sm_80. `chosen` tells whether the variable is there.
Architecture deviceArchitecture();
bool architectureChosen();

} // namespace fovea::simcuda

#endif // FOVEA_SIMCUDA_ARCHITECTURE_H
