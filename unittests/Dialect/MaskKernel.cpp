// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From text to the regions of tile.keys, and questions to them.
#include "MaskKernel.h"

#include "fovea/Conversion/PatternToAttn.h"
#include "fovea/Dialect/Tile/TileWalk.h"
#include "fovea/Pattern/Parser.h"
#include "fovea/Pipelines/Pipelines.h"
#include "fovea/Pipelines/Registration.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace fovea;

static tile::KernelOp kernelOf(ModuleOp module) {
  return *module.getOps<tile::KernelOp>().begin();
}
static tile::KeysOp keysOf(ModuleOp module) {
  return *kernelOf(module).getBody().front().getOps<tile::KeysOp>().begin();
}
static tile::OnlineSoftmaxOp softmaxOf(ModuleOp module) {
  return *keysOf(module).bodyBlock().getOps<tile::OnlineSoftmaxOp>().begin();
}

/// One context for all: loading the dialects takes longer than a mask.
static MLIRContext &sharedContext() {
  static MLIRContext *context = [] {
    auto *made = new MLIRContext(MLIRContext::Threading::DISABLED);
    DialectRegistry registry;
    registerAllDialects(registry);
    made->appendDialectRegistry(registry);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

MaskKernel::MaskKernel(const std::string &statements, int64_t rows,
                       int64_t keys, const std::vector<int64_t> &values)
    : rows(rows), keys(keys), context(sharedContext()) {
  pattern::ParseResult parsed = pattern::parsePattern(
      "pattern t { heads q = 4, kv = 2 dim 8 type f32\n" + statements + " }",
      "test");
  if (!parsed)
    llvm::report_fatal_error(
        llvm::Twine(statements + ": " + parsed.diagnostics[0].message));
  pattern = std::move(*parsed.pattern);
  for (int64_t value : values)
    params.push_back({value, 0});

  module = importPattern(context, pattern, "test");
  PassManager passes(&context);
  addAttnPasses(passes);
  Schedule schedule;
  schedule.rows = rows;
  schedule.keys = keys;
  schedule.stages = schedule.warps = 1;
  addTilePasses(passes, schedule);
  if (failed(passes.run(*module)))
    llvm::report_fatal_error("the pipeline failed");

  // next(from), with `from` as one more argument of the kernel.
  Block &body = kernelOf(*module).getBody().front();
  tile::KeysOp loop = keysOf(*module);
  from = body.addArgument(IntegerType::get(&context, 32), loop.getLoc());
  OpBuilder builder(&context);
  builder.setInsertionPointAfter(loop);
  IRMapping nothing;
  tile::NextTile found =
      tile::emitNextTile(builder, loop.getLoc(), loop, from, nothing);
  column = found.column;
  masked = found.masked;

  prologue = interpreter.translate(body.begin(), loop->getIterator());
  search = interpreter.translate(std::next(loop->getIterator()), body.end());
  Block &runs = loop.walkBlock();
  walk = interpreter.translate(runs.begin(), runs.end());
  Block &keep = softmaxOf(*module).getKeep().front();
  predicate = interpreter.translate(keep.begin(), keep.end());
}

void MaskKernel::enter(Lengths lengths, int64_t row, int64_t head) {
  tile::KernelOp kernel = kernelOf(*module);
  auto set = [&](unsigned argument, int64_t value) {
    interpreter.set(kernel.argument(argument), value);
  };
  set(tile::KernelOp::Batch, 0);
  set(tile::KernelOp::Head, head);
  set(tile::KernelOp::KVHead, head / 2);
  set(tile::KernelOp::Row, row);
  set(tile::KernelOp::NumQueries, lengths.queries);
  set(tile::KernelOp::NumKeys, lengths.keys);
  for (auto [i, param] : llvm::enumerate(params))
    set(tile::KernelOp::FirstParam + i, param.integer);
  interpreter.run(*prologue);

  lastRow = std::min(row + rows, lengths.queries) - 1;
  environment.params = params.data();
  environment.q =
      pattern.align == pattern::Align::End ? lengths.keys - lengths.queries : 0;
  environment.h = head;
  environment.g = head / 2;
  environment.nq = lengths.queries;
  environment.nk = lengths.keys;
  environment.queryHeads = 4;
  environment.draws = &draws;
}

MaskKernel::Run MaskKernel::runAt(int64_t key) {
  Block &block = keysOf(*module).walkBlock();
  interpreter.set(block.getArgument(0), key);
  interpreter.run(*walk);
  auto run = cast<tile::RunOp>(block.getTerminator());
  return {interpreter.get(run.getAny()) != 0,
          interpreter.get(run.getAll()) != 0, interpreter.get(run.getUntil())};
}

MaskKernel::Next MaskKernel::next(int64_t start) {
  interpreter.set(from, start);
  interpreter.run(*search);
  return {interpreter.get(column), interpreter.get(masked) != 0};
}

bool MaskKernel::keeps(int64_t i, int64_t j) {
  Block &block = softmaxOf(*module).getKeep().front();
  interpreter.set(block.getArgument(0), position(i));
  interpreter.set(block.getArgument(1), j);
  interpreter.run(*predicate);
  return interpreter.get(block.getTerminator()->getOperand(0)) != 0;
}

bool MaskKernel::expected(int64_t i, int64_t j) {
  pattern::Environment at = environment;
  at.q = position(i);
  at.k = j;
  return !pattern.mask || pattern::keeps(*pattern.mask, at);
}
