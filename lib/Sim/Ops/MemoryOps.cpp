// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ld, st and their hints; prefetch and its like (ISA text, sections 9.7.9.8 to
// 9.7.9.19).
#include "Checks/Races.h"
#include "Checks/Taint.h"
#include "Machine/Access.h"
#include "Program/Decoder.h"
#include <cstring>

namespace fovea::sim {

void decodeStAsync(Decoder &decoder);

namespace {

enum MemFlags : uint8_t {
  MemSigned = 1, // sign-extends to the register
  MemWide = 2,   // registers have 64 bits
  MemHalf = 4,   // registers have 16 bits
  MemStrong = 8, // volatile, relaxed or stronger; Inst::scope tells how far
  MemAcquire = 16,
  MemRelease = 32,
};

uint64_t extendTo(uint64_t bits, const Inst &inst) {
  if (inst.flags & MemSigned) {
    unsigned shift = 64 - inst.bytes * 8u;
    bits = static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift);
  }
  if (inst.flags & MemWide)
    return bits;
  return inst.flags & MemHalf ? bits & 0xffff : bits & 0xffffffff;
}

void storeLane(Warp &warp, const Inst &inst, uint32_t cell, unsigned l,
               uint64_t value) {
  if (inst.flags & MemWide)
    warp.wide(cell)[l] = value;
  else
    warp.narrow(cell)[l] = static_cast<uint32_t>(value);
}

/// An element of each lane of the mask from a buffer of 16 bytes a lane.
void scatterElement(Warp &warp, const Inst &inst, unsigned element,
                    const uint8_t (*buffer)[32], uint32_t mask) {
  uint32_t cell = inst.d(element);
  forLanes(mask, [&](unsigned l) {
    uint64_t bits = 0;
    std::memcpy(&bits, buffer[l] + element * inst.bytes, inst.bytes);
    storeLane(warp, inst, cell, l, extendTo(bits, inst));
  });
}

/// Which bytes of the elements of a load were written, a bit a byte.
struct LoadedBytes {
  uint32_t dirty[8] = {};
  Written written[8][32];
  bool isPartial = false;

  void note(const Inst &inst, const Place &place, unsigned l) {
    for (unsigned e = 0; e < inst.vec; ++e) {
      unsigned bits = 0;
      for (unsigned i = 0; i < inst.bytes; ++i)
        bits |= unsigned(place.init[e * inst.bytes + i] != 0) << i;
      unsigned all = (1u << inst.bytes) - 1;
      if (bits == all)
        continue;
      dirty[e] |= 1u << l;
      // What extends the value to the register counts as written.
      written[e][l] = Written(bits ? bits | (allBytes & ~all) : wholeMissing);
      isPartial |= bits != 0;
    }
  }

  void apply(Warp &warp, const Inst &inst, unsigned e, uint32_t mask) const {
    setTaint(warp, inst.d(e), dirty[e], mask);
    if (isPartial)
      forLanes(dirty[e], [&](unsigned l) {
        setWritten(warp, inst.d(e), l, written[e][l]);
      });
  }
};

void execLd(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t base = inst.s(0);
  unsigned bytes = inst.bytes * inst.vec;
  if (warp.taint)
    reportTaint(warp, taintOf(warp, base) & mask, 0, "an address");
  uint8_t buffer[32][32];
  uint32_t good = 0;
  LoadedBytes loaded;
  uint64_t addresses[32];
  forLanes(mask, [&](unsigned l) {
    addresses[l] = laneAddress(warp, inst, base, l);
    Place place;
    if (!locate(warp, inst, l, inst.space, addresses[l], bytes, bytes, false,
                place))
      return;
    good |= 1u << l;
    bool unwritten = readPlace(warp, l, place, buffer[l], bytes, inst.scope);
    if (unwritten)
      loaded.note(inst, place, l);
  });
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, bytes);
  // An acquire is a strong read with a fence after it, a release a fence with
  // a strong write after it.
  if ((inst.flags & MemAcquire) && warp.launch->races)
    warp.launch->races->fence(warp, mask, inst.scope);
  forLanes(mask & ~good, [&](unsigned l) { std::memset(buffer[l], 0, 32); });
  for (unsigned e = 0; e < inst.vec; ++e) {
    scatterElement(warp, inst, e, buffer, mask);
    loaded.apply(warp, inst, e, mask);
  }
}

