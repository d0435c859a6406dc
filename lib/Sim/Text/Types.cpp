// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names and sizes of the fundamental types.
#include "Types.h"

namespace fovea::sim {

namespace {
struct TypeRow {
  const char *name;
  Ty ty;
  unsigned bits;
};
constexpr TypeRow typeTable[] = {
    {"pred", Ty::Pred, 1},      {"b1", Ty::B1, 1},
    {"b8", Ty::B8, 8},          {"b16", Ty::B16, 16},
    {"b32", Ty::B32, 32},       {"b64", Ty::B64, 64},
    {"b128", Ty::B128, 128},    {"u4", Ty::U4, 4},
    {"u8", Ty::U8, 8},          {"u16", Ty::U16, 16},
    {"u32", Ty::U32, 32},       {"u64", Ty::U64, 64},
    {"u2", Ty::U2, 2},          {"s2", Ty::S2, 2},
    {"s4", Ty::S4, 4},          {"s8", Ty::S8, 8},
    {"s16", Ty::S16, 16},       {"s32", Ty::S32, 32},
    {"s64", Ty::S64, 64},       {"u16x2", Ty::U16x2, 32},
    {"s16x2", Ty::S16x2, 32},   {"f16", Ty::F16, 16},
    {"f16x2", Ty::F16x2, 32},   {"bf16", Ty::BF16, 16},
    {"bf16x2", Ty::BF16x2, 32}, {"tf32", Ty::TF32, 32},
    {"f32", Ty::F32, 32},       {"f32x2", Ty::F32x2, 64},
    {"f64", Ty::F64, 64},       {"e4m3", Ty::E4M3, 8},
    {"e5m2", Ty::E5M2, 8},      {"e4m3x2", Ty::E4M3x2, 16},
    {"e5m2x2", Ty::E5M2x2, 16},
};
} // namespace

Ty parseType(std::string_view text) {
  for (const TypeRow &row : typeTable)
    if (text == row.name)
      return row.ty;
  return Ty::None;
}

const char *typeName(Ty ty) {
  for (const TypeRow &row : typeTable)
    if (ty == row.ty)
      return row.name;
  return "none";
}

unsigned typeBits(Ty ty) {
  for (const TypeRow &row : typeTable)
    if (ty == row.ty)
      return row.bits;
  return 0;
}

} // namespace fovea::sim
