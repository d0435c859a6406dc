// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Drawing arrays and asking the reference: see the header.
#include "Arrays.h"

#include "fovea/Reference/Reference.h"
#include "fovea/Runtime/Half.h"
#include "fovea/Runtime/Manifest.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>

using namespace fovea;
using namespace fovea::cases;

namespace {

constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();
/// Exact in every type and far from every output.
constexpr float mark = -1000;

/// Normal numbers by Box and Muller, from the language's generator.
class Normal {
public:
  explicit Normal(uint64_t seed) : state(pattern::mix(seed)) {}
  double next() {
    double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

private:
  double uniform() { // in [0, 1)
    state = pattern::mix(state);
    return static_cast<double>(state >> 11) * 0x1p-53;
  }
  uint64_t state;
};

/// Logits get a deviation of about 2, of large keys 8.
constexpr double querySize = 2, largeKey = 4;

bool isLarge(int64_t key) { return key % 29 == 17; }

void fill(Array &array, Normal &normal, double size, bool keys = false) {
  for (int64_t h = 0; h < array.heads; ++h)
    for (int64_t n = 0; n < array.rows; ++n)
      for (int64_t d = 0; d < array.cols; ++d)
        array.set(h, n, d,
                  normal.next() *
                      (keys && isLarge(n) ? largeKey * size : size));
}

void fillRow(Array &array, int64_t head, int64_t row, double value) {
  for (int64_t d = 0; d < array.cols; ++d)
    array.set(head, row, d, value);
}

void poisonDroppedKeys(const pattern::Pattern &pattern,
                       const std::vector<pattern::ParamValue> &params,
                       const Shape &shape, Arrays &arrays) {
  int64_t group = pattern.groupSize();
  auto isKept = [&](int64_t g, int64_t j) {
    for (int64_t h = g * group; h < (g + 1) * group; ++h)
      for (int64_t i = 0; i < shape.nq; ++i)
        if (reference::keeps(pattern, params, {0, h, i, j, shape.nq, shape.nk}))
          return true;
    return false;
  };
  for (int64_t g = 0; g < pattern.kvHeads; ++g)
    for (int64_t j = 0; j < shape.nk; ++j)
      if (!isKept(g, j)) {
        fillRow(arrays.k, g, j, notANumber);
        fillRow(arrays.v, g, j, notANumber);
      }
}

} // namespace

Array::Array(fovea_type type, int64_t heads, int64_t rows, int64_t cols,
             int64_t pitch, double fill)
    : type(type), heads(heads), rows(rows), cols(cols), pitch(pitch) {
  bytes.resize(heads * rows * pitch * runtime::typeSize(type));
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t n = 0; n < rows; ++n)
      for (int64_t d = 0; d < pitch; ++d)
        set(h, n, d, fill);
}

void Array::set(int64_t head, int64_t row, int64_t col, double value) {
  int64_t at = (head * rows + row) * pitch + col;
  auto single = static_cast<float>(value);
  if (type == FOVEA_F32) {
    std::memcpy(&bytes[at * 4], &single, 4);
    return;
  }
  uint16_t half = type == FOVEA_F16 ? runtime::floatToF16(single)
                                    : runtime::floatToBF16(single);
  std::memcpy(&bytes[at * 2], &half, 2);
}

fovea_tensor Array::view() {
  return {bytes.data(),
          type,
          {1, heads, rows, cols},
          {heads * rows * pitch, rows * pitch, pitch, 1}};
}

std::vector<uint8_t> Array::firstHeads(int64_t count) const {
  int64_t elements =
      std::max<int64_t>(count * rows * pitch - (pitch - cols), 0);
  return {bytes.begin(), bytes.begin() + elements * runtime::typeSize(type)};
}

Arrays cases::drawArrays(const pattern::Pattern &pattern,
                         const std::vector<pattern::ParamValue> &params,
                         const Shape &shape, uint64_t seed) {
  fovea_type type = pattern.type == pattern::ElementType::F32   ? FOVEA_F32
                    : pattern.type == pattern::ElementType::F16 ? FOVEA_F16
                                                                : FOVEA_BF16;
  auto make = [&](int64_t heads, int64_t rows, int64_t cols, double value) {
    return Array(type, heads, rows, cols, cols + shape.gap, value);
  };
  Arrays arrays;
  arrays.q = make(pattern.queryHeads, shape.nq, pattern.qkDim, notANumber);
  arrays.k = make(pattern.kvHeads, shape.nk, pattern.qkDim, notANumber);
  arrays.v = make(pattern.kvHeads, shape.nk, pattern.vDim, notANumber);
  arrays.o = make(pattern.queryHeads, shape.nq, pattern.vDim, mark);
  arrays.oInit = arrays.o;
  arrays.lseInit.assign(pattern.queryHeads * shape.nq, mark);
  Normal normal(seed);
  fill(arrays.q, normal, querySize);
  fill(arrays.k, normal, 1, /*keys=*/true);
  fill(arrays.v, normal, 1);
  poisonDroppedKeys(pattern, params, shape, arrays);
  for (int64_t g = 0; g < pattern.kvHeads && shape.nanValue; ++g)
    fillRow(arrays.v, g, shape.nk - 1, notANumber);
  arrays.largestValue = reference::largestMagnitude(arrays.v.view());

  reference::Result expected = reference::attention(
      pattern, params, arrays.q.view(), arrays.k.view(), arrays.v.view());
  size_t next = 0;
  for (int64_t h = 0; h < pattern.queryHeads; ++h)
    for (int64_t n = 0; n < shape.nq; ++n)
      for (int64_t d = 0; d < pattern.vDim; ++d)
        arrays.o.set(h, n, d, expected.o[next++]);
  for (double lse : expected.lse)
    arrays.lse.push_back(static_cast<float>(lse));
  return arrays;
}