/// Stores of unwritten values. In local memory, which is as private as a
/// register, the bytes stay unwritten and nothing is said; so do the bytes of
/// a padded word anywhere.
void storeTaint(Warp &warp, const Inst &inst, unsigned l, const Place &place,
                uint64_t address) {
  if (!place.init)
    return;
  Written written[8];
  unsigned all = (1u << inst.bytes) - 1;
  bool isUse = false;
  for (unsigned e = 0; e < inst.vec; ++e) {
    written[e] = writtenBytes(warp, inst.s(1 + e), l);
    isUse |= !(written[e] & all) ||
             ((written[e] & all) != all && (written[e] & wholeMissing));
  }
  if (isUse && place.space != Space::Local)
    return reportTaint(warp, 1u << l, address, "a store");
  for (unsigned i = 0; i < unsigned(inst.bytes) * inst.vec; ++i)
    place.init[i] = (written[i / inst.bytes] >> (i % inst.bytes)) & 1;
}

void execSt(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t base = inst.s(0);
  unsigned bytes = inst.bytes * inst.vec;
  uint32_t dirty = 0;
  if (warp.taint) {
    reportTaint(warp, taintOf(warp, base) & mask, 0, "an address");
    for (unsigned e = 0; e < inst.vec; ++e)
      dirty |= taintOf(warp, inst.s(1 + e)) & mask;
  }
  if ((inst.flags & MemRelease) && warp.launch->races)
    warp.launch->races->fence(warp, mask, inst.scope);
  uint64_t addresses[32];
  forLanes(mask, [&](unsigned l) {
    addresses[l] = laneAddress(warp, inst, base, l);
    uint8_t buffer[32];
    for (unsigned e = 0; e < inst.vec; ++e) {
      uint32_t cell = inst.s(1 + e);
      uint64_t value =
          inst.flags & MemWide ? warp.wide(cell)[l] : warp.narrow(cell)[l];
      std::memcpy(buffer + e * inst.bytes, &value, inst.bytes);
    }
    Place place;
    if (!locate(warp, inst, l, inst.space, addresses[l], bytes, bytes, true,
                place))
      return;
    writePlace(warp, l, place, buffer, bytes, inst.scope);
    if ((dirty >> l) & 1)
      storeTaint(warp, inst, l, place, addresses[l]);
  });
  ++warp.cta->cluster->events;
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, bytes);
}

// --- decoding ---------------------------------------------------------------

/// Hints of caches and scopes, which change nothing here.
void takeHints(Decoder &d) {
  while (!d.oneOf({"ca",
                   "cg",
                   "cs",
                   "lu",
                   "cv",
                   "wb",
                   "wt",
                   "nc",
                   "unified",
                   "evict_first",
                   "evict_last",
                   "evict_normal",
                   "evict_unchanged",
                   "no_allocate",
                   "L1::evict_first",
                   "L1::evict_last",
                   "L1::evict_normal",
                   "L1::evict_unchanged",
                   "L1::no_allocate",
                   "L2::evict_first",
                   "L2::evict_last",
                   "L2::evict_normal",
                   "L2::64B",
                   "L2::128B",
                   "L2::256B",
                   "L2::cache_hint",
                   "cta",
                   "cluster",
                   "gpu",
                   "sys"})
              .empty()) {
  }
}

uint8_t takeOrder(Decoder &d, bool isLoad) {
  d.has("mmio");
  if (!d.oneOf({"volatile", "relaxed"}).empty())
    return MemStrong;
  if (isLoad && d.has("acquire"))
    return MemStrong | MemAcquire;
  if (!isLoad && d.has("release"))
    return MemStrong | MemRelease;
  d.has("weak");
  return 0;
}

Space takeSpace(Decoder &d) {
  std::string_view space =
      d.oneOf({"global", "shared::cta", "shared::cluster", "shared", "local",
               "const", "param::entry", "param::func", "param"});
  if (space == "global" || space == "const")
    return Space::Global;
  if (space == "shared" || space == "shared::cta" || space == "shared::cluster")
    return Space::Shared;
  return space == "local" ? Space::Local : Space::Generic;
}

void finishMemory(Decoder &d, Inst &inst, Ty ty, const Operand &value,
                  unsigned vec) {
  inst.bytes = static_cast<uint8_t>(typeBytes(ty));
  inst.vec = static_cast<uint8_t>(vec);
  const Operand &first = value.kind == Operand::List ? value.elems[0] : value;
  unsigned width = 0;
  const std::vector<Operand> &all =
      value.kind == Operand::List ? value.elems : std::vector<Operand>{first};
  for (const Operand &element : all)
    if (element.kind == Operand::Reg)
      width = std::max(width, typeBits(d.regType(element)));
  if (width == 0)
    width = typeBits(ty);
  width = std::min(width, 64u);
  inst.flags |= width == 64 ? MemWide : width == 16 ? MemHalf : 0;
  if (isSigned(ty))
    inst.flags |= MemSigned;
}

