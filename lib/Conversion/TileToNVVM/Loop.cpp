// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// tile.keys: the loop over key tiles, with copies in flight.
//
// With n stages the copies of the next n - 1 tiles run while one is computed:
//
//   start copies of tiles 0 .. n - 2 (and of Q before)
//   while the current tile exists:
//     wait until its copy is complete; barrier
//     (all warps are done with the tile before: its stage is free)
//     find the tile after the last pending one
//     compute the current tile; after its product of Q and K start that copy
//
// The copy waits for the product because both go through the same queue: a
// burst of copies ahead of the product's ldmatrix holds every warp up, while
// the softmax leaves the queue alone (docs/hardware.md).
//
// The columns of the pending tiles are loop state, and so is `until`: up to
// there no mask is needed, so the tile after the last needs one comparison, and
// the walk over the mask's runs only happens at the end of such a stretch.
//
// The row sum is kept in parts, one a lane, if everything done with it in the
// loop is linear; the four lanes of a row add up once, at the store.
#include "Emitter.h"

#include "fovea/Dialect/Tile/TileWalk.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

/// Whether all that becomes of `value`, a row vector of the loop's body,
/// commutes with adding up parts: products with a factor, row sums on top, and
/// the state itself.
static bool isLinear(Value value, tile::KeysOp keys, unsigned state) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto sum = dyn_cast<tile::RowSumOp>(user)) {
      if (sum.getInit() != value || !isLinear(sum.getResult(), keys, state))
        return false;
    } else if (auto map = dyn_cast<tile::MapOp>(user)) {
      Block &body = map.getBody().front();
      auto mul =
          body.getTerminator()->getOperand(0).getDefiningOp<arith::MulFOp>();
      if (!mul || llvm::range_size(body.without_terminator()) != 1 ||
          llvm::count(map.getInputs(), value) != 1 ||
          mul.getLhs() == mul.getRhs() ||
          !isLinear(map.getResult(), keys, state))
        return false;
    } else if (auto yield = dyn_cast<scf::YieldOp>(user)) {
      if (!isLinear(yield->getParentOp()->getResult(use.getOperandNumber()),
                    keys, state))
        return false;
    } else if (!isa<tile::YieldOp>(user) || use.getOperandNumber() != state ||
               user->getParentOp() != keys) {
      return false;
    }
  }
  return true;
}

/// With a value dimension of one the output has the type of a row vector, and
/// its initial value may be the same as the sum's. What it becomes tells them
/// apart.
static bool isOutput(Value result) {
  return llvm::any_of(result.getUsers(), [&](Operation *user) {
    auto store = dyn_cast<tile::StoreResultOp>(user);
    return store && store.getOutput() == result;
  });
}

/// The initial fragment of state `i`, in the layout that the loop keeps it in.
Fragment Emitter::initialState(tile::KeysOp op, unsigned i) {
  Fragment fragment = tiles[op.getInit()[i]];
  if (fragment.kind != Fragment::Vector)
    return fragment;
  if (isOutput(op.getResult(i))) {
    Fragment output =
        matrix(plan.vPadded / 4,
               plan.usesTensorCores() ? Columns::Pairs : Columns::Quads);
    for (int64_t j = 0, e = output.values.size(); j < e; ++j)
      output.values[j] = fragment.values[j / output.cols];
    return output;
  }
  if (partialSums.contains(
          op.bodyBlock().getArgument(tile::KeysOp::FirstState + i))) {
    fragment.partial = true;
    for (Value &value : fragment.values)
      value = select(equals(inGroup, 0), value, f32(0));
  }
  return fragment;
}

void Emitter::findPartialSums(tile::KeysOp op) {
  for (unsigned i = 0; i < op.getNumResults(); ++i) {
    bool onlySum = llvm::all_of(op.getResult(i).getUses(), [&](OpOperand &use) {
      auto store = dyn_cast<tile::StoreResultOp>(use.getOwner());
      return store && store.getSum() == use.get() &&
             store.getMax() != use.get();
    });
    Value argument = op.bodyBlock().getArgument(tile::KeysOp::FirstState + i);
    if (onlySum && tiles[op.getInit()[i]].kind == Fragment::Vector &&
        isLinear(argument, op, i))
      partialSums.insert(argument);
  }
}

