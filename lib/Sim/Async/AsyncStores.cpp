// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// st.async and red.async (ISA text, sections 9.7.9.12 and 9.7.13.7): stores and
// reductions of registers in shared memory of the cluster that an mbarrier
// learns of. They travel as bulk copies do.
#include "Checks/AddressPairs.h"
#include "Checks/Races.h"
#include "Machine/Lanes.h"
#include <cstring>

namespace fovea::sim {
namespace {

/// Sources: address and mbarrier as pairs, then the values; bytes and vec say
/// which. imm: the reduction, aux: its type.
void execAsyncStore(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0,
                  "an operand of an asynchronous store");
  forLanes(mask, [&](unsigned l) {
    BulkCopy copy;
    copy.warp = &warp;
    copy.lane = static_cast<uint8_t>(l);
    copy.pc = warp.pc;
    copy.toMbarrier = true;
    copy.reduce = static_cast<BulkReduce>(inst.imm);
    copy.type = static_cast<Ty>(inst.aux);
    copy.staged = std::make_shared<std::array<uint8_t, 16>>();
    unsigned bytes = inst.bytes * inst.vec;
    for (unsigned e = 0; e < inst.vec; ++e) {
      uint32_t cell = inst.s(4 + e);
      uint64_t value =
          inst.bytes == 8 ? warp.wide(cell)[l] : warp.narrow(cell)[l];
      std::memcpy(copy.staged->data() + e * inst.bytes, &value, inst.bytes);
    }
    Segment segment;
    segment.bytes = bytes;
    segment.from.data = copy.staged->data();
    Place at;
    if (!locate(warp, inst, l, Space::Shared, addressOf(warp, inst, 0, l),
                bytes, bytes, true, segment.to) ||
        !locate(warp, inst, l, Space::Shared, addressOf(warp, inst, 1, l), 8, 8,
                true, at))
      return;
    copy.mbarrier = {at.owner,
                     static_cast<uint32_t>(at.region->base + at.offset)};
    if (!warp.cta->cluster->async->find(copy.mbarrier))
      warp.launch->report("uninitialized", warp, static_cast<int>(l),
                          at.region->base + at.offset, at.region->name,
                          "use of an mbarrier that is not initialised");
    copy.transactionBytes = bytes;
    copy.segments.push_back(std::move(segment));
    issueBulk(std::move(copy));
  });
}

/// Operands: [address], value or {values}, [mbarrier].
Inst &emitAsyncStore(Decoder &d, Ty ty, unsigned n) {
  d.program.usesAsyncProxy = true;
  d.expectOperands(3);
  std::vector<uint32_t> sources;
  uint8_t flags = 0;
  appendAddress(d, d.op(0), sources, flags);
  appendAddress(d, d.op(2), sources, flags);
  std::vector<uint32_t> values = d.srcList(d.op(1), ty);
  if (values.size() != n)
    d.fail("'" + d.fullName() + "' expects " + std::to_string(n) +
           " registers, but got " + std::to_string(values.size()));
  sources.insert(sources.end(), values.begin(), values.end());
  Inst &inst = d.emit(execAsyncStore, {}, sources, Pipe::Lsu);
  inst.flags = flags;
  inst.bytes = static_cast<uint8_t>(typeBytes(ty));
  inst.vec = static_cast<uint8_t>(n);
  inst.aux = static_cast<uint32_t>(ty);
  inst.ownTaint = true;
  return inst;
}

} // namespace

void decodeStAsync(Decoder &d) {
  d.has("weak");
  d.has("shared::cluster");
  if (!d.has("mbarrier::complete_tx::bytes"))
    d.fail("'" + d.fullName() + "' is not supported");
  std::string_view vec = d.oneOf({"v2", "v4"});
  unsigned n = vec.empty() ? 1 : static_cast<unsigned>(vec[1] - '0');
  Ty ty = d.type();
  if ((typeBits(ty) != 32 && typeBits(ty) != 64) || typeBits(ty) * n > 128)
    d.fail("'" + d.fullName() + "' is not supported");
  emitAsyncStore(d, ty, n);
}

void decodeRedAsync(Decoder &d) {
  d.has("shared::cluster");
  if (!d.has("relaxed") || !d.has("cluster") ||
      !d.has("mbarrier::complete_tx::bytes"))
    d.fail("'" + d.fullName() + "' is not supported");
  static const struct {
    const char *name;
    BulkReduce op;
    std::initializer_list<Ty> types;
  } rows[] = {{"inc", BulkReduce::Inc, {Ty::U32}},
              {"dec", BulkReduce::Dec, {Ty::U32}},
              {"min", BulkReduce::Min, {Ty::U32, Ty::S32}},
              {"max", BulkReduce::Max, {Ty::U32, Ty::S32}},
              {"add", BulkReduce::Add, {Ty::U32, Ty::S32, Ty::U64}},
              {"and", BulkReduce::And, {Ty::B32}},
              {"or", BulkReduce::Or, {Ty::B32}},
              {"xor", BulkReduce::Xor, {Ty::B32}}};
  for (const auto &row : rows) {
    if (!d.has(row.name))
      continue;
    Ty ty = d.type();
    if (std::find(row.types.begin(), row.types.end(), ty) == row.types.end())
      break;
    emitAsyncStore(d, ty, 1).imm = static_cast<int64_t>(row.op);
    return;
  }
  d.fail("'" + d.fullName() + "' is not supported");
}

} // namespace fovea::sim
