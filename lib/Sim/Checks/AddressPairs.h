// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Instructions with several addresses. Each is a pair of sources, a register
// and a constant offset; bit i of the flags says that pair i has 64 bits.
#ifndef FOVEA_LIB_SIM_ADDRESSPAIRS_H
#define FOVEA_LIB_SIM_ADDRESSPAIRS_H

#include "Machine/Machine.h"
#include "Program/Decoder.h"

namespace fovea::sim {

inline uint64_t addressOf(Warp &warp, const Inst &inst, unsigned pair,
                          unsigned lane) {
  uint32_t base = inst.s(2 * pair), offset = inst.s(2 * pair + 1);
  auto add =
      static_cast<int64_t>(static_cast<int32_t>(warp.narrow(offset)[lane]));
  if ((inst.flags >> pair) & 1)
    return warp.wide(base)[lane] + static_cast<uint64_t>(add);
  return static_cast<uint32_t>(warp.narrow(base)[lane] +
                               static_cast<uint64_t>(add));
}

/// Appends the pair of an operand in brackets to the sources.
inline void appendAddress(Decoder &d, const Operand &operand,
                          std::vector<uint32_t> &sources, uint8_t &flags) {
  if (operand.kind != Operand::Memory)
    d.fail("'" + d.fullName() + "' expects an address in brackets");
  Inst at;
  uint32_t base = d.address(at, operand);
  // A constant address comes whole, with a base of zero.
  bool isConstant = operand.elems[0].kind != Operand::Reg;
  if (at.addrBits == 64)
    flags |= static_cast<uint8_t>(1u << (sources.size() / 2));
  sources.push_back(isConstant ? d.constant(static_cast<uint64_t>(at.imm), true)
                               : base);
  sources.push_back(d.constant(isConstant ? 0 : static_cast<uint32_t>(at.imm)));
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_ADDRESSPAIRS_H
