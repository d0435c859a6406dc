// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of the checks is that in which a user would look: types, shapes,
// strides, params, and last what the pattern itself requires of the params
// (LaunchParams.cpp).

#include "Launch.h"

#include <cstring>
#include <type_traits>

using namespace fovea::runtime;

static std::string str(int64_t value) { return std::to_string(value); }

static std::string shapeText(const fovea_tensor &t) {
  return "[" + str(t.shape[0]) + ", " + str(t.shape[1]) + ", " +
         str(t.shape[2]) + ", " + str(t.shape[3]) + "]";
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

namespace {
/// One array with its name; axes are batch, head, row, component.
struct Named {
  const char *name;
  const fovea_tensor &tensor;
};
} // namespace

static Status checkType(const Manifest &m, Named array) {
  // A caller in C may have stored any number here; read as an enumeration it
  // would be undefined.
  std::underlying_type_t<fovea_type> type;
  std::memcpy(&type, &array.tensor.type, sizeof(type));
  if (type == m.type)
    return Status();
  bool known = type == FOVEA_F32 || type == FOVEA_F16 || type == FOVEA_BF16;
  return wrongInput(std::string("expected ") + array.name + " of type " +
                    typeName(m.type) + ", but got " +
                    (known ? typeName(fovea_type(type)) : "type " + str(type)));
}

/// Compares one axis; `why` says where the expected value comes from.
static Status checkAxis(Named array, int axis, int64_t expected,
                        const char *what, const std::string &why) {
  int64_t found = array.tensor.shape[axis];
  if (found == expected)
    return Status();
  return wrongInput(std::string("expected ") + array.name + " with " + what +
                    " " + str(expected) + " (" + why + "), but got " +
                    str(found) + " in the shape " + shapeText(array.tensor));
}

static Status checkShape(Named array, int64_t batch, int64_t heads,
                         int64_t rows, const char *rowsOf, int64_t dim) {
  if (Status s = checkAxis(array, 0, batch, "batch", "as q"); !s)
    return s;
  if (Status s = checkAxis(array, 1, heads, "heads", "the pattern's"); !s)
    return s;
  if (Status s = checkAxis(array, 2, rows, "length", rowsOf); !s)
    return s;
  return checkAxis(array, 3, dim, "head dimension", "the pattern's");
}

/// Batch, heads and lengths are passed as 32-bit positions to kernels.
static Status checkExtents(Named array) {
  for (int64_t extent : array.tensor.shape)
    if (extent < 0 || extent >= int64_t(1) << 30)
      return wrongInput(std::string("expected ") + array.name +
                        " with extents from 0 to 2^30 - 1, but got the shape " +
                        shapeText(array.tensor));
  return Status();
}

Result<Span> fovea::runtime::spanOf(const fovea_tensor &tensor,
                                    const char *name) {
  Span span;
  bool overflow = false;
  for (int axis = 0; axis < 4; ++axis) {
    if (tensor.shape[axis] == 0)
      return Span();
    if (tensor.shape[axis] == 1)
      continue;
    int64_t reach = 0;
    overflow |= __builtin_mul_overflow(tensor.shape[axis] - 1,
                                       tensor.strides[axis], &reach);
    int64_t &end = reach < 0 ? span.first : span.last;
    overflow |= __builtin_add_overflow(end, reach, &end);
  }
  constexpr int64_t most = int64_t(1) << 56; // so that bytes fit, too
  if (overflow || span.first < -most || span.last > most)
    return wrongInput(std::string("the strides of ") + name +
                      " reach beyond the address space");
  ++span.last;
  return span;
}

static Status checkMemory(Named array, bool written) {
  const fovea_tensor &t = array.tensor;
  std::string name = array.name;
  Result<Span> span = spanOf(t, array.name);
  if (!span)
    return span.error();
  if (span->last == 0)
    return Status();
  if (t.shape[3] > 1 && t.strides[3] != 1)
    return wrongInput("expected " + name +
                      " with a contiguous last dimension (stride 1), but got "
                      "stride " +
                      str(t.strides[3]));
  if (!t.data)
    return wrongInput("the data pointer of " + name + " is null");
  if (reinterpret_cast<uintptr_t>(t.data) % typeSize(t.type) != 0)
    return wrongInput("the data pointer of " + name +
                      " is not aligned to its element type " +
                      typeName(t.type));
  if (!written)
    return Status();
  for (int axis = 0; axis < 3; ++axis)
    if (t.shape[axis] > 1 && t.strides[axis] == 0)
      return wrongInput("expected " + name +
                        " without overlapping elements, but got stride 0 over "
                        "an extent of " +
                        str(t.shape[axis]));
  return Status();
}

static Status checkArrays(const Manifest &m, const fovea_launch &l,
                          bool counting) {
  Named q{"q", l.q}, k{"k", l.k}, v{"v", l.v}, o{"o", l.o};
  std::vector<Named> arrays = {q, k, v};
  if (!counting)
    arrays.push_back(o);
  for (Named array : arrays) {
    if (Status s = checkType(m, array); !s)
      return s;
    if (Status s = checkExtents(array); !s)
      return s;
  }
  int64_t batch = l.q.shape[0], nq = l.q.shape[2], nk = l.k.shape[2];
  if (Status s = checkShape(q, batch, m.headsQ, nq, "as q", m.dimQk); !s)
    return s;
  if (Status s = checkShape(k, batch, m.headsKv, nk, "as k", m.dimQk); !s)
    return s;
  if (Status s = checkShape(v, batch, m.headsKv, nk, "as k", m.dimV); !s)
    return s;
  if (counting)
    return Status();
  if (Status s = checkShape(o, batch, m.headsQ, nq, "as q", m.dimV); !s)
    return s;
  for (Named array : arrays)
    if (Status s = checkMemory(array, array.name == o.name); !s)
      return s;
  if (reinterpret_cast<uintptr_t>(l.lse) % alignof(float) != 0)
    return wrongInput("the lse pointer is not aligned to f32");
  return Status();
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

Result<CheckedLaunch> fovea::runtime::checkLaunch(const Manifest &manifest,
                                                  const fovea_launch &launch,
                                                  bool counting) {
  if (Status s = checkArrays(manifest, launch, counting); !s)
    return s.error();
  Result<std::vector<Binding>> params = bindParams(manifest, launch);
  if (!params)
    return params.error();
  if (Status s = checkRequirements(manifest, *params); !s)
    return s.error();
  return CheckedLaunch{launch.q.shape[0], launch.q.shape[2], launch.k.shape[2],
                       std::move(*params)};
}

static bool isAligned(const fovea_tensor &t, int64_t alignment) {
  if (reinterpret_cast<uintptr_t>(t.data) % alignment != 0)
    return false;
  for (int axis = 0; axis < 3; ++axis)
    if (t.shape[axis] > 1 && t.strides[axis] * typeSize(t.type) % alignment)
      return false;
  return true;
}

Result<size_t> fovea::runtime::chooseEntry(const Manifest &manifest,
                                           const fovea_launch &launch) {
  for (size_t i = 0; i < manifest.entries.size(); ++i) {
    int64_t alignment = manifest.entries[i].alignment;
    if (isAligned(launch.q, alignment) && isAligned(launch.k, alignment) &&
        isAligned(launch.v, alignment) && isAligned(launch.o, alignment))
      return i;
  }
  return wrongInput("expected arrays whose addresses and strides are multiples "
                    "of " +
                    str(manifest.entries.back().alignment) +
                    " bytes, which the kernel needs");
}

Result<Grid> fovea::runtime::evaluateGrid(const Manifest &manifest,
                                          const ManifestEntry &entry,
                                          const CheckedLaunch &checked) {
  const std::vector<Binding> names = {{"nq", false, checked.nq, 0},
                                      {"nk", false, checked.nk, 0},
                                      {"batch", false, checked.batch, 0},
                                      {"heads_q", false, manifest.headsQ, 0},
                                      {"heads_kv", false, manifest.headsKv, 0}};
  Grid grid{};
  for (int axis = 0; axis < 3; ++axis) {
    Result<int64_t> size = evaluateInteger(entry.grid[axis], names);
    if (!size)
      return size.error();
    if (*size < 0 || *size > INT32_MAX)
      return wrongInput("expected a grid of at most 2^31 - 1 in '" +
                        entry.grid[axis] + "', but got " + str(*size));
    grid[axis] = *size;
  }
  return grid;
}

/// The bits that the kernel gets for one parameter.
static uint64_t valueOf(const ManifestParameter &parameter,
                        const fovea_launch &l, const CheckedLaunch &checked) {
  const std::string &value = parameter.value;
  if (value == "param") {
    for (const Binding &param : checked.params) {
      if (param.name != parameter.name)
        continue;
      if (!param.isFloat)
        return static_cast<uint64_t>(param.intValue);
      uint64_t bits = 0; // an f32 is read from the first four bytes
      std::memcpy(&bits, &param.floatValue, sizeof(float));
      return bits;
    }
  }
  if (value == "nq")
    return checked.nq;
  if (value == "nk")
    return checked.nk;
  if (value == "lse")
    return reinterpret_cast<uintptr_t>(l.lse);
  const fovea_tensor &tensor = value[0] == 'q'   ? l.q
                               : value[0] == 'k' ? l.k
                               : value[0] == 'v' ? l.v
                                                 : l.o;
  if (value.size() == 1)
    return reinterpret_cast<uintptr_t>(tensor.data);
  char axis = value.back(); // of "q_stride_b"
  return tensor.strides[axis == 'b' ? 0 : axis == 'h' ? 1 : 2];
}

ParameterBlock::ParameterBlock(const Manifest &manifest,
                               const fovea_launch &launch,
                               const CheckedLaunch &checked) {
  for (const ManifestParameter &parameter : manifest.parameters)
    values.push_back(valueOf(parameter, launch, checked));
  for (uint64_t &value : values)
    pointers.push_back(&value);
}
