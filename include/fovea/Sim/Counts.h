// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a launch executed, if counting was on: PTX instructions, of which
// machine code has others. docs/counts.md compares the two.
#ifndef FOVEA_SIM_COUNTS_H
#define FOVEA_SIM_COUNTS_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fovea::sim {

/// What instructions ask of a multiprocessor at least. Rates by machine are in
/// tools/fovea-sim/Bounds.cpp.
enum class Unit : uint8_t {
  TensorA100,  // cycles of the tensor cores of an A100
  TensorH100,  // and of an H100
  Float,       // f32 arithmetic
  FloatAdd,    // the same that may be fused with a product
  FloatMul,    // the same that may be fused with a sum
  Half,        // f16x2, bf16x2 arithmetic
  Double,      // f64 arithmetic
  Alu,         // comparisons that select, conversions to 16 bits and below
  FromInteger, // conversions from integers to f32
  Mufu,        // transcendental functions, bit counts, other conversions
  Data,        // wavefronts of L1 and shared memory, shuffles
  Issue,       // instructions
};
constexpr unsigned unitCount = 12;
using UnitSums = std::array<double, unitCount>;

inline double &at(UnitSums &sums, Unit unit) {
  return sums[static_cast<unsigned>(unit)];
}
inline double at(const UnitSums &sums, Unit unit) {
  return sums[static_cast<unsigned>(unit)];
}

/// Traffic of memory.
struct MemoryCount {
  uint64_t requests = 0;
  /// Of global memory. Sectors have 32 bytes; `leastSectors` are the different
  /// ones, of which cp.async may fetch some twice.
  uint64_t bytes = 0, sectors = 0, leastSectors = 0;
  /// Of global and local memory, in the pipe of shared memory.
  uint64_t globalWavefronts = 0;
  /// Of shared memory; `leastWavefronts` are those without bank conflicts.
  uint64_t sharedRequests = 0, wavefronts = 0, leastWavefronts = 0;
  /// Bytes of shared memory that asynchronous copies write or read, and that
  /// wgmma reads.
  uint64_t asyncBytes = 0;
  uint64_t localBytes = 0, localSectors = 0;

  MemoryCount &operator+=(const MemoryCount &other);
};

/// One instruction of the kernel and what it did.
struct InstCount {
  uint32_t line = 0;
  std::string opcode;
  /// tensor, fma, fp64, alu, mufu, lsu, uniform, control or move
  std::string pipe;
  uint64_t warps = 0;     // warp instructions issued
  uint64_t active = 0;    // of these with a lane whose predicate was true
  uint64_t threads = 0;   // such lanes, of all of them
  uint64_t divergent = 0; // branches at which lanes parted
  uint64_t multiplyAdds = 0;
  MemoryCount memory;
  UnitSums least{}; // of all of them
};

/// A loop: the instructions from which its backward branch can be reached
/// without passing its head.
struct LoopCount {
  uint32_t firstLine = 0, lastLine = 0; // of its head and its last branch back
  uint64_t rounds = 0;                  // branches back taken by warps
  std::vector<uint32_t> members;        // into LaunchResult::counts
};

/// Traffic of one allocation.
struct AllocationCount {
  uint64_t readBytes = 0, writtenBytes = 0;
  uint64_t readSectors = 0, writtenSectors = 0;
};

} // namespace fovea::sim

#endif // FOVEA_SIM_COUNTS_H
