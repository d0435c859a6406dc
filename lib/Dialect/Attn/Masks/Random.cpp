// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// random(n, block = B, seed = S): k's block is one of n drawn for (head, r), r
// being the query's block, among M blocks.
//
// Floyd's method draws, for t = 0 .. n-1 and top_t = M - n + t, a number x_t in
// [0, top_t], and adds x_t to the set, or top_t if x_t is in it already. Asking
// whether c is in the set needs neither the set nor a table. Scan the draws
// backwards:
//   x_t == c    -> yes: either x_t was added, or it was there before;
//   top_t == c  -> c was added exactly if x_t was there before: go on with
//                  c = x_t (earlier tops are smaller, so c was not added
//                  there);
//   otherwise   -> go on.
// Every element is some x_t or some top_t, so the starts of these blocks, and
// the end of a drawn block, are the only places where the class of a run can
// change.
//
// The draws of a query tile's blocks are the same for all its rows and keys. If
// they are few and known at compile time they are drawn once, before the walk;
// otherwise loops draw them where they are needed.
#include "fovea/Dialect/Attn/Attn.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace fovea::attn;

namespace {

/// Draws kept in values across a tile, at most.
constexpr int64_t maxHoistedDraws = 16;

/// What is known of one query block r.
struct QueryBlock {
  Value numBlocks; ///< M, i64
  Value drawsAll;  ///< i1: n >= M, every block is kept.
  Value firstTop;  ///< M - n, i64
  Value hash;      ///< mix(mix(S + h) + r), i64
};

/// Emits the parts of the draw for one random op.
class Draw {
public:
  Draw(RandomOp op, Emit &emit, Uniforms &uniforms)
      : op(op), emit(emit), uniforms(uniforms),
        block(std::min<int64_t>(op.getBlock(), endOfKeys)),
        count(emit.max(uniforms.integer(op.getCount()), emit.i64(0))) {}

  Value blockOf(Value position) { return emit.floorDiv(position, block); }
  /// First key of a block (i32), or the end of all keys.
  Value startOf(Value blockIndex) {
    Value last = emit.i32(endOfKeys / block);
    return emit.mul(emit.min(blockIndex, last), emit.i32(block));
  }

  /// M for query block r, i64.
  Value numBlocks(Value r) {
    if (op.getCausal())
      return emit.toI64(emit.max(emit.add(r, 1), emit.i32(0)));
    Value up =
        emit.add(uniforms.numKeys, block - 1 < endOfKeys ? block - 1 : 0);
    return emit.toI64(emit.floorDiv(up, block));
  }

  QueryBlock queryBlock(Value r) {
    Value blocks = numBlocks(r);
    Value seed = uniforms.integer(op.getSeed());
    if (op.getPer() != Per::None)
      seed =
          emit.add(seed, emit.toI64(op.getPer() == Per::H ? uniforms.head
                                                          : uniforms.kvHead));
    return {blocks, emit.le(blocks, count), emit.sub(blocks, count),
            emit.mix(emit.add(emit.mix(seed), emit.toI64(r)))};
  }

  /// Draws to look at, the same for all rows of the tile so that loops over
  /// them are uniform: n, or M of the last row where that is less (then a block
  /// that draws n of more than n blocks does not exist).
  Value trips() {
    return uniforms.once(op, [&](Emit &outside) {
      Draw draw(op, outside, uniforms);
      Value most = draw.numBlocks(draw.blockOf(uniforms.lastQuery));
      return SmallVector<Value>{outside.min(draw.count, most)};
    })[0];
  }

  Value top(const QueryBlock &q, Value t) {
    return emit.toI32(emit.add(q.firstTop, t));
  }
  Value drawn(const QueryBlock &q, Value t) {
    Value hash = emit.mix(emit.add(q.hash, t));
    Value range = emit.add(emit.add(q.firstTop, t), 1);
    return emit.toI32(emit.mulHigh(hash, range));
  }

