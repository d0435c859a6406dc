// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What every family of instructions shares when it decodes a statement.
#include "Decoder.h"
#include <algorithm>
#include <bit>

namespace fovea::sim {

// --- ProgramBuilder ---------------------------------------------------------

uint32_t ProgramBuilder::constant(uint64_t bits, bool isWide) {
  auto &known = isWide ? wide : narrow;
  auto [entry, isNew] = known.emplace(bits, 0);
  if (isNew) {
    entry->second = newCells(isWide ? 2 : 1);
    program.constants.push_back({entry->second, isWide, bits});
  }
  return entry->second;
}

uint32_t ProgramBuilder::special(Special which, bool isWide) {
  uint64_t key = static_cast<uint64_t>(which) * 2 + isWide;
  auto [entry, isNew] = specialCells.emplace(key, 0);
  if (isNew) {
    // A wide special is filled like a narrow one and zero-extended.
    entry->second = newCells(isWide ? 2 : 1);
    program.specials.emplace_back(which, entry->second * 2 + (isWide ? 1 : 0));
  }
  return entry->second;
}

const uint32_t *ProgramBuilder::cellList(const std::vector<uint32_t> &cells) {
  constexpr size_t size = 4096;
  if (program.cellLists.empty() || chunkUsed + cells.size() > chunkSize) {
    chunkSize = std::max(size, cells.size());
    chunkUsed = 0;
    program.cellLists.push_back(std::make_unique<uint32_t[]>(chunkSize));
  }
  uint32_t *out = program.cellLists.back().get() + chunkUsed;
  std::copy(cells.begin(), cells.end(), out);
  chunkUsed += cells.size();
  return out;
}

uint16_t ProgramBuilder::opcodeId(const std::string &name) {
  auto [entry, isNew] = opcodeIds.emplace(name, program.opcodes.size());
  if (isNew)
    program.opcodes.push_back(name);
  return entry->second;
}

// --- Modifiers --------------------------------------------------------------

std::string Decoder::fullName() const {
  std::string name;
  for (std::string_view part : statement->opcode) {
    if (!name.empty())
      name += '.';
    name += part;
  }
  return name;
}

bool Decoder::has(std::string_view modifier) {
  for (size_t i = 1; i < statement->opcode.size(); ++i)
    if (!taken[i] && statement->opcode[i] == modifier)
      return taken[i] = true;
  return false;
}

std::string_view Decoder::oneOf(std::initializer_list<std::string_view> list) {
  for (std::string_view modifier : list)
    if (has(modifier))
      return modifier;
  return {};
}

Ty Decoder::tryType() {
  for (size_t i = 1; i < statement->opcode.size(); ++i) {
    if (taken[i])
      continue;
    Ty ty = parseType(statement->opcode[i]);
    if (ty == Ty::None)
      continue;
    taken[i] = true;
    return ty;
  }
  return Ty::None;
}

Ty Decoder::type() {
  Ty ty = tryType();
  if (ty == Ty::None)
    fail("'" + fullName() + "' lacks a type");
  return ty;
}

Ty Decoder::lastType() const {
  for (size_t i = statement->opcode.size(); i-- > 1;) {
    Ty ty = parseType(statement->opcode[i]);
    if (ty != Ty::None)
      return ty;
  }
  return Ty::None;
}

unsigned Decoder::rounding() {
  std::string_view mode = oneOf({"rn", "rz", "rm", "rp"});
  return mode == "rz" ? 1 : mode == "rm" ? 2 : mode == "rp" ? 3 : 0;
}

std::string_view Decoder::next(const char *what) {
  for (size_t i = 1; i < statement->opcode.size(); ++i)
    if (!taken[i]) {
      taken[i] = true;
      return statement->opcode[i];
    }
  fail("'" + fullName() + "' lacks " + what);
}

// --- Operands ---------------------------------------------------------------

void Decoder::expectOperands(size_t low, size_t high) {
  if (count() >= low && count() <= high)
    return;
  fail("'" + fullName() + "' expects " + std::to_string(low) +
       (low == high ? "" : " to " + std::to_string(high)) +
       " operands, but got " + std::to_string(count()));
}

Ty Decoder::regType(const Operand &operand) const {
  return operand.kind == Operand::Reg ? function.regs[operand.index].type
                                      : Ty::None;
}

bool Decoder::isWide(const Operand &operand) const {
  return regType(operand) != Ty::None && typeBits(regType(operand)) == 64;
}

uint64_t Decoder::varAddress(const Operand &operand) const {
  return varAddresses[operand.index] + static_cast<uint64_t>(operand.offset);
}

bool Decoder::isImmediate(const Operand &operand) const {
  return operand.kind == Operand::Int || operand.kind == Operand::Flt32 ||
         operand.kind == Operand::Flt64 || operand.kind == Operand::Var ||
         operand.kind == Operand::Symbol;
}

uint64_t Decoder::immediate(const Operand &operand) const {
  switch (operand.kind) {
  case Operand::Int:
  case Operand::Flt32:
  case Operand::Flt64:
    return operand.bits;
  case Operand::Var:
    return varAddress(operand);
  case Operand::Symbol: {
    auto found = builder.symbols.address.find(operand.name);
    if (found != builder.symbols.address.end())
      return found->second + static_cast<uint64_t>(operand.offset);
    auto callee = builder.module.functionIndex.find(operand.name);
    if (callee != builder.module.functionIndex.end())
      return functionAddressBase + 16 * static_cast<uint64_t>(callee->second);
    fail("unknown name '" + operand.name + "'");
  }
  default:
    fail("expected a constant operand of '" + fullName() + "'");
  }
}

uint64_t Decoder::literalBits(const Operand &operand, Ty ty) const {
  uint64_t bits = immediate(operand);
  if (operand.kind == Operand::Flt64 && ty == Ty::F32)
    bits = std::bit_cast<uint32_t>(
        static_cast<float>(std::bit_cast<double>(bits)));
  else if (operand.kind == Operand::Flt32 && ty == Ty::F64)
    bits = std::bit_cast<uint64_t>(
        static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
  unsigned width = typeBits(ty);
  return width >= 64 ? bits : bits & ((1ull << width) - 1);
}

static const std::unordered_map<std::string_view, Special> &specials() {
  static const std::unordered_map<std::string_view, Special> table = {
      {"%tid.x", Special::TidX},
      {"%tid.y", Special::TidY},
      {"%tid.z", Special::TidZ},
      {"%ntid.x", Special::NtidX},
      {"%ntid.y", Special::NtidY},
      {"%ntid.z", Special::NtidZ},
      {"%ntid.w", Special::One},
      {"%ctaid.x", Special::CtaidX},
      {"%ctaid.y", Special::CtaidY},
      {"%ctaid.z", Special::CtaidZ},
      {"%nctaid.x", Special::NctaidX},
      {"%nctaid.y", Special::NctaidY},
      {"%nctaid.z", Special::NctaidZ},
      {"%nctaid.w", Special::One},
      {"%laneid", Special::LaneId},
      {"%warpid", Special::WarpId},
      {"%nwarpid", Special::NwarpId},
      {"%smid", Special::SmId},
      {"%nsmid", Special::NsmId},
      {"%gridid", Special::GridId},
      {"%lanemask_eq", Special::LaneMaskEq},
      {"%lanemask_le", Special::LaneMaskLe},
      {"%lanemask_lt", Special::LaneMaskLt},
      {"%lanemask_ge", Special::LaneMaskGe},
      {"%lanemask_gt", Special::LaneMaskGt},
      {"%clusterid.x", Special::ClusterIdX},
      {"%clusterid.y", Special::ClusterIdY},
      {"%clusterid.z", Special::ClusterIdZ},
      {"%nclusterid.x", Special::NclusterIdX},
      {"%nclusterid.y", Special::NclusterIdY},
      {"%nclusterid.z", Special::NclusterIdZ},
      {"%nclusterid.w", Special::One},
      {"%cluster_ctaid.x", Special::ClusterCtaIdX},
      {"%cluster_ctaid.y", Special::ClusterCtaIdY},
      {"%cluster_ctaid.z", Special::ClusterCtaIdZ},
      {"%cluster_nctaid.x", Special::ClusterNctaIdX},
      {"%cluster_nctaid.y", Special::ClusterNctaIdY},
      {"%cluster_nctaid.z", Special::ClusterNctaIdZ},
      {"%cluster_nctaid.w", Special::One},
      {"%cluster_ctarank", Special::ClusterCtaRank},
      {"%cluster_nctarank", Special::ClusterNctaRank},
      {"%is_explicit_cluster", Special::IsExplicitCluster},
      {"%dynamic_smem_size", Special::DynamicSmemSize},
      {"%total_smem_size", Special::TotalSmemSize},
      {"%aggr_smem_size", Special::AggrSmemSize},
      {"%envreg1", Special::GridWorkspaceHi},
      {"%envreg2", Special::GridWorkspaceLo},
  };
  return table;
}

/// Registers that are always 0 here: performance counters, what the driver
/// sets, and fourth elements of vectors.
static bool isZeroRegister(std::string_view name) {
  for (std::string_view start :
       {"%pm", "%envreg", "%reserved_smem_offset_", "%current_graph_exec"})
    if (name.substr(0, start.size()) == start)
      return true;
  return name == "%tid.w" || name == "%ctaid.w" || name == "%clusterid.w" ||
         name == "%cluster_ctaid.w";
}

uint32_t Decoder::specialSource(const Operand &operand, Ty ty) {
  bool wide = typeBits(ty) == 64;
  auto known = specials().find(operand.name);
  if (known == specials().end() && !isZeroRegister(operand.name))
    fail("unknown register '" + operand.name + "'");
  Special which = known == specials().end() ? Special::Zero : known->second;
  program.usesGridWorkspace |= which == Special::GridWorkspaceLo;
  return builder.special(which, wide);
}

uint32_t Decoder::src(const Operand &operand, Ty ty, bool relaxed) {
  if (ty == Ty::Pred)
    return predSrc(operand);
  if (operand.negated)
    fail("'!' applies to predicates only");
  switch (operand.kind) {
  case Operand::Reg: {
    if (!operand.selector.empty())
      fail("'" + fullName() + "' takes no part of a register");
    if (operand.minus && base() != "vmad")
      fail("expected a number after '-'");
    Ty declared = regType(operand);
    unsigned have = typeBits(declared), want = typeBits(ty);
    if (declared == Ty::Pred || have < want || (!relaxed && have != want))
      fail("register '" + function.regs[operand.index].name + "' is ." +
           typeName(declared) + ", but '" + fullName() + "' needs " +
           std::to_string(want) + " bits");
    return regCells[operand.index];
  }
  case Operand::Special:
    return specialSource(operand, ty);
  case Operand::List:
    if (operand.elems.size() == 1)
      return src(operand.elems[0], ty, relaxed);
    fail("unexpected vector operand of '" + fullName() + "'");
  case Operand::Memory:
  case Operand::Sink:
  case Operand::Label:
  case Operand::Table:
  case Operand::None:
    fail("unexpected operand of '" + fullName() + "'");
  default:
    return constant(literalBits(operand, ty), typeBits(ty) == 64);
  }
}

uint32_t Decoder::dst(const Operand &operand, Ty ty) {
  if (operand.kind == Operand::Sink)
    return program.scratchCell;
  if (ty == Ty::Pred)
    return predDst(operand);
  if (operand.kind == Operand::List && operand.elems.size() == 1)
    return dst(operand.elems[0], ty);
  if (operand.kind != Operand::Reg || !operand.selector.empty())
    fail("the destination of '" + fullName() + "' is not a register");
  Ty declared = regType(operand);
  if (declared == Ty::Pred || typeBits(declared) != typeBits(ty))
    fail("register '" + function.regs[operand.index].name + "' is ." +
         typeName(declared) + ", but '" + fullName() + "' gives " +
         std::to_string(typeBits(ty)) + " bits");
  return regCells[operand.index];
}

uint32_t Decoder::predSrc(const Operand &operand) {
  if (operand.kind == Operand::Int)
    return constant(operand.bits ? 0xffffffffu : 0u);
  if (operand.kind == Operand::Special) {
    // %is_explicit_cluster: a word a lane like the others.
    uint32_t out = temporary(false);
    emit(execNonZero, {out}, {specialSource(operand, Ty::B32)});
    return out;
  }
  if (operand.kind != Operand::Reg || regType(operand) != Ty::Pred)
    fail("expected a predicate operand of '" + fullName() + "'");
  uint32_t cell = regCells[operand.index];
  if (!operand.negated)
    return cell;
  uint32_t out = temporary(false);
  emit(execInvertPred, {out}, {cell});
  return out;
}

uint32_t Decoder::predDst(const Operand &operand) {
  if (operand.kind == Operand::Sink)
    return program.scratchCell;
  if (operand.kind != Operand::Reg || regType(operand) != Ty::Pred)
    fail("the destination of '" + fullName() + "' is not a predicate");
  return regCells[operand.index];
}

std::vector<uint32_t> Decoder::srcList(const Operand &operand, Ty ty) {
  if (operand.kind != Operand::List)
    return {src(operand, ty)};
  std::vector<uint32_t> cells;
  for (const Operand &element : operand.elems)
    cells.push_back(src(element, ty));
  return cells;
}

std::vector<uint32_t> Decoder::dstList(const Operand &operand, Ty ty) {
  if (operand.kind != Operand::List)
    return {dst(operand, ty)};
  std::vector<uint32_t> cells;
  for (const Operand &element : operand.elems)
    cells.push_back(dst(element, ty));
  return cells;
}

uint32_t Decoder::address(Inst &inst, const Operand &operand) {
  const Operand *base = &operand;
  if (operand.kind == Operand::Memory)
    base = &operand.elems[0];
  inst.imm = 0;
  if (base->kind == Operand::Reg) {
    Ty declared = regType(*base);
    if (typeBits(declared) != 32 && typeBits(declared) != 64)
      fail("an address register must have 32 or 64 bits");
    inst.imm = base->offset;
    inst.addrBits = static_cast<uint8_t>(typeBits(declared));
    return regCells[base->index];
  }
  inst.addrBits = 64;
  inst.imm = static_cast<int64_t>(immediate(*base));
  return constant(0, true);
}

// --- Emission ---------------------------------------------------------------

Inst &Decoder::emit(Exec exec, std::vector<uint32_t> dsts,
                    std::vector<uint32_t> srcs, Pipe pipe) {
  Inst inst;
  inst.exec = exec;
  inst.nd = static_cast<uint8_t>(dsts.size());
  inst.ns = static_cast<uint8_t>(srcs.size());
  if (dsts.size() > 255 || srcs.size() > 255)
    fail("too many operands");
  dsts.insert(dsts.end(), srcs.begin(), srcs.end());
  inst.cells = builder.cellList(dsts);
  inst.line = statement->line;
  inst.pipe = pipe;
  inst.opcode = builder.opcodeId(fullName());
  if (statement->guard >= 0) {
    inst.guard = static_cast<int32_t>(regCells[statement->guard]);
    inst.guardNegated = statement->guardNegated;
  }
  program.code.push_back(inst);
  return program.code.back();
}

Inst &Decoder::emitPoll(Poll poll, std::vector<uint32_t> dsts,
                        std::vector<uint32_t> srcs, Flow flow) {
  Inst &inst = emit(nullptr, std::move(dsts), std::move(srcs), Pipe::Control);
  inst.poll = poll;
  inst.flow = flow;
  return inst;
}

static const OpcodeTable &opcodeTable() {
  static const OpcodeTable table = [] {
    OpcodeTable t;
    addIntegerOps(t);
    addBitOps(t);
    addVideoOps(t);
    addLogicOps(t);
    addMoveOps(t);
    addCompareOps(t);
    addFloatOps(t);
    addMathOps(t);
    addConvertOps(t);
    addMemoryOps(t);
    addAtomicOps(t);
    addControlOps(t);
    addRegisterOps(t);
    addBarrierOps(t);
    addWarpOps(t);
    addMatrixOps(t);
    addMmaOps(t);
    addWmmaOps(t);
    addAsyncOps(t);
    addMbarrierOps(t);
    addClusterOps(t);
    addStackOps(t);
    addWgmmaOps(t);
    addTensorMapOps(t);
    return t;
  }();
  return table;
}

void Decoder::decode(const Statement &which) {
  statement = &which;
  taken.assign(which.opcode.size(), false);
  taken[0] = true;
  auto found = opcodeTable().find(which.opcode[0]);
  if (found == opcodeTable().end())
    fail("unknown opcode '" + std::string(which.opcode[0]) + "'");
  found->second(*this);
  for (size_t i = 1; i < which.opcode.size(); ++i)
    if (!taken[i])
      fail("unknown modifier '." + std::string(which.opcode[i]) + "' of '" +
           std::string(which.opcode[0]) + "'");
}

} // namespace fovea::sim
