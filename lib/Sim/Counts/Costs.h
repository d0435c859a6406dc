// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a PTX instruction becomes in machine code, as far as its opcode tells:
// the pipe that takes it, and what it costs at the very least.
//
// Machine code has other instructions than PTX. `ptxas` merges adds and logic
// in threes, drops moves and conversions of width, negates for nothing,
// moves address arithmetic to the uniform datapath or out of loops. So that a
// bound is one, an instruction that may disappear costs nothing here: what
// counts are floating-point arithmetic, conversions, comparisons that select,
// transcendental functions, tensor and memory instructions.
#ifndef FOVEA_LIB_SIM_COSTS_H
#define FOVEA_LIB_SIM_COSTS_H

#include "Program/Program.h"
#include "fovea/Sim/Sim.h"

namespace fovea::sim {

/// The pipe of an opcode, refining what the decoder said of its family.
Pipe pipeOf(const std::string &opcode, Pipe family);

/// Multiply-adds of one warp instruction of a tensor opcode.
uint64_t multiplyAdds(const std::string &opcode);

/// The least that one warp instruction costs, wavefronts of memory aside.
UnitSums leastCost(const std::string &opcode);

/// Sets the pipes of a program. Integer instructions whose result is the same
/// for all lanes, because it comes from parameters, constants and the block's
/// place alone, go to the uniform datapath.
void settlePipes(Program &program);

/// Instructions whose results nothing uses: ptxas removes them. By pc.
std::vector<bool> deadInstructions(const Program &program);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_COSTS_H
