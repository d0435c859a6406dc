// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// setmaxnreg: warps give registers back to a pool of their CTA and take more
// from it, waiting until there are enough. The pool is what the launch gave:
// .maxnreg a thread. Without .maxnreg it is not known, and nobody waits.
#include "Machine/Machine.h"
#include "Program/Decoder.h"

namespace fovea::sim {

namespace {

bool pollRegisters(Warp &warp, const Inst &inst, uint32_t) {
  unsigned wanted = inst.aux;
  if (!warp.program->maxnreg)
    return true;
  if (!warp.registers)
    warp.registers = (warp.program->maxnreg + 7) / 8 * 8;
  uint32_t &pool = warp.cta->freeRegisters;
  if (wanted > warp.registers + pool)
    return false;
  pool = pool + warp.registers - wanted;
  if (wanted < warp.registers)
    ++warp.cta->cluster->events;
  warp.registers = wanted;
  return true;
}

void decodeSetMaxNReg(Decoder &d) {
  if (d.oneOf({"inc", "dec"}).empty())
    d.fail("'" + d.fullName() + "' lacks inc or dec");
  d.has("sync");
  d.has("aligned");
  d.type();
  d.expectOperands(1);
  uint64_t count = d.immediate(d.op(0));
  if (count < 24 || count > 256 || count % 8)
    d.fail("'" + d.fullName() +
           "' expects a multiple of 8 from 24 to 256 registers");
  Inst &inst = d.emitPoll(pollRegisters, {}, {}, Flow::AlignedWait);
  inst.aux = static_cast<uint32_t>(count);
  inst.pipe = Pipe::Control;
  inst.ownTaint = true;
}

} // namespace

void addRegisterOps(OpcodeTable &t) { t["setmaxnreg"] = decodeSetMaxNReg; }

} // namespace fovea::sim
