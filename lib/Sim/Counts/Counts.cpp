// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What memory instructions cost, and the counts of a launch.
#include "Counts.h"
#include "Costs.h"
#include "Machine/Access.h"
#include "Wavefronts.h"
#include <algorithm>
#include <bit>

namespace fovea::sim {

MemoryCount &MemoryCount::operator+=(const MemoryCount &other) {
  requests += other.requests;
  bytes += other.bytes;
  sectors += other.sectors;
  leastSectors += other.leastSectors;
  globalWavefronts += other.globalWavefronts;
  sharedRequests += other.sharedRequests;
  wavefronts += other.wavefronts;
  leastWavefronts += other.leastWavefronts;
  asyncBytes += other.asyncBytes;
  localBytes += other.localBytes;
  localSectors += other.localSectors;
  return *this;
}

// --- one access -------------------------------------------------------------

namespace {

PcCount &countOf(Warp &warp, const Inst &inst) {
  return warp.counts[&inst - warp.program->code.data()];
}

AllocationCount &allocationOf(Warp &warp, uint64_t address) {
  const Region *region = warp.launch->memory->find(address);
  return warp.launch->counts->allocations[region ? region->name : ""];
}

void addTraffic(AllocationCount &count, bool writes, uint64_t bytes,
                uint64_t sectors) {
  (writes ? count.writtenBytes : count.readBytes) += bytes;
  (writes ? count.writtenSectors : count.readSectors) += sectors;
}

Space windowOf(uint64_t address) {
  switch (address >> 48) {
  case 1:
    return Space::Shared;
  case 2:
    return Space::Local;
  case 3:
    return Space::Param;
  default:
    return Space::Global;
  }
}

Traffic trafficOf(const std::string &opcode) {
  auto starts = [&](const char *text) { return opcode.rfind(text, 0) == 0; };
  if (starts("atom") || starts("red"))
    return Traffic::Atomic;
  return starts("st") || starts("wmma.store") ? Traffic::Store : Traffic::Load;
}

/// An atomic operation that gives a value counts as a read.
bool writes(const Inst &inst, const Warp &warp) {
  const std::string &opcode = warp.program->opcodes[inst.opcode];
  return trafficOf(opcode) == Traffic::Store || opcode.rfind("red", 0) == 0;
}

/// A word of local memory lies beside the same word of the other lanes.
void spreadLocal(uint64_t *spread, const uint64_t *addresses, uint32_t mask) {
  for (unsigned l = 0; l < 32; ++l)
    if ((mask >> l) & 1)
      spread[l] = (addresses[l] & 0xffffffff) / 4 * 128 + 4 * l;
}

} // namespace

void countAccess(Warp &warp, const Inst &inst, Space space,
                 const uint64_t *addresses, uint32_t mask, unsigned bytes) {
  if (!mask)
    return;
  MemoryCount &count = countOf(warp, inst).memory;
  uint64_t first = addresses[std::countr_zero(mask)];
  if (space == Space::Generic)
    space = windowOf(first);
  Traffic traffic = trafficOf(warp.program->opcodes[inst.opcode]);
  uint64_t total = uint64_t(bytes) * static_cast<unsigned>(std::popcount(mask));
  switch (space) {
  case Space::Shared: {
    SharedCost cost = sharedCost(addresses, mask, bytes, traffic);
    ++count.sharedRequests;
    count.wavefronts += cost.wavefronts;
    count.leastWavefronts += cost.least;
    return;
  }
  case Space::Local: {
    uint64_t spread[32];
    spreadLocal(spread, addresses, mask);
    count.localBytes += total;
    for (unsigned word = 0; word < bytes; word += 4) {
      GlobalCost cost =
          globalCost(spread, mask, std::min(bytes, 4u), Traffic::Load);
      count.localSectors += cost.sectors;
      count.globalWavefronts += cost.wavefronts;
      for (uint64_t &at : spread)
        at += 128;
    }
    return;
  }
  case Space::Global:
  case Space::Const: {
    GlobalCost cost = globalCost(addresses, mask, bytes, traffic);
    ++count.requests;
    count.bytes += total;
    count.sectors += cost.sectors;
    count.leastSectors += cost.sectors;
    if (space == Space::Global)
      count.globalWavefronts += cost.wavefronts;
    addTraffic(allocationOf(warp, first), writes(inst, warp), total,
               cost.sectors);
    return;
  }
  default:
    return;
  }
}

void countCopy(Warp &warp, const Inst &inst, const uint64_t *from,
               const uint64_t *to, uint32_t mask, unsigned bytes) {
  if (!mask)
    return;
  MemoryCount &count = countOf(warp, inst).memory;
  bool bypasses =
      warp.program->opcodes[inst.opcode].find(".cg.") != std::string::npos;
  unsigned least = globalCost(from, mask, bytes, Traffic::Load).sectors;
  unsigned sectors = bypasses ? copySectors(from, to, mask) : least;
  uint64_t total = uint64_t(bytes) * static_cast<unsigned>(std::popcount(mask));
  ++count.requests;
  count.bytes += total;
  count.asyncBytes += total;
  count.sectors += sectors;
  count.leastSectors += least;
  addTraffic(allocationOf(warp, from[std::countr_zero(mask)]), false, total,
             sectors);
}

void countAsync(Warp &warp, const Inst &inst, unsigned bytes) {
  countOf(warp, inst).memory.asyncBytes += bytes;
}

void countRun(Warp &warp, const Inst &inst, uint64_t address, uint64_t bytes,
              bool writes) {
  if (!bytes)
    return;
  MemoryCount &count = countOf(warp, inst).memory;
  uint64_t sectors = sectorsOfRun(address, bytes);
  count.bytes += bytes;
  count.sectors += sectors;
  count.leastSectors += sectors;
  addTraffic(allocationOf(warp, address), writes, bytes, sectors);
}

// --- the launch -------------------------------------------------------------

namespace {

const char *nameOf(Pipe pipe) {
  switch (pipe) {
  case Pipe::Alu:
    return "alu";
  case Pipe::Fma:
    return "fma";
  case Pipe::Double:
    return "fp64";
  case Pipe::Mufu:
    return "mufu";
  case Pipe::Lsu:
    return "lsu";
  case Pipe::Tensor:
    return "tensor";
  case Pipe::Uniform:
    return "uniform";
  case Pipe::Move:
    return "move";
  case Pipe::Control:
    return "control";
  }
  return "";
}

void addScaled(UnitSums &to, const UnitSums &from, double times) {
  for (unsigned u = 0; u < unitCount; ++u)
    to[u] += from[u] * times;
}

/// What the instruction cost at least, as often as it was executed; nothing if
/// it may be left out.
UnitSums costOf(const UnitSums &one, const PcCount &count, Pipe pipe) {
  UnitSums sums{};
  addScaled(sums, one, static_cast<double>(count.active));
  if (at(one, Unit::Issue) > 0)
    at(sums, Unit::Data) += static_cast<double>(count.memory.wavefronts +
                                                count.memory.globalWavefronts);
  if (pipe == Pipe::Tensor) // operands that wgmma reads from shared memory
    at(sums, Unit::Data) += static_cast<double>(count.memory.asyncBytes) / 128;
  return sums;
}

} // namespace

LaunchCounts::LaunchCounts(const Program &program)
    : program(program), total(program.code.size()), least(total.size()) {
  std::vector<bool> dead = deadInstructions(program);
  for (size_t pc = 0; pc < total.size(); ++pc) {
    const Inst &inst = program.code[pc];
    if (inst.pipe != Pipe::Uniform && !inst.isHelper && !dead[pc])
      least[pc] = leastCost(program.opcodes[inst.opcode]);
  }
}

void LaunchCounts::takeIn(const std::vector<PcCount> &cta) {
  UnitSums sums{};
  for (size_t pc = 0; pc < total.size(); ++pc) {
    const PcCount &from = cta[pc];
    if (!from.warps)
      continue;
    PcCount &to = total[pc];
    to.warps += from.warps;
    to.active += from.active;
    to.lanes += from.lanes;
    to.divergent += from.divergent;
    to.memory += from.memory;
    addScaled(sums, costOf(least[pc], from, program.code[pc].pipe), 1);
  }
  for (unsigned u = 0; u < unitCount; ++u)
    busiest[u] = std::max(busiest[u], sums[u]);
}

void LaunchCounts::fill(LaunchResult &result) const {
  std::vector<uint32_t> places(total.size(), ~0u);
  for (size_t pc = 0; pc < total.size(); ++pc) {
    const Inst &inst = program.code[pc];
    if (inst.isHelper)
      continue;
    places[pc] = static_cast<uint32_t>(result.counts.size());
    const PcCount &from = total[pc];
    InstCount count;
    count.line = inst.line;
    count.opcode = program.opcodes[inst.opcode];
    count.pipe = nameOf(inst.pipe);
    count.warps = from.warps;
    count.active = from.active;
    count.threads = from.lanes;
    count.divergent = from.divergent;
    if (inst.pipe == Pipe::Tensor)
      count.multiplyAdds = multiplyAdds(count.opcode) * from.active;
    count.memory = from.memory;
    count.least = costOf(least[pc], from, inst.pipe);
    result.counts.push_back(std::move(count));
  }
  for (const ProgramLoop &loop : findLoops(program)) {
    LoopCount count;
    count.firstLine = program.code[loop.head].line;
    count.lastLine = program.code[loop.back].line;
    for (uint32_t pc : loop.branches)
      count.rounds += total[pc].active;
    if (!count.rounds)
      continue;
    for (uint32_t pc : loop.members)
      if (places[pc] != ~0u)
        count.members.push_back(places[pc]);
    result.loops.push_back(std::move(count));
  }
  result.busiestCta = busiest;
  result.allocations = allocations;
}

} // namespace fovea::sim
