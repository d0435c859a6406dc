// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What memory instructions cost, and the counts of a launch.
//
// Shared memory serves 32 banks of four bytes a wavefront. A request of 4
// bytes a lane takes as many wavefronts as the busiest bank has different
// words; one of 8 or 16 bytes is served in halves or quarters of the warp.
#include "Access.h"
#include <algorithm>
#include <bit>
#include <cstdlib>

namespace fovea::sim {

namespace {

unsigned wavefrontsOf(const uint64_t *addresses, uint32_t mask,
                      unsigned bytes) {
  unsigned lanesAtOnce = bytes <= 4 ? 32 : bytes <= 8 ? 16 : 8;
  unsigned total = 0;
  for (unsigned first = 0; first < 32; first += lanesAtOnce) {
    uint64_t words[64];
    unsigned n = 0;
    for (unsigned l = first; l < first + lanesAtOnce; ++l) {
      if (!((mask >> l) & 1))
        continue;
      for (uint64_t at = addresses[l] & ~3ull; at < addresses[l] + bytes;
           at += 4)
        words[n++] = at / 4;
    }
    std::sort(words, words + n);
    unsigned distinct =
        static_cast<unsigned>(std::unique(words, words + n) - words);
    unsigned inBank[32] = {}, worst = 0;
    for (unsigned i = 0; i < distinct; ++i)
      worst = std::max(worst, ++inBank[words[i] % 32]);
    total += worst;
  }
  return total;
}

unsigned sectorsOf(const uint64_t *addresses, uint32_t mask, unsigned bytes) {
  uint64_t sectors[64];
  unsigned n = 0;
  for (unsigned l = 0; l < 32; ++l) {
    if (!((mask >> l) & 1))
      continue;
    for (uint64_t at = addresses[l] / 32; at <= (addresses[l] + bytes - 1) / 32;
         ++at)
      sectors[n++] = at;
  }
  std::sort(sectors, sectors + n);
  return static_cast<unsigned>(std::unique(sectors, sectors + n) - sectors);
}

const char *pipeName(Pipe pipe) {
  switch (pipe) {
  case Pipe::Alu:
    return "alu";
  case Pipe::Fma:
    return "fma";
  case Pipe::Mufu:
    return "mufu";
  case Pipe::Lsu:
    return "lsu";
  case Pipe::Tensor:
    return "tensor";
  case Pipe::Uniform:
    return "uniform";
  case Pipe::Control:
    return "control";
  }
  return "";
}

/// m * n * k of `m16n8k16` in an opcode, else 0.
uint64_t multiplyAdds(const std::string &opcode) {
  for (size_t at = opcode.find(".m"); at != std::string::npos;
       at = opcode.find(".m", at + 1)) {
    uint64_t product = 1;
    char *next = const_cast<char *>(opcode.c_str()) + at + 1;
    bool good = true;
    for (char letter : {'m', 'n', 'k'}) {
      good = good && *next == letter;
      uint64_t value = good ? std::strtoull(next + 1, &next, 10) : 0;
      product *= value;
    }
    if (good && product)
      return product;
  }
  return 0;
}

} // namespace

void countAccess(Warp &warp, const Inst &inst, Space space,
                 const uint64_t *addresses, uint32_t mask, unsigned bytes) {
  if (!mask)
    return;
  Launch &launch = *warp.launch;
  auto pc = static_cast<size_t>(&inst - warp.program->code.data());
  uint64_t first = addresses[std::countr_zero(mask)];
  if (space == Space::Generic) {
    uint64_t window = first >> 48;
    space = window == 1 ? Space::Shared : window ? Space::Local : Space::Global;
  }
  if (space == Space::Shared) {
    ++launch.requests[pc];
    launch.wavefronts[pc] += wavefrontsOf(addresses, mask, bytes);
    return;
  }
  if (space != Space::Global && space != Space::Const)
    return;
  unsigned sectors = sectorsOf(addresses, mask, bytes);
  uint64_t total = uint64_t(bytes) * static_cast<unsigned>(std::popcount(mask));
  launch.bytes[pc] += total;
  launch.sectors[pc] += sectors;
  const Region *region = launch.memory->find(first);
  AllocationCount &count = launch.allocations[region ? region->name : ""];
  bool writes = warp.program->opcodes[inst.opcode].rfind("st", 0) == 0 ||
                warp.program->opcodes[inst.opcode].rfind("red", 0) == 0;
  (writes ? count.writtenBytes : count.readBytes) += total;
  count.sectors += sectors;
}

void Launch::gatherCounts(LaunchResult &result) const {
  for (size_t pc = 0; pc < program->code.size(); ++pc) {
    const Inst &inst = program->code[pc];
    if (!counts[pc])
      continue;
    InstCount count;
    count.line = inst.line;
    if (inst.flow == Flow::Bra && inst.target <= pc)
      count.target = program->code[inst.target].line;
    count.opcode = program->opcodes[inst.opcode];
    count.pipe = pipeName(inst.pipe);
    count.warps = counts[pc];
    count.threads = laneCounts[pc];
    if (inst.pipe == Pipe::Tensor)
      count.multiplyAdds = multiplyAdds(count.opcode) * counts[pc];
    count.bytes = bytes[pc];
    count.sectors = sectors[pc];
    count.requests = requests[pc];
    count.wavefronts = wavefronts[pc];
    result.counts.push_back(std::move(count));
  }
  result.allocations = allocations;
}

} // namespace fovea::sim
