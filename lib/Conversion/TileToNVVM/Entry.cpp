// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel's function: parameters in the order of the kernel contract
// (docs/bundle.md), the lane's coordinates, and the views of this work item.
#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace fovea;
using namespace fovea::ptx;

/// Parameters of the function, before the pattern's own.
enum Parameter {
  Pointers = 0,
  Strides = 5,
  NumQueries = 17,
  NumKeys = 18,
  FirstParam = 19
};

static constexpr unsigned globalSpace = 1, sharedSpace = 3;
static constexpr StringRef sharedName = "fovea_shared";

/// `.extern .shared` memory, one symbol for all kernels of a module.
static LLVM::GlobalOp getSharedMemory(ModuleOp module, Location loc) {
  if (auto global = module.lookupSymbol<LLVM::GlobalOp>(sharedName))
    return global;
  OpBuilder b(module.getBodyRegion());
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  return LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/false,
                                LLVM::Linkage::External, sharedName,
                                Attribute(),
                                /*alignment=*/128, sharedSpace);
}

/// Operations of the kernel's regions: walk, scores and mask.
static int64_t regionOperations(tile::KernelOp kernel) {
  int64_t count = 0;
  kernel.getBody().walk([&](Operation *op) {
    count += !isa<tile::TileDialect>(op->getDialect()) &&
             op->getParentOp() != kernel;
  });
  return count;
}

/// Left alone, ptxas aims at 128 registers for 256 threads (two blocks an SM),
/// and rather spills than exceeds them. That suits small tiles with plain masks
/// only.
static bool wantsOccupancy(tile::KernelOp kernel, const KernelPlan &plan) {
  return plan.usesTensorCores() && plan.tileRegisters() <= 80 &&
         llvm::isPowerOf2_64(plan.key.chunks) &&
         llvm::isPowerOf2_64(plan.value.chunks) &&
         regionOperations(kernel) <= 60;
}

LLVM::LLVMFuncOp Emitter::createFunction(StringRef name) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext(), globalSpace);
  SmallVector<Type> types(Strides, pointer);
  types.append(FirstParam - Strides, b.getI64Type());
  Block &body = kernel.getBody().front();
  for (unsigned i = tile::KernelOp::FirstParam; i < body.getNumArguments(); ++i)
    types.push_back(body.getArgument(i).getType());
  auto type = LLVM::LLVMFunctionType::get(
      LLVM::LLVMVoidType::get(b.getContext()), types);
  auto function = LLVM::LLVMFuncOp::create(b, loc, name, type);
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                    b.getDenseI32ArrayAttr({int32_t(plan.threads()), 1, 1}));
  for (unsigned i = 0; i < Strides; ++i) {
    int64_t alignment = i == tile::KernelOp::LSE ? 4
                        : general                ? plan.elementBytes
                                                 : 16;
    function.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                        b.getI64IntegerAttr(alignment));
  }
  if (general || !wantsOccupancy(kernel, plan))
    function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                      b.getI32IntegerAttr(1));
  // What a launch needs beside the contract; read by lib/Target/PTX.
  function->setAttr("tile.shared_bytes", b.getI64IntegerAttr(plan.sharedBytes));
  function->setAttr("tile.threads", b.getI64IntegerAttr(plan.threads()));
  function->setAttr("tile.rows", b.getI64IntegerAttr(plan.schedule.rows));
  if (plan.elementBytes == 2) // convert-math-to-ptx may be less accurate
    function->setAttr("tile.half", b.getUnitAttr());
  if (general)
    function->setAttr("tile.general", b.getUnitAttr());
  return function;
}

/// The view whose pointer is parameter `pointer` (Q, K, V, O), at batch and
/// `index`.
View Emitter::viewOf(Block &entry, unsigned pointer, Value index,
                     Type element) {
  auto stride = [&](unsigned dim) {
    return entry.getArgument(Strides + 3 * pointer + dim);
  };
  Value offset =
      add(mul(extend(batch), stride(0)), mul(extend(index), stride(1)));
  Value base = LLVM::GEPOp::create(b, loc, entry.getArgument(pointer).getType(),
                                   element, entry.getArgument(pointer),
                                   ArrayRef<LLVM::GEPArg>{offset});
  Value bytes = mul(stride(2), i64(plan.elementBytes));
  auto type = cast<tile::ViewType>(kernel.argument(pointer).getType());
  return {base, bytes, type.getCols()};
}

