// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// div, rcp, sqrt, rsqrt and the functions of the special unit: ex2, lg2, sin,
// cos, tanh (ISA text, sections 9.7.3.8 to 9.7.3.24, 9.7.4.9 and 9.7.4.10).
//
// The approximate forms are bounded in error, not defined to the bit. They
// are computed in double and rounded; on request a hash of operand and seed
// moves the last bit, so that no test leans on one rounding.
#include "Machine/Lanes.h"
#include "Nan.h"
#include "Program/Decoder.h"
#include <cfenv>
#include <cmath>

namespace fovea::sim {

namespace {

enum Function : uint8_t {
  FDiv,
  FRcp,
  FSqrt,
  FRsqrt,
  FSin,
  FCos,
  FLg2,
  FEx2,
  FTanh,
};
/// MathByReciprocal: div.approx, which multiplies by 1 / b.
enum MathFlags : uint8_t { MathFtz = 1, MathApprox = 2, MathByReciprocal = 4 };

double evaluate(uint8_t function, double a, double b) {
  switch (function) {
  case FDiv:
    return a / b;
  case FRcp:
    return 1 / a;
  case FSqrt:
    return std::sqrt(a);
  case FRsqrt:
    return 1 / std::sqrt(a);
  case FSin:
    return std::sin(a);
  case FCos:
    return std::cos(a);
  case FLg2:
    return std::log2(a);
  case FEx2:
    return std::exp2(a);
  default:
    return std::tanh(a);
  }
}

/// -1, 0 or 1 units in the last place, by operand and seed.
float perturb(float r, uint32_t a, uint64_t seed) {
  if (!std::isfinite(r) || r == 0 || r == 1)
    return r;
  uint64_t h = (seed ^ a) * 0x9e3779b97f4a7c15ull;
  h ^= h >> 29;
  switch ((h >> 7) % 3) {
  case 0:
    return std::nextafterf(r, INFINITY);
  case 1:
    return std::nextafterf(r, -INFINITY);
  default:
    return r;
  }
}

float finish(float r) { return std::bit_cast<float>(canonicalBits(r)); }

/// `scaled` is 2^64 r, rounded alike: what is subnormal before exponents are
/// limited becomes 0.
float flushResult(float r, float scaled) {
  bool lifted = std::fabs(r) == 0x1p-126f && std::fabs(scaled) < 0x1p-62f;
  return lifted ? std::copysign(0.0f, r) : flush(r);
}

double nanOfMath(uint8_t function, double a, double b) {
  return function == FDiv ? nanOf(b, a) : nanOf(a);
}

/// exp2 of 32 floats: 2^n by exponent, 2^f on [-0.5, 0.5] by a polynomial in
/// float whose error is below one unit in the last place.
void exp2Lanes(const uint32_t *in, uint32_t *out, bool ftz) {
  for (unsigned l = 0; l < 32; ++l) {
    float x = std::bit_cast<float>(in[l]);
    float c = x > -160.0f ? x : -160.0f; // NaN too: its result is set below
    c = c < 160.0f ? c : 160.0f;
    float n = __builtin_rintf(c);
    double f = double(c) - double(n);
    double p =
        1.0 + f * (0.6931471805599453 +
                   f * (0.2402265069591007 +
                        f * (0.05550410866482158 +
                             f * (0.009618129107628477 +
                                  f * (0.0013333558146428443 +
                                       f * (0.00015403530393381608 +
                                            f * 1.5252733804059841e-05))))));
    int64_t e = static_cast<int32_t>(n);
    double scale = std::bit_cast<double>(static_cast<uint64_t>(e + 1023) << 52);
    auto r = static_cast<float>(p * scale);
    uint32_t u = std::bit_cast<uint32_t>(r);
    u = ftz && !(u & 0x7f800000) ? 0u : u;
    out[l] = x != x ? 0x7fffffffu : u;
  }
}

void execEx2(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t t[32];
  const uint32_t *a = warp.narrow(inst.s(0));
  exp2Lanes(a, t, inst.flags & MathFtz);
  const LaunchConfig &config = warp.launch->config;
  if (config.perturbApprox)
    for (unsigned l = 0; l < 32; ++l)
      t[l] = std::bit_cast<uint32_t>(
          perturb(std::bit_cast<float>(t[l]), a[l], config.seed));
  blend(warp.narrow(inst.d(0)), t, mask);
}

void execMathF32(Warp &warp, const Inst &inst, uint32_t mask) {
  uint32_t *d = warp.narrow(inst.d(0));
  bool ftz = inst.flags & MathFtz;
  const LaunchConfig &config = warp.launch->config;
  const uint32_t *cells[2] = {warp.narrow(inst.s(0)),
                              warp.narrow(inst.s(inst.ns > 1 ? 1 : 0))};
  forLanes(mask, [&](unsigned l) {
    float a = std::bit_cast<float>(cells[0][l]);
    float b = std::bit_cast<float>(cells[1][l]);
    if (ftz)
      a = flush(a), b = flush(b);
    double exact = evaluate(inst.kind, a, b);
    // 1 / b is subnormal and taken for 0 (ISA text, 9.7.3.8).
    if ((inst.flags & MathByReciprocal) && std::fabs(b) > 0x1p126f &&
        std::isfinite(b))
      exact = a * std::copysign(0.0, double(b));
    auto r = static_cast<float>(exact);
    // Division and root in double, then rounded to f32, are as if rounded
    // once (53 >= 2 * 24 + 2).
    if (config.perturbApprox && (inst.flags & MathApprox))
      r = perturb(r, cells[0][l], config.seed);
    if (ftz)
      r = flushResult(r, static_cast<float>(exact * 0x1p64));
    d[l] = canonicalBits(r);
  });
}

/// Directed rounding of rcp, sqrt and div; imm: the host's mode.
template <class T>
__attribute__((noinline)) void execDirected(Warp &warp, const Inst &inst,
                                            uint32_t mask) {
  auto *d = cellsOf<T>(warp, inst.d(0));
  int before = std::fegetround();
  std::fesetround(static_cast<int>(inst.imm));
  forLanes(mask, [&](unsigned l) {
    volatile T a = fromCell<T>(cellsOf<T>(warp, inst.s(0))[l]);
    volatile T b =
        inst.ns > 1 ? fromCell<T>(cellsOf<T>(warp, inst.s(1))[l]) : a;
    if constexpr (sizeof(T) == 4)
      if (inst.flags & MathFtz) {
        a = flush(a);
        b = flush(b);
      }
    auto apply = [&](T scale) -> T {
      volatile T one = scale, x = a * scale;
      if (inst.kind == FDiv)
        return x / b;
      return inst.kind == FRcp ? one / a : std::sqrt(T(a));
    };
    T x = apply(1);
    if constexpr (sizeof(T) == 4)
      x = finish(inst.flags & MathFtz ? flushResult(x, apply(0x1p64f)) : x);
    else
      x = x != x ? nanOfMath(inst.kind, a, b) : x;
    d[l] = toCell<T>(x);
  });
  std::fesetround(before);
}

void execMathF64(Warp &warp, const Inst &inst, uint32_t mask) {
  uint64_t *d = warp.wide(inst.d(0));
  const uint64_t *a = warp.wide(inst.s(0)),
                 *b = warp.wide(inst.s(inst.ns > 1 ? 1 : 0));
  forLanes(mask, [&](unsigned l) {
    auto x = std::bit_cast<double>(a[l]), y = std::bit_cast<double>(b[l]);
    double r = evaluate(inst.kind, x, y);
    d[l] = std::bit_cast<uint64_t>(r != r ? nanOfMath(inst.kind, x, y) : r);
  });
}

/// rcp.approx.ftz.f64 and rsqrt.approx.ftz.f64 work on the upper words, with 20
/// fraction bits (ISA text, 9.7.3.14 and 9.7.3.17).
void execUpperF64(Warp &warp, const Inst &inst, uint32_t mask) {
  constexpr uint64_t upper = 0xffffffff00000000, exponent = 0x7ff0000000000000;
  uint64_t *d = warp.wide(inst.d(0));
  const uint64_t *a = warp.wide(inst.s(0));
  auto flushed = [](uint64_t x) {
    return x & exponent ? x & upper : x & 1ull << 63;
  };
  forLanes(mask, [&](unsigned l) {
    auto x = std::bit_cast<double>(flushed(a[l]));
    double r = evaluate(inst.kind, x, x);
    d[l] = r != r ? 0x7fffffff00000000 : flushed(std::bit_cast<uint64_t>(r));
  });
}

/// ex2 and tanh of 16-bit floats; vec halves a lane.
template <class H, class From>
void mathHalves(Warp &warp, const Inst &inst, uint32_t mask, From from) {
  uint32_t *d = warp.narrow(inst.d(0));
  const uint32_t *a = warp.narrow(inst.s(0));
  forLanes(mask, [&](unsigned l) {
    uint32_t r = 0;
    for (unsigned h = 0; h < inst.vec; ++h) {
      float x = toFloat(H{static_cast<uint16_t>(a[l] >> (16 * h))});
      auto y = static_cast<float>(evaluate(inst.kind, x, x));
      r |= uint32_t(from(inst.flags & MathFtz ? flush(y) : y).bits) << (16 * h);
    }
    d[l] = r;
  });
}
void execMathF16(Warp &warp, const Inst &inst, uint32_t mask) {
  mathHalves<F16>(warp, inst, mask, toF16);
}
void execMathBF16(Warp &warp, const Inst &inst, uint32_t mask) {
  mathHalves<BF16>(warp, inst, mask, toBF16);
}

int hostRounding(Decoder &d) {
  std::string_view mode = d.oneOf({"rn", "rz", "rm", "rp"});
  return mode == "rz"   ? FE_TOWARDZERO
         : mode == "rm" ? FE_DOWNWARD
         : mode == "rp" ? FE_UPWARD
         : mode == "rn" ? FE_TONEAREST
                        : -1;
}

void decodeMath(Decoder &d, Function function, unsigned n) {
  bool approx = d.has("approx"), byReciprocal = approx && function == FDiv;
  if (function == FDiv && d.has("full"))
    approx = true;
  int rounding = hostRounding(d);
  bool ftz = d.has("ftz");
  Ty ty = d.type();
  if (!approx && rounding < 0)
    d.fail("'" + d.fullName() + "' lacks a rounding mode or '.approx'");
  d.expectOperands(n + 1);
  Exec exec = nullptr;
  bool half = false;
  switch (ty) {
  case Ty::F32:
    exec = rounding >= 0 && rounding != FE_TONEAREST ? execDirected<float>
           : function == FEx2                        ? execEx2
                                                     : execMathF32;
    break;
  case Ty::F64:
    exec = rounding >= 0 && rounding != FE_TONEAREST ? execDirected<double>
           : ftz                                     ? execUpperF64
                                                     : execMathF64;
    break;
  case Ty::F16:
  case Ty::F16x2:
    exec = execMathF16;
    half = true;
    break;
  case Ty::BF16:
  case Ty::BF16x2:
    exec = execMathBF16;
    half = true;
    break;
  default:
    break;
  }
  if (!exec || (half && function != FEx2 && function != FTanh))
    d.fail("'" + d.fullName() + "' does not take ." + typeName(ty));
  std::vector<uint32_t> sources;
  for (unsigned i = 1; i <= n; ++i)
    sources.push_back(d.src(d.op(i), ty));
  Inst &inst = d.emit(exec, {d.dst(d.op(0), ty)}, sources, Pipe::Mufu);
  inst.kind = function;
  inst.flags = (ftz ? MathFtz : 0) | (approx ? MathApprox : 0) |
               (byReciprocal ? MathByReciprocal : 0);
  inst.imm = rounding;
  inst.vec = ty == Ty::F16x2 || ty == Ty::BF16x2 ? 2 : 1;
  if (inst.vec == 2) {
    inst.bytewise = Bytewise::Each;
    inst.bytes = 2;
  }
}

} // namespace

void decodeFloatDiv(Decoder &d) { decodeMath(d, FDiv, 2); }

void addMathOps(OpcodeTable &t) {
  t["rcp"] = [](Decoder &d) { decodeMath(d, FRcp, 1); };
  t["sqrt"] = [](Decoder &d) { decodeMath(d, FSqrt, 1); };
  t["rsqrt"] = [](Decoder &d) { decodeMath(d, FRsqrt, 1); };
  t["sin"] = [](Decoder &d) { decodeMath(d, FSin, 1); };
  t["cos"] = [](Decoder &d) { decodeMath(d, FCos, 1); };
  t["lg2"] = [](Decoder &d) { decodeMath(d, FLg2, 1); };
  t["ex2"] = [](Decoder &d) { decodeMath(d, FEx2, 1); };
  t["tanh"] = [](Decoder &d) { decodeMath(d, FTanh, 1); };
}

} // namespace fovea::sim
