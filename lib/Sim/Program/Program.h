// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A kernel decoded: what the machine executes.
//
// Registers, constants and special registers are all *cells* of a warp: a cell
// is 32 lanes of 32 bits, a 64-bit value takes two cells in a row and is 32
// lanes of 64 bits, a predicate is the first word of its cell, a bit a lane.
// Values narrower than 32 bits are kept zero-extended. An instruction names
// its cells only, so it is written once, whatever its operands are.
#ifndef FOVEA_LIB_SIM_PROGRAM_H
#define FOVEA_LIB_SIM_PROGRAM_H

#include "SyncScope.h"
#include "Text/Module.h"
#include <memory>

namespace fovea::sim {

struct Warp;
struct Inst;

/// Executes an instruction for the lanes of `mask`.
using Exec = void (*)(Warp &warp, const Inst &inst, uint32_t mask);
/// The same for one that may have to wait: false to be asked again.
using Poll = bool (*)(Warp &warp, const Inst &inst, uint32_t mask);

enum class Flow : uint8_t {
  Plain,
  Bra,  // to target
  Brx,  // through table `aux`, index in s(0)
  Call, // call site `aux`
  Ret,
  Exit,
  Trap,
  Aligned,     // waits for every lane of the warp that has not exited
  Member,      // waits for the lanes of the mask in the last source
  Barrier,     // bar and barrier: `aux` is the barrier site
  Wait,        // `poll`
  AlignedWait, // Aligned, then `poll`
};

/// The pipe that issues an instruction, for the bounds.
enum class Pipe : uint8_t {
  Alu,
  Fma,
  Double,
  Mufu,
  Lsu,
  Tensor,
  Uniform, // what is the same for all lanes
  Move,    // may cost nothing
  Control,
};

/// Instructions whose result is made of bytes of their sources (Taint.h).
enum class Bytewise : uint8_t {
  None,
  And,
  Or,
  Shl,
  Shr,
  Permute,
  Each,   // each piece of `bytes` bytes depends on that piece of the sources
  Pack,   // of two sources, one piece each, the second's lowest
  Widen,  // two bytes to two halves
  Narrow, // two halves to two bytes
};

struct Inst {
  union {
    Exec exec = nullptr;
    Poll poll;
  };
  /// nd destinations, then ns sources.
  const uint32_t *cells = nullptr;
  int64_t imm = 0;
  uint32_t line = 0;
  uint32_t target = 0;
  int32_t guard = -1; // cell
  uint32_t aux = 0;
  uint16_t opcode = 0; // into Program::opcodes
  uint8_t nd = 0, ns = 0;
  Flow flow = Flow::Plain;
  Pipe pipe = Pipe::Alu;
  bool guardNegated = false;
  /// Part of the statement that another instruction stands for.
  bool isHelper = false;
  /// The executor carries taint itself; otherwise every destination takes
  /// the union of the sources'.
  bool ownTaint = false;
  Bytewise bytewise = Bytewise::None; // of `bytes` bytes
  // Memory and tensor instructions.
  Space space = Space::Generic;
  uint8_t bytes = 0;                 // of an element
  uint8_t vec = 1;                   // elements
  uint8_t flags = 0;                 // by family
  uint8_t kind = 0;                  // by family
  SyncScope scope = SyncScope::None; // of a strong access or a fence
  uint8_t addrBits = 64;

  uint32_t d(unsigned i) const { return cells[i]; }
  uint32_t s(unsigned i) const { return cells[nd + i]; }
};

enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NclusterIdX,
  NclusterIdY,
  NclusterIdZ,
  ClusterCtaIdX,
  ClusterCtaIdY,
  ClusterCtaIdZ,
  ClusterNctaIdX,
  ClusterNctaIdY,
  ClusterNctaIdZ,
  ClusterCtaRank,
  ClusterNctaRank,
  IsExplicitCluster,
  DynamicSmemSize,
  TotalSmemSize,
  AggrSmemSize,
  ReservedSmemOffset,
  GridWorkspaceHi, // where cooperative groups keep the barrier of a grid
  GridWorkspaceLo,
  One,
  Zero,
};

/// A variable placed in shared, local or parameter space.
struct Placed {
  std::string name;
  uint64_t offset, bytes, align;
};

struct CallSite {
  /// The callee, or -1 for an indirect call whose address is in s(0).
  int function = -1;
  /// Arguments and results in order; each is a place of the frame or a cell.
  struct Value {
    bool inFrame;
    uint32_t place; // frame offset or cell
    uint32_t bytes;
  };
  std::vector<Value> args, results;
};

struct BarrierSite {
  enum Kind : uint8_t { Sync, Arrive, Popc, And, Or };
  Kind kind = Sync;
  bool aligned = true;
  bool hasCount = false;
};

struct FunctionCode {
  std::string name;
  bool decoded = false;
  bool recursive = false;
  uint32_t entry = 0; // pc
  uint32_t firstCell = 0, endCell = 0;
  uint32_t frameBase = 0, frameEnd = 0; // of the thread's local memory
  std::vector<CallSite::Value> params, results;
};

/// What a cell is, where a lane's share of it must be known.
enum class CellShape : uint8_t { Narrow, WideLo, WideHi, Pred };

struct Program {
  std::string name;
  std::vector<Inst> code;
  uint32_t cellCount = 0;
  std::vector<CellShape> shapes; // of registers' cells
  struct Constant {
    uint32_t cell;
    bool wide;
    uint64_t bits;
  };
  std::vector<Constant> constants;
  std::vector<std::pair<Special, uint32_t>> specials;
  std::vector<Placed> shared;  // static variables
  uint64_t staticShared = 0;   // bytes with red zones: where dynamic starts
  uint64_t declaredShared = 0; // bytes that the hardware would take
  std::string dynamicName;     // of the .extern array, empty if none
  uint64_t dynamicAlign = 16;
  std::vector<Placed> local;
  uint64_t localBytes = 0; // a thread
  std::vector<Placed> params;
  uint64_t paramBytes = 0;
  std::vector<FunctionCode> functions; // as in the module
  std::vector<CallSite> calls;
  std::vector<std::vector<uint32_t>> tables;
  std::vector<BarrierSite> barriers;
  std::vector<std::string> opcodes;
  unsigned smVersion = 80;
  bool usesAsyncProxy = false;
  bool usesTensorMapProxy = false; // maps are made on the device
  bool usesNarrowScopes = false;   // below .gpu
  bool usesHeap = false;           // calls malloc
  bool usesStack = false;          // calls alloca
  uint64_t stackBase = 0;          // its place in local memory
  bool usesGridWorkspace = false;  // reads where the grid's barrier lies
  unsigned reqntid[3] = {0, 0, 0}, maxntid[3] = {0, 0, 0};
  unsigned cluster[3] = {0, 0, 0};
  unsigned maxnreg = 0;
  uint32_t scratchCell = 0; // a sink for results nobody wants
  uint32_t carryCell = 0;   // the condition code of add.cc, as a predicate
  std::vector<std::unique_ptr<uint32_t[]>> cellLists;
};

/// Where the device put the module-scope variables.
struct SymbolAddresses {
  std::map<std::string, uint64_t, std::less<>> address;
};

/// Addresses of functions as values: base plus 16 times the index.
constexpr uint64_t functionAddressBase = 0x0004'0000'0000'0000;

/// Throws UnsupportedError.
std::unique_ptr<Program> decodeProgram(const Module &module,
                                       const std::string &entry,
                                       const SymbolAddresses &symbols);

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_PROGRAM_H
