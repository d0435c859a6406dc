// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pipes and least costs of opcodes: see the header. Which pipe takes what is
// said in Nsight Compute's documentation (section "Pipelines") and was checked
// on an H200; docs/counts.md has the measurements.
#include "Costs.h"
#include <algorithm>
#include <cstdlib>
#include <set>
#include <string_view>

namespace fovea::sim {

namespace {

/// An opcode in its parts.
struct Opcode {
  std::vector<std::string_view> parts;
  std::vector<Ty> types; // in order

  explicit Opcode(std::string_view text) {
    for (size_t start = 0; start <= text.size();) {
      size_t dot = std::min(text.find('.', start), text.size());
      parts.push_back(text.substr(start, dot - start));
      start = dot + 1;
    }
    for (std::string_view part : parts)
      if (Ty ty = parseType(part); ty != Ty::None)
        types.push_back(ty);
  }
  std::string_view base() const { return parts[0]; }
  bool has(std::string_view part) const {
    return std::find(parts.begin() + 1, parts.end(), part) != parts.end();
  }
  bool isOneOf(std::initializer_list<std::string_view> bases) const {
    return std::find(bases.begin(), bases.end(), base()) != bases.end();
  }
  Ty type() const { return types.empty() ? Ty::None : types.back(); }
  bool hasRounding() const {
    return has("rn") || has("rz") || has("rm") || has("rp");
  }
};

bool isInteger(Ty ty) {
  return ty >= Ty::U4 && ty <= Ty::S64 && ty != Ty::None;
}
bool isHalf(Ty ty) { return ty == Ty::F16 || ty == Ty::BF16; }
bool isHalves(Ty ty) { return ty == Ty::F16x2 || ty == Ty::BF16x2; }
bool isSingle(Ty ty) { return ty == Ty::F32 || ty == Ty::TF32; }
bool isEighth(Ty ty) { return ty >= Ty::E4M3 && ty <= Ty::E5M2x2; }

enum class Conversion { Move, Pack, FromInteger, Slow };

/// cvt.d.s: what machine code does for it.
Conversion conversionOf(const Opcode &op) {
  if (op.types.size() < 2)
    return Conversion::Move;
  Ty d = op.types[0], s = op.types[1];
  bool integral =
      op.has("rni") || op.has("rzi") || op.has("rmi") || op.has("rpi");
  if (isInteger(d) && isInteger(s))
    return Conversion::Move;
  if (d == Ty::F64 || s == Ty::F64)
    return Conversion::Slow;
  if (isInteger(s))
    return isSingle(d) && typeBits(s) <= 32 ? Conversion::FromInteger
                                            : Conversion::Slow;
  if (isInteger(d) || integral)
    return Conversion::Slow;
  bool narrow = isHalf(d) || isHalves(d) || isEighth(d);
  return narrow && isSingle(s) ? Conversion::Pack : Conversion::Move;
}

bool isTranscendental(const Opcode &op) {
  return op.isOneOf(
      {"ex2", "lg2", "rcp", "rsqrt", "sqrt", "sin", "cos", "tanh"});
}

bool isBitCount(const Opcode &op) {
  return op.isOneOf({"popc", "clz", "brev", "bfind"});
}

bool isArithmetic(const Opcode &op) {
  return op.isOneOf({"add", "sub", "mul", "mad", "fma"});
}

// --- tensor instructions ----------------------------------------------------

/// m * n * k of `m16n8k16` in an opcode, else 0.
uint64_t shapeOf(const Opcode &op) {
  for (std::string_view part : op.parts) {
    std::string text(part);
    uint64_t product = 1;
    char *next = text.data();
    bool good = true;
    for (char letter : {'m', 'n', 'k'}) {
      good = good && *next == letter;
      product *= good ? std::strtoull(next + 1, &next, 10) : 0;
    }
    if (good && product)
      return product;
  }
  return 0;
}

uint64_t multiplyAddsOf(const Opcode &op) {
  uint64_t work = shapeOf(op);
  if (op.base() == "wgmma") // a warp does a quarter
    work /= 4;
  else if (op.has("m8n8k4") && op.type() != Ty::F64)
    work *= 4; // of four groups of lanes each
  return op.has("sp") || op.has("sp::ordered_metadata") ? work / 2 : work;
}

/// Multiply-adds of f16 that take as long as one of the type.
double relativeWork(const Opcode &op) {
  if (op.has("tf32"))
    return 2;
  if (op.has("b1"))
    return 1.0 / 16;
  if (op.has("s4") || op.has("u4"))
    return 1.0 / 4;
  if (op.has("s8") || op.has("u8"))
    return 1.0 / 2;
  // mma.sync unpacks them to f16 on sm_90.
  bool eighth = op.has("e4m3") || op.has("e5m2");
  return eighth && op.base() == "wgmma" ? 1.0 / 2 : 1;
}

void tensorCost(const Opcode &op, UnitSums &cost) {
  auto work = static_cast<double>(multiplyAddsOf(op));
  if (op.has("f64"))
    at(cost, Unit::TensorDouble) = work;
  else
    at(cost, op.base() == "wgmma" ? Unit::TensorAsync : Unit::Tensor) =
        work * relativeWork(op);
}

// --- arithmetic -------------------------------------------------------------

/// A product and a sum without a rounding modifier may become one FMA: the
/// sum is counted then, and of f32 the larger of the two.
void arithmeticCost(const Opcode &op, UnitSums &cost) {
  Ty ty = op.type();
  bool isMul = op.base() == "mul", isAdd = op.isOneOf({"add", "sub"});
  bool fuses = (isMul || isAdd) && !op.hasRounding();
  if (ty == Ty::F32)
    at(cost, !fuses  ? Unit::Float
             : isMul ? Unit::FloatMul
                     : Unit::FloatAdd) = 1;
  else if (ty == Ty::F64 && !(fuses && isMul))
    at(cost, Unit::Double) = 1;
  else if (isHalves(ty) && !(fuses && isMul))
    at(cost, Unit::Half) = 1;
  else if (isHalf(ty) && !(fuses && isMul)) // two may be packed into one
    at(cost, Unit::Half) = 0.5;
}

void conversionCost(const Opcode &op, UnitSums &cost) {
  switch (conversionOf(op)) {
  case Conversion::Move:
    return;
  case Conversion::Pack:
    // Two of one value may be packed into one.
    at(cost, Unit::Alu) = isHalf(op.types[0]) ? 0.5 : 1;
    return;
  case Conversion::FromInteger:
    at(cost, Unit::FromInteger) = 1;
    return;
  case Conversion::Slow:
    at(cost, Unit::Mufu) = 1;
    return;
  }
}

} // namespace

uint64_t multiplyAdds(const std::string &opcode) {
  return multiplyAddsOf(Opcode(opcode));
}

UnitSums leastCost(const std::string &opcode) {
  UnitSums cost{};
  Opcode op(opcode);
  if (op.isOneOf({"mma", "wmma", "wgmma"}) && shapeOf(op) && !op.has("load") &&
      !op.has("store"))
    tensorCost(op, cost);
  else if (isTranscendental(op))
    at(cost, Unit::Mufu) = isHalves(op.type()) ? 2 : 1;
  else if (isBitCount(op))
    at(cost, Unit::Mufu) = 1;
  else if (isArithmetic(op))
    arithmeticCost(op, cost);
  else if (op.base() == "div" && op.type() == Ty::F32)
    at(cost, Unit::FloatMul) = 1; // divisions by one value share its reciprocal
  else if (op.base() == "cvt")
    conversionCost(op, cost);
  else if (op.isOneOf({"min", "max"}) && op.type() == Ty::F32)
    at(cost, Unit::Alu) = 1;
  else if (op.base() == "shfl")
    at(cost, Unit::Data) = 1;
  double issued = 0;
  for (unsigned u = 0; u < unitCount; ++u)
    if (cost[u] > 0)
      issued = u <= static_cast<unsigned>(Unit::TensorDouble) ? 1 : cost[u];
  if (at(cost, Unit::FloatMul) > 0)
    issued = 0; // may be fused
  bool isMemory =
      op.isOneOf({"ld", "st", "atom", "red", "ldmatrix", "stmatrix", "ldu"}) &&
      !op.has("param") && !op.has("const");
  if (isMemory || op.isOneOf({"bar", "barrier"}))
    issued = 1;
  at(cost, Unit::Issue) = issued;
  return cost;
}

Pipe pipeOf(const std::string &opcode, Pipe family) {
  Opcode op(opcode);
  Ty ty = op.type();
  if (family == Pipe::Uniform) // mov, cvta, ld.param
    return Pipe::Move;
  if (family == Pipe::Tensor || family == Pipe::Lsu)
    return family;
  if (op.isOneOf({"mbarrier"}))
    return Pipe::Lsu;
  if (family == Pipe::Control)
    return family;
  if (isTranscendental(op) || isBitCount(op) ||
      (op.base() == "div" && !isInteger(ty)))
    return Pipe::Mufu;
  if (op.base() == "cvt") {
    switch (conversionOf(op)) {
    case Conversion::Move:
      return Pipe::Move;
    case Conversion::Pack:
      return Pipe::Alu;
    case Conversion::FromInteger:
    case Conversion::Slow:
      return Pipe::Mufu;
    }
  }
  if (ty == Ty::F64)
    return Pipe::Double;
  bool multiplies = op.isOneOf(
      {"mul", "mad", "madc", "mul24", "mad24", "fma", "dp4a", "dp2a"});
  bool isFloat = isSingle(ty) || isHalf(ty) || isHalves(ty);
  if (multiplies || (isArithmetic(op) && isFloat))
    return Pipe::Fma;
  return Pipe::Alu;
}

// --- the uniform datapath ---------------------------------------------------

namespace {

bool isPerLane(Special which) {
  switch (which) {
  case Special::TidX:
  case Special::TidY:
  case Special::TidZ:
  case Special::LaneId:
  case Special::LaneMaskEq:
  case Special::LaneMaskLe:
  case Special::LaneMaskLt:
  case Special::LaneMaskGe:
  case Special::LaneMaskGt:
    return true;
  default:
    return false;
  }
}

/// Results that are the same for all lanes if the sources are.
bool passesUniformity(const Inst &inst, const Opcode &op) {
  if (op.isOneOf({"ld"}))
    return inst.space == Space::Param || inst.space == Space::Const;
  return inst.flow == Flow::Plain && inst.pipe != Pipe::Lsu &&
         inst.pipe != Pipe::Tensor;
}

} // namespace

static std::vector<bool> uniformInstructions(const Program &program) {
  std::vector<bool> perLane(program.cellCount + 2);
  for (auto [which, packed] : program.specials)
    if (isPerLane(which))
      perLane[packed / 2] = true;
  for (const CallSite &call : program.calls)
    for (const CallSite::Value &value : call.results)
      if (!value.inFrame)
        perLane[value.place] = true;
  for (const FunctionCode &function : program.functions)
    for (const CallSite::Value &value : function.params)
      if (!value.inFrame)
        perLane[value.place] = true;
  std::vector<Opcode> opcodes;
  for (const std::string &opcode : program.opcodes)
    opcodes.emplace_back(opcode);
  auto isVote = [&](const Inst &inst) {
    return opcodes[inst.opcode].isOneOf({"vote", "redux", "activemask"});
  };
  auto varies = [&](const Inst &inst) {
    if (isVote(inst))
      return false;
    if (!passesUniformity(inst, opcodes[inst.opcode]))
      return true;
    bool any = inst.guard >= 0 && perLane[static_cast<size_t>(inst.guard)];
    for (unsigned i = 0; i < inst.ns; ++i)
      any |= perLane[inst.s(i)];
    return any;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (const Inst &inst : program.code) {
      if (!inst.nd || !varies(inst))
        continue;
      for (unsigned i = 0; i < inst.nd; ++i)
        if (!perLane[inst.d(i)]) {
          perLane[inst.d(i)] = true;
          changed = true;
        }
    }
  }
  std::vector<bool> uniform(program.code.size());
  for (size_t pc = 0; pc < program.code.size(); ++pc) {
    const Inst &inst = program.code[pc];
    Ty ty = opcodes[inst.opcode].type();
    bool isFloating = ty >= Ty::F16 && ty <= Ty::F64;
    uniform[pc] = (inst.pipe == Pipe::Alu || inst.pipe == Pipe::Fma) &&
                  !isFloating && !isVote(inst) && inst.nd && !varies(inst);
  }
  return uniform;
}

void settlePipes(Program &program) {
  for (Inst &inst : program.code)
    inst.pipe = pipeOf(program.opcodes[inst.opcode], inst.pipe);
  std::vector<bool> uniform = uniformInstructions(program);
  for (size_t pc = 0; pc < program.code.size(); ++pc)
    if (uniform[pc])
      program.code[pc].pipe = Pipe::Uniform;
}

} // namespace fovea::sim
