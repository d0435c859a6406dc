// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensor maps made on the device: tensormap.replace and tensormap.cp_fenceproxy
// (ISA text, sections 9.7.9.28 and 9.7.13.16).
//
// A map is 128 opaque bytes of the generic proxy. Tensor copies read it in the
// tensormap proxy, so a changed map must be released and acquired there first.
#include "Checks/Races.h"
#include "Machine/Access.h"
#include "Machine/Lanes.h"
#include "Program/Decoder.h"
#include "TensorMap.h"
#include <optional>

namespace fovea::sim {
namespace {

void reportTaints(Warp &warp, const Inst &inst, uint32_t mask) {
  if (warp.taint)
    for (unsigned i = 0; i < inst.ns; ++i)
      reportTaint(warp, taintOf(warp, inst.s(i)) & mask, 0, "a tensor map");
}

/// Sources: the address, the new value. kind is the field, aux its ordinal.
void execReplace(Warp &warp, const Inst &inst, uint32_t mask) {
  reportTaints(warp, inst, mask);
  forLanes(mask, [&](unsigned l) {
    Place place;
    uint64_t address = laneAddress(warp, inst, inst.s(0), l);
    if (!locate(warp, inst, l, inst.space, address, tensorMapBytes, 64, true,
                place))
      return;
    uint8_t map[tensorMapBytes];
    bool unwritten = readPlace(warp, l, place, map, tensorMapBytes);
    uint64_t value =
        inst.bytes == 8 ? warp.wide(inst.s(1))[l] : warp.narrow(inst.s(1))[l];
    bool isMap = replaceTensorMapField(
        map, static_cast<TensorMapField>(inst.kind), inst.aux, value);
    if (unwritten || !isMap)
      warp.launch->report(
          "uninitialized", warp, static_cast<int>(l), address,
          place.region->name,
          unwritten ? "tensormap.replace of bytes that were never written"
                    : "tensormap.replace of bytes that are no tensor map");
    if (isMap)
      writePlace(warp, l, place, map, tensorMapBytes);
  });
}

/// Sources: destination, source; imm is the source's offset, aux that of the
/// destination. The lanes share the work, since the warp as a whole copies.
void execCopyFence(Warp &warp, const Inst &inst, uint32_t mask) {
  reportTaints(warp, inst, mask);
  auto lanes = static_cast<unsigned>(std::popcount(mask));
  unsigned chunk = 0;
  forLanes(mask, [&](unsigned l) {
    unsigned first = chunk * tensorMapBytes / lanes / 4 * 4;
    unsigned last = (chunk + 1) * tensorMapBytes / lanes / 4 * 4;
    ++chunk;
    uint32_t cell = inst.s(0);
    uint64_t base = inst.kind == 64 ? warp.wide(cell)[l] : warp.narrow(cell)[l];
    uint64_t to = base + static_cast<uint64_t>(static_cast<int32_t>(inst.aux));
    uint64_t at = laneAddress(warp, inst, inst.s(1), l) & 0xffffffff;
    Place from, place;
    if (!locate(warp, inst, l, Space::Shared, at, tensorMapBytes,
                tensorMapBytes, false, from) ||
        !locate(warp, inst, l, Space::Global, to, tensorMapBytes,
                tensorMapBytes, true, place) ||
        first == last)
      return;
    from.data += first;
    from.offset += first;
    from.init = from.init ? from.init + first : nullptr;
    place.data += first;
    place.offset += first;
    place.init = place.init ? place.init + first : nullptr;
    uint8_t bytes[tensorMapBytes];
    if (readPlace(warp, l, from, bytes, last - first))
      reportTaint(warp, 1u << l, at, "a tensor map");
    writePlace(warp, l, place, bytes, last - first);
  });
  if (RaceDetector *races = warp.launch->races.get()) {
    races->warpSync(warp, mask);
    races->releaseTensorMaps(warp, mask);
  }
}

std::optional<TensorMapField> takeField(Decoder &d) {
  static const std::pair<const char *, TensorMapField> fields[] = {
      {"global_address", TensorMapField::GlobalAddress},
      {"rank", TensorMapField::Rank},
      {"box_dim", TensorMapField::BoxDim},
      {"global_dim", TensorMapField::GlobalDim},
      {"global_stride", TensorMapField::GlobalStride},
      {"element_stride", TensorMapField::ElementStride},
      {"elemtype", TensorMapField::ElemType},
      {"interleave_layout", TensorMapField::InterleaveLayout},
      {"swizzle_mode", TensorMapField::SwizzleMode},
      {"fill_mode", TensorMapField::FillMode}};
  for (auto [name, field] : fields)
    if (d.has(name))
      return field;
  return std::nullopt;
}

void decodeReplace(Decoder &d) {
  if (!d.has("tile"))
    d.fail("'" + d.fullName() + "' is not supported");
  std::optional<TensorMapField> field = takeField(d);
  if (!field)
    d.fail("unknown field of '" + d.fullName() + "'");
  std::string_view space = d.oneOf({"global", "shared::cta", "shared"});
  bool isWide = *field == TensorMapField::GlobalAddress ||
                *field == TensorMapField::GlobalStride;
  if (!d.has("b1024") || !d.has(isWide ? "b64" : "b32"))
    d.fail("malformed '" + d.fullName() + "'");
  bool isList = *field >= TensorMapField::BoxDim &&
                *field <= TensorMapField::ElementStride;
  d.expectOperands(isList ? 3 : 2);
  uint64_t ordinal = isList ? d.immediate(d.op(1)) : 0;
  uint64_t limit = *field == TensorMapField::GlobalStride ? 4 : 5;
  if (ordinal >= limit)
    d.fail("'" + d.fullName() + "' expects an ordinal below " +
           std::to_string(limit) + ", but got " + std::to_string(ordinal));
  Inst at;
  uint32_t base = d.address(at, d.op(0));
  uint32_t value = d.src(d.op(isList ? 2 : 1), isWide ? Ty::B64 : Ty::B32);
  Inst &inst = d.emit(execReplace, {}, {base, value}, Pipe::Lsu);
  inst.kind = static_cast<uint8_t>(*field);
  inst.aux = static_cast<uint32_t>(ordinal);
  inst.bytes = isWide ? 8 : 4;
  inst.imm = at.imm;
  inst.addrBits = at.addrBits;
  inst.space = space == "global" ? Space::Global
               : space.empty()   ? Space::Generic
                                 : Space::Shared;
  inst.ownTaint = true;
}

void decodeCopyFence(Decoder &d) {
  for (const char *part : {"global", "shared::cta", "tensormap::generic",
                           "release", "sync", "aligned"})
    if (!d.has(part))
      d.fail("'" + d.fullName() + "' lacks '." + part + "'");
  d.oneOf({"cta", "cluster", "gpu", "sys"});
  d.expectOperands(3);
  if (d.immediate(d.op(2)) != tensorMapBytes)
    d.fail("'" + d.fullName() + "' copies 128 bytes");
  Inst to, from;
  std::vector<uint32_t> sources = {d.address(to, d.op(0)),
                                   d.address(from, d.op(1))};
  Inst &inst = d.emit(execCopyFence, {}, sources, Pipe::Lsu);
  inst.flow = Flow::Aligned;
  inst.imm = from.imm;
  inst.addrBits = from.addrBits;
  inst.aux = static_cast<uint32_t>(to.imm);
  inst.kind = to.addrBits;
  inst.ownTaint = true;
}

void decodeTensorMap(Decoder &d) {
  d.program.usesTensorMapProxy = true;
  if (d.has("replace"))
    return decodeReplace(d);
  if (d.has("cp_fenceproxy"))
    return decodeCopyFence(d);
  d.fail("unknown '" + d.fullName() + "'");
}

} // namespace

void addTensorMapOps(OpcodeTable &t) { t["tensormap"] = decodeTensorMap; }

} // namespace fovea::sim