  RandomOp op;
  Emit &emit;
  Uniforms &uniforms;
  int64_t block;
  Value count; ///< n, i64, not negative
};

/// How many query blocks the rows of a tile can touch.
int64_t touchedBlocks(int64_t rows, int64_t block) {
  return block >= rows ? (rows > 1 ? 2 : 1) : (rows - 2 + block) / block + 1;
}

/// The number of draws to hoist, or 0 to draw in loops.
int64_t hoistedCount(RandomOp op, Uniforms &uniforms) {
  APInt count;
  if (!matchPattern(op.getCount(), m_ConstantInt(&count)))
    return 0;
  int64_t n = count.getSExtValue();
  int64_t total = n * touchedBlocks(uniforms.rows, op.getBlock());
  return n >= 1 && n <= maxHoistedDraws && total <= maxHoistedDraws ? n : 0;
}

//===----------------------------------------------------------------------===//
// Draws hoisted out of the walk
//===----------------------------------------------------------------------===//

/// Per touched query block: r (i32), drawsAll (i1), M (i32), then (x, top) a
/// draw.
struct HoistedBlock {
  Value index, drawsAll, numBlocks;
  SmallVector<std::pair<Value, Value>> draws;
};

SmallVector<HoistedBlock> hoistDraws(RandomOp op, Uniforms &uniforms,
                                     int64_t n) {
  int64_t touched = touchedBlocks(uniforms.rows, op.getBlock());
  ArrayRef<Value> values = uniforms.once(op, [&](Emit &emit) {
    SmallVector<Value> values;
    Draw draw(op, emit, uniforms);
    Value first = draw.blockOf(uniforms.firstQuery);
    Value last = draw.blockOf(uniforms.lastQuery);
    for (int64_t i = 0; i < touched; ++i) {
      Value r = emit.min(emit.add(first, i), last);
      QueryBlock block = draw.queryBlock(r);
      values.append({r, block.drawsAll, emit.toI32(block.numBlocks)});
      for (int64_t t = 0; t < n; ++t)
        values.append(
            {draw.drawn(block, emit.i64(t)), draw.top(block, emit.i64(t))});
    }
    return values;
  });
  SmallVector<HoistedBlock> blocks;
  for (int64_t i = 0; i < touched; ++i) {
    ArrayRef<Value> mine = values.slice(i * (3 + 2 * n), 3 + 2 * n);
    HoistedBlock block{mine[0], mine[1], mine[2], {}};
    for (int64_t t = 0; t < n; ++t)
      block.draws.push_back({mine[3 + 2 * t], mine[4 + 2 * t]});
    blocks.push_back(std::move(block));
  }
  return blocks;
}

/// Is block `c` among the draws of `block`? The backward scan.
Value contains(Emit &emit, const HoistedBlock &block, Value c) {
  Value found = emit.i1(false), wanted = c;
  for (auto [x, top] : llvm::reverse(block.draws)) {
    found = emit.ori(found, emit.eq(wanted, x));
    wanted = emit.select(emit.eq(wanted, top), x, wanted);
  }
  return emit.select(block.drawsAll, emit.lt(c, block.numBlocks), found);
}

//===----------------------------------------------------------------------===//
// Draws in loops
//===----------------------------------------------------------------------===//

/// The backward scan as a loop over t.
Value containsLoop(Draw &draw, const QueryBlock &q, Value c) {
  Emit &emit = draw.emit;
  OpBuilder &b = emit.builder;
  Value zero = emit.i64(0), one = emit.i64(1);
  Value trips = draw.trips();
  auto loop = scf::ForOp::create(
      b, emit.loc, zero, trips, one, ValueRange{emit.i1(false), c},
      [&](OpBuilder &b, Location loc, Value i, ValueRange state) {
        Emit inner(b, loc);
        Draw body(draw.op, inner, draw.uniforms);
        Value t = inner.sub(inner.add(trips, -1), i);
        Value x = body.drawn(q, t);
        Value found = inner.ori(state[0], inner.eq(state[1], x));
        Value wanted =
            inner.select(inner.eq(state[1], body.top(q, t)), x, state[1]);
        scf::YieldOp::create(b, loc, ValueRange{found, wanted});
      });
  return emit.select(q.drawsAll, emit.lt(c, emit.toI32(q.numBlocks)),
                     loop.getResult(0));
}

/// The first block start after `key` at which membership may change.
Value nextDrawLoop(Draw &draw, const QueryBlock &q, Value key) {
  Emit &emit = draw.emit;
  OpBuilder &b = emit.builder;
  Value zero = emit.i64(0), one = emit.i64(1);
  Value trips = draw.trips();
  Value start = nextBoundary(emit, key, draw.startOf(emit.toI32(q.numBlocks)));
  auto loop = scf::ForOp::create(
      b, emit.loc, zero, trips, one, ValueRange{start},
      [&](OpBuilder &b, Location loc, Value t, ValueRange state) {
        Emit inner(b, loc);
        Draw body(draw.op, inner, draw.uniforms);
        Value next = nextBoundary(
            inner, key,
            {body.startOf(body.drawn(q, t)), body.startOf(body.top(q, t))});
        scf::YieldOp::create(b, loc, inner.min(state[0], next));
      });
  return loop.getResult(0);
}

} // namespace