SmallVector<Value> Emitter::flatten(ArrayRef<Fragment> fragments) {
  SmallVector<Value> values;
  for (const Fragment &fragment : fragments)
    if (fragment.kind != Fragment::Shared)
      values.append(fragment.values);
  return values;
}

/// Fragments of the same shapes that hold `values`, consumed in order.
SmallVector<Fragment> Emitter::like(ArrayRef<Fragment> fragments,
                                    ValueRange values) {
  SmallVector<Fragment> result(fragments);
  for (Fragment &fragment : result) {
    if (fragment.kind == Fragment::Shared)
      continue;
    fragment.values.assign(values.begin(),
                           values.begin() + fragment.values.size());
    values = values.drop_front(fragment.values.size());
  }
  return result;
}

/// The first tile at or after `from`, and up to where none needs a mask.
std::pair<Emitter::KeyTile, Value> Emitter::nextTile(tile::KeysOp op,
                                                     Value from, Value until) {
  Value past = add(from, plan.schedule.keys);
  Value simple =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sle, past, until);
  SmallVector<Type> types{b.getI32Type(), b.getI1Type(), b.getI32Type()};
  auto branch = scf::IfOp::create(b, loc, types, simple, true, true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value no = arith::ConstantIntOp::create(b, loc, 0, 1);
  scf::YieldOp::create(b, loc, ValueRange{from, no, until});
  b.setInsertionPointToStart(branch.elseBlock());
  tile::NextTile next = tile::emitNextTile(b, loc, op, from, scalars);
  Value end =
      arith::MinSIOp::create(b, loc, next.until, lookup(op.getLength()));
  Value clear = select(next.masked, i32(0), end);
  scf::YieldOp::create(b, loc, ValueRange{next.column, next.masked, clear});
  return {{branch.getResult(0), branch.getResult(1)}, branch.getResult(2)};
}

