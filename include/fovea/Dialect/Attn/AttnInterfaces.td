// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two questions every mask answers (MaskContext.h has the algebra).
#ifndef FOVEA_DIALECT_ATTN_ATTNINTERFACES_TD
#define FOVEA_DIALECT_ATTN_ATTNINTERFACES_TD

include "mlir/IR/Interfaces.td"

def MaskOpInterface : OpInterface<"MaskOpInterface"> {
  let cppNamespace = "::fovea::attn";
  let description = [{
    The two questions every mask answers. Both build upstream arithmetic at the
    builder's insertion point; masks among the operands have been asked before, and
    their answers are handed in, in operand order.
  }];
  let methods = [
    InterfaceMethod<[{
        Builds the predicate of one pair (i1): does query `at.query` keep key `at.key`?
      }], "::mlir::Value", "keeps",
      (ins "::fovea::attn::Emit &":$emit, "const ::fovea::attn::ElementContext &":$at,
           "::mlir::ValueRange":$masks)>,
    InterfaceMethod<[{
        Builds the class of the run of keys that begins at `tile.key`, for the queries
        from `tile.firstQuery` to `tile.lastQuery`: is any pair kept, are all, and until
        which key does that answer hold for every key? `any` may err toward true and
        `all` toward false; `until` is greater than the key.
      }], "::fovea::attn::Run", "classify",
      (ins "::fovea::attn::Emit &":$emit, "const ::fovea::attn::TileContext &":$tile,
           "::llvm::ArrayRef<::fovea::attn::Run>":$masks)>
  ];
}

#endif