unsigned takeVector(Decoder &d, const Operand &value) {
  std::string_view vec = d.oneOf({"v2", "v4", "v8"});
  unsigned n = vec.empty() ? 1 : static_cast<unsigned>(vec[1] - '0');
  size_t got = value.kind == Operand::List ? value.elems.size() : 1;
  if (got != n)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(n) +
           " registers, but got " + std::to_string(got));
  return n;
}

/// A b128 is moved as a vector of two b64.
void splitWide(std::vector<uint32_t> &cells, Ty &ty, unsigned &vec) {
  if (ty != Ty::B128)
    return;
  std::vector<uint32_t> halves;
  for (uint32_t cell : cells)
    halves.insert(halves.end(), {cell, cell + 2});
  cells = std::move(halves);
  ty = Ty::B64;
  vec *= 2;
}

/// Registers may be wider than the type, all by the same.
std::vector<uint32_t> relaxedList(Decoder &d, const Operand &value, Ty ty,
                                  bool isDst) {
  std::vector<uint32_t> cells;
  auto add = [&](const Operand &element) {
    Ty declared = d.regType(element);
    if (declared == Ty::Pred)
      d.fail("'" + d.fullName() + "' cannot move a predicate");
    Ty use = declared != Ty::None && typeBits(declared) > typeBits(ty)
                 ? declared
                 : ty;
    cells.push_back(isDst ? d.dst(element, use) : d.src(element, use));
  };
  if (value.kind == Operand::List)
    for (const Operand &element : value.elems)
      add(element);
  else
    add(value);
  return cells;
}

void decodeLd(Decoder &d) {
  uint8_t order = takeOrder(d, true);
  SyncScope scope = order ? takeScope(d) : SyncScope::None;
  Space space = takeSpace(d);
  takeHints(d);
  d.expectOperands(2, 3); // the third: a cache policy
  unsigned vec = takeVector(d, d.op(0));
  Ty ty = d.type();
  if (ty == Ty::Pred)
    d.fail("'" + d.fullName() + "' is not supported");
  std::vector<uint32_t> cells = relaxedList(d, d.op(0), ty, true);
  splitWide(cells, ty, vec);
  Inst at;
  uint32_t base = d.address(at, d.op(1));
  // A parameter is an operand of machine code, not a load.
  bool isParam = d.statement->opcode[1].rfind("param", 0) == 0;
  Inst &inst =
      d.emit(execLd, cells, {base}, isParam ? Pipe::Uniform : Pipe::Lsu);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space;
  inst.flags = order;
  inst.scope = scope;
  inst.ownTaint = true;
  finishMemory(d, inst, ty, d.op(0), vec);
}

void decodeSt(Decoder &d) {
  uint8_t order = takeOrder(d, false);
  if (d.has("async"))
    return decodeStAsync(d);
  SyncScope scope = order ? takeScope(d) : SyncScope::None;
  Space space = takeSpace(d);
  takeHints(d);
  d.expectOperands(2, 3);
  unsigned vec = takeVector(d, d.op(1));
  Ty ty = d.type();
  if (ty == Ty::Pred)
    d.fail("'" + d.fullName() + "' is not supported");
  std::vector<uint32_t> sources = relaxedList(d, d.op(1), ty, false);
  splitWide(sources, ty, vec);
  Inst at;
  sources.insert(sources.begin(), d.address(at, d.op(0)));
  Inst &inst = d.emit(execSt, {}, sources, Pipe::Lsu);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space;
  inst.flags = order;
  inst.scope = scope;
  inst.ownTaint = true;
  finishMemory(d, inst, ty, d.op(1), vec);
}

/// Hints without effect: prefetch, discard, applypriority, createpolicy.
void decodeNothing(Decoder &d) {
  for (size_t i = 1; i < d.statement->opcode.size(); ++i)
    d.next("a modifier");
  d.emit([](Warp &, const Inst &, uint32_t) {}, {}, {}, Pipe::Lsu).ownTaint =
      true;
}

void execPolicy(Warp &warp, const Inst &inst, uint32_t mask) {
  forLanes(mask, [&](unsigned l) { warp.wide(inst.d(0))[l] = 0; });
}

void decodePolicy(Decoder &d) {
  for (size_t i = 1; i < d.statement->opcode.size(); ++i)
    d.next("a modifier");
  d.emit(execPolicy, {d.dst(d.op(0), Ty::B64)}, {});
}

} // namespace

void addMemoryOps(OpcodeTable &t) {
  t["ld"] = decodeLd;
  t["ldu"] = decodeLd;
  t["st"] = decodeSt;
  t["prefetch"] = decodeNothing;
  t["prefetchu"] = decodeNothing;
  t["applypriority"] = decodeNothing;
  t["discard"] = decodeNothing;
  t["createpolicy"] = decodePolicy;
}

} // namespace fovea::sim
