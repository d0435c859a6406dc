// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Access.h"
#include "Decoder.h"
namespace fovea::sim {
void addWmmaOps(OpcodeTable &) {}
void addMbarrierOps(OpcodeTable &) {}
void addBulkOps(OpcodeTable &) {}
void addWgmmaOps(OpcodeTable &) {}
void decodeClusterBarrier(Decoder &d) {
  d.fail("'" + d.fullName() + "' is not supported yet");
}
void countAccess(Warp &, const Inst &, Space, const uint64_t *, uint32_t,
                 unsigned) {}
} // namespace fovea::sim
namespace fovea::sim {
void encodeTensorMap(const TensorMapDesc &, void *) {
  throw std::runtime_error("tensor maps are not supported yet");
}
} // namespace fovea::sim
