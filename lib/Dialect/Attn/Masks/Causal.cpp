// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// causal: k <= q. The keys of query q are [.., q + 1).
#include "fovea/Dialect/Attn/Attn.h"

using namespace mlir;
using namespace fovea::attn;

Value CausalOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  return emit.le(at.key, at.query);
}

Run CausalOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Interval interval;
  interval.hiFirst = emit.add(tile.uniforms.firstQuery, 1);
  interval.hiLast = emit.add(tile.uniforms.lastQuery, 1);
  return classifyInterval(emit, tile.key, interval);
}
