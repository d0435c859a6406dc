// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The bytes of partly written registers: see the header.
#include "Taint.h"

namespace fovea::sim {

void forgetPartial(Warp &warp, uint32_t cell, uint32_t mask) {
  auto known = warp.partial.find(cell);
  if (known == warp.partial.end())
    return;
  bool any = false;
  for (unsigned l = 0; l < 32; ++l) {
    if ((mask >> l) & 1)
      known->second[l] = 0;
    any |= known->second[l] != 0;
  }
  if (!any)
    warp.partial.erase(known);
}

void setWritten(Warp &warp, uint32_t cell, unsigned lane, Written written) {
  if (!warp.taint)
    return;
  bool isWhole = (written & allBytes) == allBytes;
  setTaint(warp, cell, isWhole ? 0 : 1u << lane, 1u << lane);
  if (isWhole || !(written & allBytes))
    return;
  auto [known, isNew] = warp.partial.try_emplace(cell);
  if (isNew)
    known->second.fill(0);
  known->second[lane] = written;
}

void copyPartial(Warp &warp, uint32_t to, uint32_t from, uint32_t mask) {
  uint32_t lanes = taintOf(warp, from) & mask;
  Written written[32];
  forLanes(lanes,
           [&](unsigned l) { written[l] = writtenBytes(warp, from, l); });
  setTaint(warp, to, 0, mask);
  forLanes(lanes, [&](unsigned l) { setWritten(warp, to, l, written[l]); });
}

namespace {

uint64_t valueOf(Warp &warp, uint32_t cell, unsigned lane, bool wide) {
  return wide ? warp.wide(cell)[lane] : warp.narrow(cell)[lane];
}

/// Bytes of a | b and a & b that are settled by what was written. `deciding`
/// is the byte that settles the result alone.
Written mergeBytes(uint64_t a, Written aBytes, uint64_t b, Written bBytes,
                   uint8_t deciding) {
  Written result = aBytes & bBytes & allBytes;
  for (unsigned i = 0; i < 8; ++i) {
    bool byA = (aBytes >> i & 1) && uint8_t(a >> (8 * i)) == deciding;
    bool byB = (bBytes >> i & 1) && uint8_t(b >> (8 * i)) == deciding;
    result |= Written((byA || byB) << i);
  }
  return result | ((aBytes | bBytes) & wholeMissing);
}

Written permuteBytes(Written a, Written b, uint32_t selectors) {
  Written both = (a & 0xf) | (b & 0xf) << 4, result = 0xf0;
  for (unsigned i = 0; i < 4; ++i)
    result |= Written((both >> (selectors >> (4 * i) & 7) & 1) << i);
  return result | ((a | b) & wholeMissing);
}

/// Of an instruction that computes on pieces of `size` bytes: a piece that it
/// makes of unwritten ones is no padding any more.
Written eachPiece(Warp &warp, const Inst &inst, unsigned l, unsigned size) {
  Written result = allBytes;
  for (unsigned i = 0; i < inst.ns; ++i)
    result &= writtenBytes(warp, inst.s(i), l);
  unsigned piece = (1u << size) - 1;
  for (unsigned at = 0; at < 8; at += size)
    if ((result >> at & piece) != piece)
      result &= static_cast<Written>(~(piece << at));
  return result | wholeMissing;
}

/// Of one that converts whole sources, or halves or bytes of one, side by side:
/// piece i of `to` bytes is written if isWritten(i).
template <class F> Written twoPieces(unsigned to, F isWritten) {
  unsigned piece = (1u << to) - 1, lost = 0;
  for (unsigned i = 0; i < 2; ++i)
    if (!isWritten(i))
      lost |= piece << (i * to);
  return static_cast<Written>(allBytes & ~lost);
}

/// Of a lane; wholeMissing alone if nothing is known of single bytes.
Written resultBytes(Warp &warp, const Inst &inst, unsigned l) {
  bool wide = inst.bytes == 8;
  Written a = writtenBytes(warp, inst.s(0), l);
  Written missing = a & wholeMissing;
  unsigned all = (1u << inst.bytes) - 1;
  auto isClean = [&](unsigned i) {
    return !((warp.taint[inst.s(i)] >> l) & 1);
  };
  switch (inst.bytewise) {
  case Bytewise::And:
  case Bytewise::Or:
    return mergeBytes(valueOf(warp, inst.s(0), l, wide), a,
                      valueOf(warp, inst.s(1), l, wide),
                      writtenBytes(warp, inst.s(1), l),
                      inst.bytewise == Bytewise::And ? 0 : 0xff);
  case Bytewise::Shl:
  case Bytewise::Shr: {
    uint32_t amount = warp.narrow(inst.s(1))[l];
    if (!isClean(1) || amount % 8)
      return wholeMissing;
    unsigned n = amount / 8, lost = (~a & all);
    lost = n > 7                            ? 0
           : inst.bytewise == Bytewise::Shl ? lost << n & all
                                            : lost >> n;
    return static_cast<Written>((allBytes & ~lost) | missing);
  }
  case Bytewise::Permute:
    return isClean(2) ? permuteBytes(a, writtenBytes(warp, inst.s(1), l),
                                     warp.narrow(inst.s(2))[l])
                      : wholeMissing;
  case Bytewise::Each:
    return eachPiece(warp, inst, l, inst.bytes);
  case Bytewise::Pack:
    return wholeMissing |
           twoPieces(inst.bytes, [&](unsigned i) { return isClean(1 - i); });
  case Bytewise::Widen:
    return wholeMissing | twoPieces(2, [&](unsigned i) { return a >> i & 1; });
  case Bytewise::Narrow:
    return wholeMissing |
           twoPieces(1, [&](unsigned i) { return (a >> (2 * i) & 3) == 3; });
  case Bytewise::None:
    break;
  }
  return wholeMissing;
}

} // namespace

void propagateBytes(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t lanes = 0;
  for (unsigned i = 0; i < inst.ns; ++i)
    lanes |= warp.taint[inst.s(i)];
  lanes &= mask;
  Written written[32];
  forLanes(lanes, [&](unsigned l) { written[l] = resultBytes(warp, inst, l); });
  setTaint(warp, inst.d(0), 0, mask);
  forLanes(lanes,
           [&](unsigned l) { setWritten(warp, inst.d(0), l, written[l]); });
}

} // namespace fovea::sim
