// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors with gaps. Memory is counted in 16-bit words, of which an f32 is two;
// what lies in no element holds words that are NaN in every type.

#include "fovea/Reference/RandomPattern.h"

#include "fovea/Runtime/Half.h"

#include <cstring>

namespace fovea::reference {

constexpr uint16_t gap = 0x7FFF; // NaN as f16, as bf16, and twice as f32

static int64_t wordsOf(fovea_type type) { return type == FOVEA_F32 ? 2 : 1; }

StridedArray::StridedArray(fovea_type type, const int64_t (&shape)[4],
                           int order, int64_t padding, int64_t offset)
    : type(type), offset(offset) {
  std::memcpy(this->shape, shape, sizeof this->shape);
  int64_t row = shape[3] + padding;
  strides[3] = 1;
  strides[2] = order == 0 ? row : row * shape[1];
  strides[1] = order == 0 ? row * shape[2] : row;
  strides[0] = row * shape[1] * shape[2];
  int64_t elements = 2 * offset + shape[0] * strides[0];
  memory.assign(elements * wordsOf(type), gap);
}

fovea_tensor StridedArray::view() {
  fovea_tensor tensor;
  tensor.data = memory.data() + offset * wordsOf(type);
  tensor.type = type;
  std::memcpy(tensor.shape, shape, sizeof shape);
  std::memcpy(tensor.strides, strides, sizeof strides);
  return tensor;
}

void StridedArray::set(int64_t b, int64_t h, int64_t n, int64_t d,
                       double value) {
  int64_t at = offset + b * strides[0] + h * strides[1] + n * strides[2] + d;
  auto single = static_cast<float>(value);
  uint16_t *word = memory.data() + at * wordsOf(type);
  if (type == FOVEA_F32)
    std::memcpy(word, &single, sizeof single);
  else
    *word = type == FOVEA_F16 ? runtime::floatToF16(single)
                              : runtime::floatToBF16(single);
}

/// Which words of the memory belong to an element.
std::vector<bool> StridedArray::elementMap() const {
  std::vector<bool> map(memory.size());
  for (int64_t b = 0; b < shape[0]; ++b)
    for (int64_t h = 0; h < shape[1]; ++h)
      for (int64_t n = 0; n < shape[2]; ++n) {
        int64_t row = offset + b * strides[0] + h * strides[1] + n * strides[2];
        for (int64_t w = 0; w < shape[3] * wordsOf(type); ++w)
          map[row * wordsOf(type) + w] = true;
      }
  return map;
}

bool StridedArray::gapsUntouched() const {
  std::vector<bool> map = elementMap();
  for (size_t w = 0; w < memory.size(); ++w)
    if (!map[w] && memory[w] != gap)
      return false;
  return true;
}

} // namespace fovea::reference
