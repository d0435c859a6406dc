// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays in, with the checks that need a file's name; the runtime checks the
// rest against the manifest.

#include "Arrays.h"

#include "fovea/Runtime/Half.h"
#include "fovea/Runtime/Manifest.h"

#include <charconv>
#include <cmath>
#include <cstring>

using namespace fovea;
using namespace fovea::tool;
using runtime::Array;
using runtime::Result;
using runtime::wrongInput;

/// Reads one array of rank 4 in the kernel's type; `fileType` is what it was.
static Result<Array> readArray(const std::string &path, fovea_type type,
                               bool convert, fovea_type &fileType) {
  Result<Array> array = runtime::readNpy(path);
  if (!array)
    return array;
  fileType = array->type;
  if (array->shape.size() != 4)
    return wrongInput(path + ": expected four dimensions [B, H, N, D], found " +
                      array->shapeText());
  if (array->type == type)
    return array;
  std::string mismatch = path + ": expected elements of the pattern's type " +
                         runtime::typeName(type) + ", found " +
                         runtime::typeName(array->type);
  if (array->type != FOVEA_F32)
    return wrongInput(mismatch);
  if (!convert)
    return wrongInput(mismatch + " (--convert rounds them)");
  return runtime::convertArray(*array, type);
}

static void allocateOutputs(Arrays &arrays, const fovea_kernel_info &info) {
  int64_t batch = arrays.q.shape[0], rows = arrays.q.shape[2];
  arrays.o =
      runtime::makeArray(info.type, {batch, info.heads_q, rows, info.dim_v});
  arrays.lse = runtime::makeArray(FOVEA_F32, {batch, info.heads_q, rows});
}

Result<Arrays> fovea::tool::readArrays(const Options &options,
                                       const fovea_kernel_info &info) {
  Arrays arrays;
  fovea_type ignored = info.type;
  Result<Array> q =
      readArray(options.q, info.type, options.convert, arrays.outputType);
  if (!q)
    return q.error();
  Result<Array> k = readArray(options.k, info.type, options.convert, ignored);
  if (!k)
    return k.error();
  Result<Array> v = readArray(options.v, info.type, options.convert, ignored);
  if (!v)
    return v.error();
  arrays.q = std::move(*q);
  arrays.k = std::move(*k);
  arrays.v = std::move(*v);
  allocateOutputs(arrays, info);
  return arrays;
}

/// The sum of four uniform variables has mean 2 and variance 1/3; near enough
/// to a normal distribution for timing.
static Array drawArray(fovea_type type, std::vector<int64_t> shape,
                       uint64_t seed) {
  Array array = runtime::makeArray(FOVEA_F32, std::move(shape));
  uint64_t state = seed;
  for (int64_t i = 0, count = array.count(); i < count; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's MMIX
    uint64_t word = state ^ state >> 32;
    float sum = 0;
    for (int part = 0; part < 4; ++part)
      sum += static_cast<float>(word >> (16 * part) & 0xffff) / 65536.0f;
    float value = (sum - 2.0f) * std::sqrt(3.0f);
    std::memcpy(array.data.data() + i * sizeof(float), &value, sizeof(float));
  }
  return runtime::convertArray(array, type);
}

Result<Arrays> fovea::tool::drawArrays(const Options &options,
                                       const fovea_kernel_info &info) {
  int64_t batch = options.shape[0], heads = options.shape[1],
          nq = options.shape[2];
  int64_t nk = options.shape.size() == 4 ? options.shape[3] : nq;
  if (heads != info.heads_q)
    return wrongInput("expected --shape with the pattern's " +
                      std::to_string(info.heads_q) + " query heads, found " +
                      std::to_string(heads));
  Arrays arrays;
  arrays.outputType = info.type;
  arrays.q = drawArray(info.type, {batch, heads, nq, info.dim_qk}, 1);
  arrays.k = drawArray(info.type, {batch, info.heads_kv, nk, info.dim_qk}, 2);
  arrays.v = drawArray(info.type, {batch, info.heads_kv, nk, info.dim_v}, 3);
  allocateOutputs(arrays, info);
  return arrays;
}

/// Splits "w=128" in place into a name and a value.
static Result<fovea_param> readParam(std::string &text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return wrongInput("expected --param NAME=VALUE, found '" + text + "'");
  std::string shown = text;
  text[equals] = '\0';
  const char *first = text.data() + equals + 1;
  const char *last = text.data() + text.size();
  fovea_param param{text.c_str(), FOVEA_INT, 0, 0};
  auto integer = std::from_chars(first, last, param.int_value);
  if (integer.ec == std::errc() && integer.ptr == last)
    return param;
  param.kind = FOVEA_FLOAT;
  auto real = std::from_chars(first, last, param.float_value);
  if (real.ec == std::errc() && real.ptr == last &&
      std::isfinite(param.float_value))
    return param;
  return wrongInput("expected a 64-bit integer or an f32 in --param, found '" +
                    shown + "'");
}

Result<std::vector<fovea_param>>
fovea::tool::readParams(std::vector<std::string> &texts) {
  std::vector<fovea_param> params;
  for (std::string &text : texts) {
    Result<fovea_param> param = readParam(text);
    if (!param)
      return param.error();
    params.push_back(*param);
  }
  return params;
}
