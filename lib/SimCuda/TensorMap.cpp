// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensor maps for cp.async.bulk.tensor, in the simulator's own encoding: the
// hardware's is not documented.

#include "Driver.h"

#include <cstring>

using namespace fovea;
using namespace fovea::simcuda;

using sim::TensorElement;

/// By CUtensorMapDataType. The packed 4 and 6-bit types are sm_100's.
static constexpr TensorElement types[] = {
    TensorElement::U8,     TensorElement::U16,    TensorElement::U32,
    TensorElement::S32,    TensorElement::U64,    TensorElement::S64,
    TensorElement::F16,    TensorElement::F32,    TensorElement::F64,
    TensorElement::BF16,   TensorElement::F32Ftz, TensorElement::TF32,
    TensorElement::TF32Ftz};

/// What the simulator does not check: cuda.h's rules about null pointers and
/// enumerators. Alignment, strides and boxes are encodeTensorMap's.
static void checkArguments(const void *map, int type, uint32_t rank,
                           const uint64_t *dims, const uint64_t *strides,
                           const uint32_t *box, int interleave, int swizzle) {
  require(map && dims && box && (strides || rank == 1),
          "a map, sizes, strides and a box");
  require(rank >= 1 && rank <= 5, "a rank from 1 to 5");
  require(type >= 0 && type < static_cast<int>(std::size(types)),
          "a data type of sm_90", CUDA_ERROR_NOT_SUPPORTED);
  require(swizzle >= 0 && swizzle <= 3, "a swizzle of sm_90",
          CUDA_ERROR_NOT_SUPPORTED);
  require(interleave >= 0 && interleave <= 2, "an interleave that exists");
}

SIMCUDA_API CUresult cuTensorMapEncodeTiled(void *map, int type, uint32_t rank,
                                            void *address, const uint64_t *dims,
                                            const uint64_t *strides,
                                            const uint32_t *box,
                                            const uint32_t *elementStrides,
                                            int interleave, int swizzle,
                                            int /*l2Promotion*/, int oobFill) {
  return call(Needs::Init, [&](Driver &) {
    checkArguments(map, type, rank, dims, strides, box, interleave, swizzle);
    sim::TensorMapDesc desc;
    desc.address = toDevice(address);
    desc.rank = rank;
    desc.element = types[type];
    for (uint32_t i = 0; i < rank; ++i) {
      desc.dims[i] = dims[i];
      desc.box[i] = box[i];
      desc.elementStrides[i] = elementStrides ? elementStrides[i] : 1;
      if (i > 0)
        desc.strides[i] = strides[i - 1];
    }
    desc.swizzle = static_cast<uint32_t>(swizzle);
    desc.interleave = static_cast<uint32_t>(interleave);
    desc.oobNan = oobFill != 0;
    as(CUDA_ERROR_INVALID_VALUE, [&] { sim::encodeTensorMap(desc, map); });
  });
}

/// The map would have to be decoded to be checked anew.
SIMCUDA_API CUresult cuTensorMapReplaceAddress(void *, void *) {
  return remember(CUDA_ERROR_NOT_SUPPORTED,
                  "encode the map anew with cuTensorMapEncodeTiled");
}
// NOLINTNEXTLINE(readability-function-size): the API's parameters
SIMCUDA_API CUresult cuTensorMapEncodeIm2col(void *, int, uint32_t, void *,
                                             const uint64_t *, const uint64_t *,
                                             const int *, const int *, uint32_t,
                                             uint32_t, const uint32_t *, int,
                                             int, int, int) {
  return remember(CUDA_ERROR_NOT_SUPPORTED,
                  "the simulator has tiled tensor maps only");
}