Value RandomOp::keeps(Emit &emit, const ElementContext &at, ValueRange) {
  Draw draw(*this, emit, at.uniforms);
  Value r = draw.blockOf(at.query), c = draw.blockOf(at.key);
  int64_t n = hoistedCount(*this, at.uniforms);
  if (!n)
    return containsLoop(draw, draw.queryBlock(r), c);
  // Pick the row's block out of those of the tile: all of this depends on the
  // query alone, until the scan.
  SmallVector<HoistedBlock> blocks = hoistDraws(*this, at.uniforms, n);
  HoistedBlock mine = blocks.front();
  for (HoistedBlock &other : llvm::drop_begin(blocks)) {
    Value here = emit.eq(r, other.index);
    mine.drawsAll = emit.select(here, other.drawsAll, mine.drawsAll);
    mine.numBlocks = emit.select(here, other.numBlocks, mine.numBlocks);
    for (auto [draw, with] : llvm::zip_equal(mine.draws, other.draws))
      draw = {emit.select(here, with.first, draw.first),
              emit.select(here, with.second, draw.second)};
  }
  return contains(emit, mine, c);
}

Run RandomOp::classify(Emit &emit, const TileContext &tile, ArrayRef<Run>) {
  Uniforms &uniforms = tile.uniforms;
  Draw draw(*this, emit, uniforms);
  Value c = draw.blockOf(tile.key);
  Value blockEnd = draw.startOf(emit.add(c, 1));
  int64_t n = hoistedCount(*this, uniforms);
  if (n) {
    Value any = emit.i1(false), all = emit.i1(true);
    SmallVector<Value> boundaries;
    for (HoistedBlock &block : hoistDraws(*this, uniforms, n)) {
      Value in = contains(emit, block, c);
      any = emit.ori(any, in);
      all = emit.andi(all, in);
      boundaries.push_back(draw.startOf(block.numBlocks));
      for (auto [x, top] : block.draws)
        boundaries.append({draw.startOf(emit.max(x, emit.i32(0))),
                           draw.startOf(emit.max(top, emit.i32(0)))});
    }
    Value next = nextBoundary(emit, tile.key, boundaries);
    return {any, all, emit.select(any, emit.min(next, blockEnd), next)};
  }

  Value first = draw.blockOf(uniforms.firstQuery);
  Value last = draw.blockOf(uniforms.lastQuery);
  OpBuilder &b = emit.builder;
  auto loop = scf::ForOp::create(
      b, emit.loc, first, emit.add(last, 1), emit.i32(1),
      ValueRange{emit.i1(false), emit.i1(true), emit.i32(endOfKeys)},
      [&](OpBuilder &b, Location loc, Value r, ValueRange state) {
        Emit inner(b, loc);
        Draw body(*this, inner, uniforms);
        QueryBlock block = body.queryBlock(r);
        Value in = containsLoop(body, block, c);
        Value next = nextDrawLoop(body, block, tile.key);
        scf::YieldOp::create(b, loc,
                             ValueRange{inner.ori(state[0], in),
                                        inner.andi(state[1], in),
                                        inner.min(state[2], next)});
      });
  Value any = loop.getResult(0), next = loop.getResult(2);
  return {any, loop.getResult(1),
          emit.select(any, emit.min(next, blockEnd), next)};
}

LogicalResult RandomOp::verify() {
  int64_t block = getBlock(); // the accessor gives an unsigned word
  if (block < 1)
    return emitOpError("expected a block of at least 1, but got ") << block;
  APInt count;
  if (matchPattern(getCount(), m_ConstantInt(&count)) && count.isNegative())
    return emitOpError("expected a count of at least 0, but got ")
           << count.getSExtValue();
  return success();
}
