// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lane-wise execution: an operation on values of C++ types becomes an executor
// over 32 lanes that the compiler vectorises. A cell holds a value as its
// zero-extended bits (Program.h).
#ifndef FOVEA_LIB_SIM_LANES_H
#define FOVEA_LIB_SIM_LANES_H

#include "Machine.h"
#include "Ops/Halves.h"
#include <bit>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fovea::sim {

template <unsigned Bytes> struct UintOf;
template <> struct UintOf<1> {
  using type = uint8_t;
};
template <> struct UintOf<2> {
  using type = uint16_t;
};
template <> struct UintOf<4> {
  using type = uint32_t;
};
template <> struct UintOf<8> {
  using type = uint64_t;
};

template <class T>
using CellWord = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T> inline T fromCell(CellWord<T> word) {
  using U = typename UintOf<sizeof(T)>::type;
  return std::bit_cast<T>(static_cast<U>(word));
}
template <class T> inline CellWord<T> toCell(T value) {
  using U = typename UintOf<sizeof(T)>::type;
  return std::bit_cast<U>(value);
}
template <class T> inline CellWord<T> *cellsOf(Warp &warp, uint32_t cell) {
  if constexpr (sizeof(T) == 8)
    return warp.wide(cell);
  else
    return warp.narrow(cell);
}

/// Copies the lanes of the mask.
template <class W> inline void blend(W *to, const W *from, uint32_t mask) {
  for (unsigned l = 0; l < 32; ++l)
    to[l] = (mask >> l) & 1 ? from[l] : to[l];
}

template <class F> inline void forLanes(uint32_t mask, F f) {
  while (mask) {
    f(static_cast<unsigned>(std::countr_zero(mask)));
    mask &= mask - 1;
  }
}

/// d = Op::apply(s...) in every lane of the mask.
template <class Op, class D, class... S>
void execLanes(Warp &warp, const Inst &inst, uint32_t mask) {
  [&]<size_t... I>(std::index_sequence<I...>) {
    CellWord<D> *d = cellsOf<D>(warp, inst.d(0));
    std::tuple<const CellWord<S> *...> s{cellsOf<S>(warp, inst.s(I))...};
    if (mask == allLanes) {
#pragma clang loop vectorize(assume_safety)
      for (unsigned l = 0; l < 32; ++l)
        d[l] = toCell<D>(Op::apply(fromCell<S>(std::get<I>(s)[l])...));
      return;
    }
    CellWord<D> t[32];
    for (unsigned l = 0; l < 32; ++l)
      t[l] = toCell<D>(Op::apply(fromCell<S>(std::get<I>(s)[l])...));
    blend(d, t, mask);
  }(std::index_sequence_for<S...>{});
}

/// A predicate of every lane, as bits.
template <class Op, class... S>
uint32_t testLanes(Warp &warp, const uint32_t *cells) {
  return [&]<size_t... I>(std::index_sequence<I...>) {
    std::tuple<const CellWord<S> *...> s{cellsOf<S>(warp, cells[I])...};
    uint32_t t[32];
    for (unsigned l = 0; l < 32; ++l)
      t[l] = Op::apply(fromCell<S>(std::get<I>(s)[l])...) ? 1u << l : 0u;
    uint32_t bits = 0;
    for (unsigned l = 0; l < 32; ++l)
      bits |= t[l];
    return bits;
  }(std::index_sequence_for<S...>{});
}

inline void setPred(Warp &warp, uint32_t cell, uint32_t bits, uint32_t mask) {
  uint32_t &p = warp.pred(cell);
  p = (p & ~mask) | (bits & mask);
}

/// A lane-wise operation of n operands of one type.
template <class Op, class T> Exec unary() { return execLanes<Op, T, T>; }
template <class Op, class T> Exec binary() { return execLanes<Op, T, T, T>; }
template <class Op, class T> Exec ternary() {
  return execLanes<Op, T, T, T, T>;
}

/// Calls f with a value of the C++ type of an integer type; null if it is not
/// one of them.
template <class F> Exec pickInteger(Ty ty, F f) {
  switch (ty) {
  case Ty::B16:
  case Ty::U16:
    return f(uint16_t{});
  case Ty::S16:
    return f(int16_t{});
  case Ty::B32:
  case Ty::U32:
    return f(uint32_t{});
  case Ty::S32:
    return f(int32_t{});
  case Ty::B64:
  case Ty::U64:
    return f(uint64_t{});
  case Ty::S64:
    return f(int64_t{});
  default:
    return nullptr;
  }
}

/// Union of the taint of the sources, into a destination.
inline uint32_t taintOf(const Warp &warp, uint32_t cell) {
  return warp.taint ? warp.taint[cell] : 0;
}
void forgetPartial(Warp &warp, uint32_t cell, uint32_t mask);
inline void setTaint(Warp &warp, uint32_t cell, uint32_t lanes, uint32_t mask) {
  if (!warp.taint)
    return;
  warp.taint[cell] = (warp.taint[cell] & ~mask) | (lanes & mask);
  if (!warp.partial.empty())
    forgetPartial(warp, cell, mask);
}

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_LANES_H
