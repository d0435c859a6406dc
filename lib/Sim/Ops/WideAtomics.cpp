// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atom.exch and atom.cas of 128 bits (ISA text, section 9.7.13.6). A b128
// register is two of 64 bits in a row.
#include "Checks/Races.h"
#include "Checks/Taint.h"
#include "Program/Decoder.h"
#include <cstring>

namespace fovea::sim {
namespace {

enum WideFlags : uint8_t { WideAcquire = 1, WideRelease = 2, WideCas = 4 };

struct Word {
  uint64_t low, high;
  bool operator==(const Word &) const = default;
};

Word load(Warp &warp, uint32_t cell, unsigned l) {
  return {warp.wide(cell)[l], warp.wide(cell + 2)[l]};
}

/// CTAs that run in parallel meet at one lock.
Word exchange(uint8_t *at, const Word *expected, Word desired) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  Word old;
  std::memcpy(&old, at, sizeof old);
  if (!expected || old == *expected)
    std::memcpy(at, &desired, sizeof desired);
  return old;
}

/// Sources: address, then the new value or the expected one and the new one.
void execWideAtomic(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(
          warp,
          (taintOf(warp, inst.s(i)) | (i ? taintOf(warp, inst.s(i) + 2) : 0)) &
              mask,
          0, i ? "an atomic operation" : "an address");
  bool isCas = inst.flags & WideCas;
  uint64_t addresses[32];
  uint32_t dirty = 0;
  forLanes(mask, [&](unsigned l) {
    addresses[l] = laneAddress(warp, inst, inst.s(0), l);
    Place place;
    if (!locate(warp, inst, l, inst.space, addresses[l], 16, 16, true, place))
      return;
    if (RaceDetector *races = warp.launch->races.get())
      races->atomic(warp, l, place, 16, inst.scope, inst.flags & WideAcquire,
                    inst.flags & WideRelease);
    if (place.init && std::memchr(place.init, 0, 16)) {
      dirty |= 1u << l;
      std::memset(place.init, 1, 16);
    }
    Word first = load(warp, inst.s(1), l);
    Word old = isCas ? exchange(place.data, &first, load(warp, inst.s(2), l))
                     : exchange(place.data, nullptr, first);
    if (std::memcmp(place.data, &old, 16))
      ++warp.cta->cluster->changes;
    if (!inst.nd)
      return;
    warp.wide(inst.d(0))[l] = old.low;
    warp.wide(inst.d(0) + 2)[l] = old.high;
  });
  if (isCas && warp.taint)
    reportTaint(warp, dirty, 0, "an atomic operation");
  for (unsigned half = 0; half < 2 && inst.nd; ++half)
    setTaint(warp, inst.d(0) + 2 * half, isCas ? 0 : dirty, mask);
  ++warp.cta->cluster->events;
  if (warp.counts)
    countAccess(warp, inst, inst.space, addresses, mask, 16);
}

} // namespace

void decodeWideAtomic(Decoder &d) {
  uint8_t flags = 0;
  std::string_view order =
      d.oneOf({"relaxed", "acquire", "release", "acq_rel"});
  if (order == "acquire" || order == "acq_rel")
    flags |= WideAcquire;
  if (order == "release" || order == "acq_rel")
    flags |= WideRelease;
  SyncScope scope = takeScope(d);
  std::string_view space =
      d.oneOf({"global", "shared::cta", "shared::cluster", "shared"});
  std::string_view op = d.oneOf({"exch", "cas"});
  d.has("L2::cache_hint");
  Ty ty = d.type();
  if (op.empty() || ty != Ty::B128)
    d.fail("'" + d.fullName() + "' is not supported");
  if (op == "cas")
    flags |= WideCas;
  size_t values = op == "cas" ? 2 : 1;
  d.expectOperands(2 + values, 3 + values);
  Inst at;
  std::vector<uint32_t> sources = {d.address(at, d.op(1))}, dests;
  for (size_t i = 0; i < values; ++i)
    sources.push_back(d.src(d.op(2 + i), ty));
  if (d.op(0).kind != Operand::Sink)
    dests.push_back(d.dst(d.op(0), ty));
  Inst &inst = d.emit(execWideAtomic, dests, sources, Pipe::Lsu);
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space == "global" ? Space::Global
               : space.empty()   ? Space::Generic
                                 : Space::Shared;
  inst.flags = flags;
  inst.scope = scope;
  inst.ownTaint = true;
}

} // namespace fovea::sim
