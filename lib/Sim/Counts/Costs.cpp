// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pipes and least costs of opcodes: see the header. Which pipe takes what is
// said in Nsight Compute's documentation (section "Pipelines") and was checked
// on an H200; docs/counts.md has the measurements.
#include "Costs.h"
#include "Program/Opcode.h"
#include <algorithm>
#include <cstdlib>

namespace fovea::sim {

namespace {

bool isInteger(Ty ty) {
  return ty >= Ty::U4 && ty <= Ty::S64 && ty != Ty::None;
}
bool isHalf(Ty ty) { return ty == Ty::F16 || ty == Ty::BF16; }
bool isHalves(Ty ty) { return ty == Ty::F16x2 || ty == Ty::BF16x2; }
bool isSingle(Ty ty) { return ty == Ty::F32 || ty == Ty::TF32; }
bool isEighth(Ty ty) { return ty >= Ty::E4M3 && ty <= Ty::E5M2x2; }

enum class Conversion { Move, Pack, FromInteger, Round, Slow };

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
  if (isInteger(d))
    return Conversion::Slow;
  if (integral)
    return Conversion::Round;
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

/// Rates in multiply-adds of f16 a cycle: 1024 of an A100, 2048 of an H100 by
/// wgmma and two thirds of it by mma.sync, with at least a cycle for a product
/// of 16 rows (ncu's sm__ops_path_tensor_*.peak_sustained; measured).
void tensorCost(const Opcode &op, UnitSums &cost) {
  auto work = static_cast<double>(multiplyAddsOf(op));
  double &a100 = at(cost, Unit::TensorA100), &h100 = at(cost, Unit::TensorH100);
  if (op.has("f64")) {
    a100 = work / 64;
    h100 = work / (op.has("m8n8k4") ? 64 : 128);
    return;
  }
  work *= relativeWork(op);
  a100 = work / 1024;
  h100 = work / 2048;
  if (op.base() != "wgmma")
    h100 *= 1.5;
  bool is16 =
      std::any_of(op.parts.begin(), op.parts.end(), [](std::string_view part) {
        return part.substr(0, 4) == "m16n";
      });
  if (op.base() == "mma" && is16)
    h100 = std::max(h100, 1.0);
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
  case Conversion::Round: // may be part of a conversion to an integer
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
      issued = u <= static_cast<unsigned>(Unit::TensorH100) ? 1 : cost[u];
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
    case Conversion::Round:
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

} // namespace fovea::sim