/// Starts the copies of K and V of a tile, if it exists, to the stage at
/// `stage`.
void Emitter::copyKeys(tile::KeysOp op, const KeyTile &next, Value stage) {
  Value length = lookup(op.getLength());
  auto copy = [&](bool checked) {
    copyTile(views[op.getKeys()], next.column, length, plan.key, stage,
             checked);
    copyTile(views[op.getValues()], next.column, length, plan.value,
             add(stage, plan.valueOffset()), checked);
  };
  onlyIf(less(next.column, length), [&] {
    if (general) // always checked
      return copy(true);
    // Only a masked tile can pass the end of the keys.
    auto branch =
        scf::IfOp::create(b, loc, next.masked, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    copy(true);
    b.setInsertionPointToStart(branch.elseBlock());
    copy(false);
  });
  commitCopies();
}

/// The body on one tile; `state` is the loop's state before and after.
LogicalResult Emitter::emitIteration(tile::KeysOp op, const KeyTile &tile,
                                     Value stage,
                                     SmallVectorImpl<Fragment> &state) {
  Block &body = op.bodyBlock();
  scalars.map(body.getArgument(tile::KeysOp::Column), tile.column);
  scalars.map(body.getArgument(tile::KeysOp::Masked), tile.masked);
  Fragment key, value;
  key.kind = value.kind = Fragment::Shared;
  key.tile = plan.key;
  key.values = {stage};
  value.tile = plan.value;
  value.values = {add(stage, plan.valueOffset())};
  tiles[body.getArgument(tile::KeysOp::KeyTile)] = key;
  tiles[body.getArgument(tile::KeysOp::ValueTile)] = value;
  for (auto [i, fragment] : llvm::enumerate(state))
    tiles[body.getArgument(tile::KeysOp::FirstState + i)] = fragment;
  if (failed(emitBlock(body)))
    return failure();
  for (auto [i, yielded] :
       llvm::enumerate(body.getTerminator()->getOperands())) {
    Fragment &next = tiles[yielded];
    if (next.values.size() != state[i].values.size() ||
        next.partial != state[i].partial)
      return op.emitOpError(
          "expected the loop's state to keep its layout on this target");
    state[i] = next;
  }
  return success();
}

LogicalResult Emitter::emitKeys(tile::KeysOp op) {
  int64_t stages = plan.schedule.stages,
          pending = std::max<int64_t>(stages - 1, 1);
  Value length = lookup(op.getLength());
  findPartialSums(op);
  SmallVector<Fragment> state;
  for (unsigned i = 0; i < op.getInit().size(); ++i)
    state.push_back(initialState(op, i));

  // Copies of the first tiles; Q's are in the same group as the first.
  onlyIf(equals(tid, 0), [&] { clearWords(); });
  SmallVector<Value> init;
  Value until = i32(0);
  KeyTile last;
  for (int64_t i = 0; i < pending; ++i) {
    Value from = i == 0 ? i32(0) : add(last.column, plan.schedule.keys);
    std::tie(last, until) = nextTile(op, from, until);
    if (stages > 1)
      copyKeys(op, last, i32(i * plan.stageBytes()));
    init.append({last.column, last.masked});
  }
  if (stages == 1)
    commitCopies();
  if (plan.queryInRegisters) { // else the loop's first barrier is enough
    waitForCopies(pending - 1);
    barrier();
  }
  loadQueries();
  size_t head = init.size() + 2;
  init.append({until, i32(0)}); // and the current stage's offset
  init.append(flatten(state));

  auto loop = scf::WhileOp::create(b, loc, ValueRange(init).getTypes(), init);
  SmallVector<Location> locations(init.size(), loc);
  SmallVector<Type> types(ValueRange(init).getTypes());
  Block *before = b.createBlock(&loop.getBefore(), {}, types, locations);
  scf::ConditionOp::create(b, loc, less(before->getArgument(0), length),
                           before->getArguments());
  Block *after = b.createBlock(&loop.getAfter(), {}, types, locations);
  SmallVector<Value> next;
  state = like(state, ValueRange(after->getArguments()).drop_front(head));
  if (failed(emitLoopBody(op, after->getArguments().take_front(head), state,
                          next)))
    return failure();
  next.append(flatten(state));
  scf::YieldOp::create(b, loc, next);
  b.setInsertionPointAfter(loop);
  placeThreadAgain();
  state = like(state, ValueRange(loop.getResults()).drop_front(head));
  for (auto [result, fragment] : llvm::zip_equal(op.getResults(), state))
    tiles[result] = fragment;
  if (!plan.queryInRegisters) // no tile: Q may still come in where O is staged
    waitForCopies(0);
  return success();
}

void Emitter::runAfterScores() {
  if (auto action = std::exchange(afterScores, nullptr))
    action();
}

/// One turn: `scalarsIn` are (column, masked) of the pending tiles, until,
/// stage; `next` receives the same for the next turn.
LogicalResult Emitter::emitLoopBody(tile::KeysOp op, ValueRange in,
                                    SmallVectorImpl<Fragment> &state,
                                    SmallVectorImpl<Value> &next) {
  int64_t stages = plan.schedule.stages,
          pending = std::max<int64_t>(stages - 1, 1);
  int64_t ring = stages * plan.stageBytes();
  KeyTile current{in[0], in[1]}, last{in[2 * pending - 2], in[2 * pending - 1]};
  Value until = in[2 * pending], stage = in[2 * pending + 1];
  auto advance = [&](Value offset, int64_t by) -> Value { // modulo the ring
    if (by == 0 || stages == 1)
      return offset;
    Value moved = add(offset, by), wrapped = add(offset, by - ring);
    return select(less(moved, i32(ring)), moved, wrapped);
  };
  placeThreadAgain();
  KeyTile following;
  if (stages == 1) {
    barrier();
    copyKeys(op, current, stage);
    waitForCopies(0);
    barrier();
    std::tie(following, until) =
        nextTile(op, add(last.column, plan.schedule.keys), until);
  } else {
    waitForCopies(stages - 2);
    barrier();
    std::tie(following, until) =
        nextTile(op, add(last.column, plan.schedule.keys), until);
    afterScores = [&, following] {
      copyKeys(op, following, advance(stage, (stages - 1) * plan.stageBytes()));
    };
  }
  if (failed(emitIteration(op, current, stage, state)))
    return failure();
  runAfterScores(); // if there was no product of queries and keys
  next.append(in.begin() + 2, in.begin() + 2 * pending);
  next.append({following.column, following.masked, until,
               advance(stage, plan.stageBytes())});
  return success();
}
