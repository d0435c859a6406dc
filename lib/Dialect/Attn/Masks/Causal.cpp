// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// causal: k <= q, the band with right = 0.
#include "fovea/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;

Value CausalOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emit.le(at.key, at.query);
}

Run CausalOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  return classifyBand(emit, tile, Value(), emit.i32(0));
}
