// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// next(t) as scf.while loops; the algorithm is in TileWalk.h.
#include "fovea/Dialect/Tile/TileWalk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace fovea::tile;

namespace {

struct TileClass {
  Value any, all, until;
};

/// Clones the walk region for key `at`.
TileClass cloneWalk(OpBuilder &b, KeysOp keys, Value at, IRMapping mapping) {
  Block &walk = keys.walkBlock();
  mapping.map(walk.getArgument(0), at);
  for (Operation &op : walk.without_terminator())
    b.clone(op, mapping);
  auto run = cast<RunOp>(walk.getTerminator());
  return {mapping.lookupOrDefault(run.getAny()),
          mapping.lookupOrDefault(run.getAll()),
          mapping.lookupOrDefault(run.getUntil())};
}

/// The class of all keys in [from, end): walks its runs.
TileClass emitTileClass(OpBuilder &b, Location loc, KeysOp keys, Value from,
                        Value end, const IRMapping &mapping) {
  Value no = arith::ConstantIntOp::create(b, loc, 0, 1);
  Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
  SmallVector<Type> types{b.getI32Type(), b.getI1Type(), b.getI1Type()};
  auto loop = scf::WhileOp::create(
      b, loc, types, ValueRange{from, no, yes},
      [&](OpBuilder &b, Location loc, ValueRange state) {
        TileClass run = cloneWalk(b, keys, state[0], mapping);
        Value any = b.createOrFold<arith::OrIOp>(loc, state[1], run.any);
        Value all = b.createOrFold<arith::AndIOp>(loc, state[2], run.all);
        Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                           run.until, end);
        scf::ConditionOp::create(b, loc, more, ValueRange{run.until, any, all});
      },
      [&](OpBuilder &b, Location loc, ValueRange state) {
        scf::YieldOp::create(b, loc, state);
      });
  return {loop.getResult(1), loop.getResult(2), loop.getResult(0)};
}

} // namespace

NextTile fovea::tile::emitNextTile(OpBuilder &builder, Location loc,
                                   KeysOp keys, Value from,
                                   const IRMapping &mapping) {
  int64_t size =
      cast<TileType>(keys.bodyBlock().getArgument(KeysOp::KeyTile).getType())
          .getRows();
  Value length = mapping.lookupOrDefault(keys.getLength());
  Value step = arith::ConstantIntOp::create(builder, loc, size, 32);
  auto less = [&](OpBuilder &b, Value x, Value y) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, x, y);
  };

  // State out of the loop: the tile found, and whether every pair in it is
  // kept.
  SmallVector<Type> results{builder.getI32Type(), builder.getI1Type(),
                            builder.getI32Type()};
  auto search = scf::WhileOp::create(
      builder, loc, results, ValueRange{from},
      [&](OpBuilder &b, Location loc, ValueRange state) {
        Value past = arith::AddIOp::create(b, loc, state[0], step);
        Value end = arith::MinSIOp::create(b, loc, past, length);
        TileClass tile = emitTileClass(b, loc, keys, state[0], end, mapping);
        Value yes = arith::ConstantIntOp::create(b, loc, 1, 1);
        Value none = b.createOrFold<arith::XOrIOp>(loc, tile.any, yes);
        Value again =
            arith::AndIOp::create(b, loc, none, less(b, state[0], length));
        scf::ConditionOp::create(b, loc, again,
                                 ValueRange{state[0], tile.all, tile.until});
      },
      [&](OpBuilder &b, Location loc, ValueRange state) {
        // Round down: the run may end inside a tile. At the end of the keys
        // that would step back, so never less than the next tile.
        Value rest = arith::RemUIOp::create(b, loc, state[2], step);
        Value down = arith::SubIOp::create(b, loc, state[2], rest);
        Value past = arith::AddIOp::create(b, loc, state[0], step);
        Value next = arith::MaxSIOp::create(b, loc, down, past);
        scf::YieldOp::create(b, loc, next);
      });
  // Same op order as the search's state: column, all, until.
  Value past = arith::AddIOp::create(builder, loc, search.getResult(0), step);
  Value yes = arith::ConstantIntOp::create(builder, loc, 1, 1);
  Value notAll = arith::XOrIOp::create(builder, loc, search.getResult(1), yes);
  Value masked =
      arith::OrIOp::create(builder, loc, notAll, less(builder, length, past));
  return {search.getResult(0), masked, search.getResult(2)};
}
