// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a family of instructions needs to decode one statement: its modifiers,
// taken one by one (one that nobody takes is an error), its operands as
// cells, and the instruction under construction.
#ifndef FOVEA_LIB_SIM_DECODER_H
#define FOVEA_LIB_SIM_DECODER_H

#include "Program.h"
#include <unordered_map>

namespace fovea::sim {

/// State shared by all statements of a program.
struct ProgramBuilder {
  ProgramBuilder(const Module &module, const SymbolAddresses &symbols,
                 Program &program)
      : module(module), symbols(symbols), program(program) {}

  uint32_t newCells(unsigned n) {
    uint32_t first = program.cellCount;
    program.cellCount += n;
    return first;
  }
  uint32_t constant(uint64_t bits, bool wide);
  uint32_t special(Special which, bool wide);
  const uint32_t *cellList(const std::vector<uint32_t> &cells);
  uint16_t opcodeId(const std::string &name);

  const Module &module;
  const SymbolAddresses &symbols;
  Program &program;
  std::unordered_map<uint64_t, uint32_t> narrow, wide, specialCells;
  std::unordered_map<std::string, uint16_t> opcodeIds;
  std::vector<uint32_t> chunk;
  size_t chunkUsed = 0, chunkSize = 0;
};

class Decoder {
public:
  Decoder(ProgramBuilder &builder, const Function &function,
          const std::vector<uint32_t> &regCells,
          const std::vector<uint64_t> &varAddresses)
      : builder(builder), program(builder.program), function(function),
        regCells(regCells), varAddresses(varAddresses) {}

  /// Decodes one statement; appends to program.code.
  void decode(const Statement &statement);

  [[noreturn]] void fail(const std::string &what) const {
    throw UnsupportedError(statement->line, what);
  }

  // Modifiers.
  std::string_view base() const { return statement->opcode[0]; }
  bool has(std::string_view modifier);
  /// The first of the list that is present, or an empty view.
  std::string_view oneOf(std::initializer_list<std::string_view> list);
  /// The next modifier that is a type and is not taken yet.
  Ty type();
  /// Like type(), but None if there is none.
  Ty tryType();
  /// The last type of the modifiers, not taken.
  Ty lastType() const;
  /// 0 to 3 for rn, which is the default, rz, rm and rp.
  unsigned rounding();
  /// The next modifier of any kind, taken; an error if none is left.
  std::string_view next(const char *what);
  std::string fullName() const;

  // Operands.
  size_t count() const { return statement->operands.size(); }
  const Operand &op(size_t i) const { return statement->operands[i]; }
  void expectOperands(size_t low, size_t high);
  void expectOperands(size_t n) { expectOperands(n, n); }
  /// The cell of a source. Registers must have the width of the type, unless
  /// `relaxed`, where a 64-bit register stands for its low part.
  uint32_t src(const Operand &operand, Ty ty, bool relaxed = false);
  uint32_t dst(const Operand &operand, Ty ty);
  uint32_t predSrc(const Operand &operand);
  uint32_t predDst(const Operand &operand);
  bool isWide(const Operand &operand) const;
  Ty regType(const Operand &operand) const;
  /// The value of an operand that must be a literal or an address.
  uint64_t immediate(const Operand &operand) const;
  bool isImmediate(const Operand &operand) const;
  uint64_t literalBits(const Operand &operand, Ty ty) const;
  /// Cells of the elements of {...}, or of the operand itself.
  std::vector<uint32_t> srcList(const Operand &operand, Ty ty);
  std::vector<uint32_t> dstList(const Operand &operand, Ty ty);
  /// Fills space-independent address parts: returns the base cell, sets
  /// inst.imm to the offset and inst.addrBits to the base's width.
  uint32_t address(Inst &inst, const Operand &operand);
  uint64_t varAddress(const Operand &operand) const;

  // Emission. The returned reference lives until the next emission.
  Inst &emit(Exec exec, std::vector<uint32_t> dsts, std::vector<uint32_t> srcs,
             Pipe pipe = Pipe::Alu);
  Inst &emitPoll(Poll poll, std::vector<uint32_t> dsts,
                 std::vector<uint32_t> srcs, Flow flow);
  uint32_t constant(uint64_t bits, bool wide = false) {
    return builder.constant(bits, wide);
  }
  uint32_t temporary(bool wide) { return builder.newCells(wide ? 2 : 1); }

  ProgramBuilder &builder;
  Program &program;
  const Function &function;
  const Statement *statement = nullptr;

private:
  uint32_t specialSource(const Operand &operand, Ty ty);

  const std::vector<uint32_t> &regCells;
  const std::vector<uint64_t> &varAddresses;
  std::vector<bool> taken;
};

void execInvertPred(Warp &warp, const Inst &inst, uint32_t mask);
void execNonZero(Warp &warp, const Inst &inst, uint32_t mask);

using DecodeFn = void (*)(Decoder &decoder);
using OpcodeTable = std::unordered_map<std::string_view, DecodeFn>;

void decodeClusterBarrier(Decoder &decoder);
void decodeBulk(Decoder &decoder);

// One function a family; each adds its opcodes.
void addIntegerOps(OpcodeTable &table);
void addBitOps(OpcodeTable &table);
void addVideoOps(OpcodeTable &table);
void addLogicOps(OpcodeTable &table);
void addMoveOps(OpcodeTable &table);
void addCompareOps(OpcodeTable &table);
void addFloatOps(OpcodeTable &table);
void addMathOps(OpcodeTable &table);
void addConvertOps(OpcodeTable &table);
void addMemoryOps(OpcodeTable &table);
void addAtomicOps(OpcodeTable &table);
void addControlOps(OpcodeTable &table);
void addRegisterOps(OpcodeTable &table);
void addBarrierOps(OpcodeTable &table);
void addWarpOps(OpcodeTable &table);
void addMatrixOps(OpcodeTable &table);
void addMmaOps(OpcodeTable &table);
void addWmmaOps(OpcodeTable &table);
void addAsyncOps(OpcodeTable &table);
void addMbarrierOps(OpcodeTable &table);
void addClusterOps(OpcodeTable &table);
void addStackOps(OpcodeTable &table);
void addWgmmaOps(OpcodeTable &table);
void addTensorMapOps(OpcodeTable &table);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_DECODER_H
