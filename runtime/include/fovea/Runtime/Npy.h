// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's .npy files, versions 1.0 to 3.0 (numpy/lib/format.py, NEP 1), as far
// as attention needs them: little endian, C order, any rank. Element types are
// '<f4' (f32), '<f2' (f16), and bf16, for which NumPy has no name of its own
// and which comes as '<V2', '|V2' or '<u2'; '<i4', '|i1', '|u1' and '|b1' are
// left to the first pattern that has inputs.

#ifndef FOVEA_RUNTIME_NPY_H
#define FOVEA_RUNTIME_NPY_H

#include "fovea/Runtime/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace fovea::runtime {

/// An array in memory, packed in C order.
struct Array {
  fovea_type type = FOVEA_F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  int64_t count() const;
  /// [2, 9, 256, 64]
  std::string shapeText() const;
};

/// An array of zeros.
Array makeArray(fovea_type type, std::vector<int64_t> shape);

/// The same values in another type, rounded to nearest even.
Array convertArray(const Array &array, fovea_type type);

/// A view of an array of rank 4.
fovea_tensor tensorOf(Array &array);

/// Every error is FOVEA_WRONG_INPUT, starts with the path and gives expected
/// and found values: another magic or version, a malformed header, another
/// element type or byte order, Fortran order, a file too short or too long.
Result<Array> readNpy(const std::string &path);

/// The same from bytes; `name` stands for the path in messages.
Result<Array> parseNpy(std::string_view bytes, const std::string &name);

/// Writes version 1.0, bf16 as '<V2', whole or not at all.
Status writeNpy(const std::string &path, const Array &array);

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_NPY_H