/// Lane, warp and rows of the thread `threadId`.
void Emitter::placeThread(Value threadId) {
  tid = threadId;
  lane = arith::AndIOp::create(b, loc, tid, i32(31));
  warp = arith::ShRUIOp::create(b, loc, tid, i32(5));
  group = arith::ShRUIOp::create(b, loc, lane, i32(2));
  inGroup = arith::AndIOp::create(b, loc, lane, i32(3));
  warpRow = mul(warp, 16 * plan.rowBlocks());
  laneRow = add(warpRow, group);
}

/// The read has side effects for LLVM, which so neither moves it nor merges it
/// with another.
void Emitter::placeThreadAgain() {
  auto read = LLVM::InlineAsmOp::create(
      b, loc, b.getI32Type(), ValueRange(), "mov.u32 $0, %tid.x;", "=r",
      /*has_side_effects=*/true, /*is_align_stack=*/false,
      LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
  placeThread(read.getResult(0));
}

void Emitter::bindArguments(Block &entry) {
  Type i32Type = b.getI32Type();
  using Kernel = tile::KernelOp;
  placeThread(NVVM::ThreadIdXOp::create(b, loc, i32Type));

  // Blocks start in order of x. Late queries tend to see the most keys: first
  // come the long ones, so that no long one is left over at the end.
  Value blocks = NVVM::GridDimXOp::create(b, loc, i32Type);
  Value tileIndex = arith::SubIOp::create(
      b, loc, blocks, add(NVVM::BlockIdXOp::create(b, loc, i32Type), 1));
  head = NVVM::BlockIdYOp::create(b, loc, i32Type);
  batch = NVVM::BlockIdZOp::create(b, loc, i32Type);
  int64_t share = kernel.getQHeads() / kernel.getKvHeads();
  Value kvHead =
      share == 1 ? head
                 : arith::DivUIOp::create(b, loc, head, i32(share)).getResult();
  auto length = [&](unsigned parameter) -> Value {
    return arith::TruncIOp::create(b, loc, i32Type,
                                   entry.getArgument(parameter));
  };
  numQueries = length(NumQueries);
  scalars.map(kernel.argument(Kernel::Batch), batch);
  scalars.map(kernel.argument(Kernel::Head), head);
  scalars.map(kernel.argument(Kernel::KVHead), kvHead);
  scalars.map(kernel.argument(Kernel::Row), mul(tileIndex, plan.schedule.rows));
  scalars.map(kernel.argument(Kernel::NumQueries), numQueries);
  scalars.map(kernel.argument(Kernel::NumKeys), length(NumKeys));
  unsigned extra = entry.getNumArguments() - FirstParam;
  for (unsigned i = 0; i < extra; ++i)
    scalars.map(kernel.argument(Kernel::FirstParam + i),
                entry.getArgument(FirstParam + i));

  Type element = kernel.getStorageType();
  views[kernel.argument(Kernel::Q)] = viewOf(entry, Kernel::Q, head, element);
  views[kernel.argument(Kernel::K)] = viewOf(entry, Kernel::K, kvHead, element);
  views[kernel.argument(Kernel::V)] = viewOf(entry, Kernel::V, kvHead, element);
  views[kernel.argument(Kernel::O)] = viewOf(entry, Kernel::O, head, element);
  views[kernel.argument(Kernel::LSE)] = {entry.getArgument(Kernel::LSE), {}, 1};
}

LogicalResult Emitter::emit(StringRef name) {
  auto module = kernel->getParentOfType<ModuleOp>();
  LLVM::GlobalOp memory = getSharedMemory(module, loc);
  LLVM::LLVMFuncOp function = createFunction(name);
  OpBuilder::InsertionGuard guard(b);
  Block *entry = entryBlock = function.addEntryBlock(b);
  b.setInsertionPointToStart(entry);
  shared = LLVM::AddressOfOp::create(b, loc, memory);
  bindArguments(*entry);
  if (failed(emitBlock(kernel.getBody().front())))
    return failure();
  LLVM::ReturnOp::create(b, loc, ValueRange());
  return success();
}
