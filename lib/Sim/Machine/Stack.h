// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What alloca takes from a thread's local memory: blocks one above the other
// with a gap between them, released by stackrestore or by the return from the
// function.
#ifndef FOVEA_LIB_SIM_STACK_H
#define FOVEA_LIB_SIM_STACK_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fovea::sim {

class Stack {
public:
  static constexpr uint32_t bytes = 16384; // a lane

  bool isUsed() const { return !tops.empty(); }
  /// Offsets count from the stack's base. False if it is full.
  bool allocate(unsigned lane, uint64_t size, uint64_t align, uint64_t &offset);
  uint32_t top(unsigned lane) { return touch()[lane]; }
  void restore(unsigned lane, uint64_t offset);
  /// Whether the bytes lie in one block that is still allocated.
  bool holds(unsigned lane, uint64_t offset, uint64_t size) const;

  /// A call of the lanes at a depth, and the return from it.
  void enter(std::size_t depth, uint32_t mask);
  void leave(std::size_t depth, uint32_t mask);

private:
  using Tops = std::array<uint32_t, 32>;
  Tops &touch();

  struct Block {
    uint32_t begin, end;
  };
  std::vector<Tops> tops; // the current one first, then a copy a depth
  std::vector<std::vector<Block>> blocks; // by lane
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_STACK_H
