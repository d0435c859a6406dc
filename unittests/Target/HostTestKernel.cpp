// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// See the header. The kernel's text is that of
// test/Dialect/Tile/roundtrip.mlir.
#include "HostTestKernel.h"

#include "fovea/Dialect/Tile/Tile.h"
#include "fovea/Runtime/Half.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace fovea::host;
using namespace fovea::host::test;

static const char *typeName(Storage storage) {
  return storage == Storage::F32   ? "f32"
         : storage == Storage::F16 ? "f16"
                                   : "bf16";
}

KernelText fovea::host::test::causalText() {
  KernelText text;
  text.walk = R"(
    %any = arith.cmpi sle, %t, %q1 : i32
    %all = arith.cmpi sle, %t, %q0 : i32
    %u1 = arith.select %any, %afterLast, %end : i32
    %until = arith.select %all, %afterFirst, %u1 : i32)";
  text.keep = R"(
    %causal = arith.cmpi sle, %ki, %qi : i32
    %inside = arith.cmpi slt, %ki, %nk : i32
    %keep = arith.andi %causal, %inside : i1)";
  text.score = "%y = arith.mulf %x, %factor : f32";
  return text;
}

// {0} storage, {1} D, {2} E, {3} rows, {4} keys, {5} query heads, {6} KV heads,
// {7} param names, {8} param arguments, {9} prologue, {10} walk, {11} score,
// {12} keep, {13} factor,
// {14} what the mask is called.
static const char *const kernelFormat = R"(
tile.kernel @kernel heads({5}, {6}) schedule(<rows = {3}, keys = {4}, stages = 1, warps = 1>) params([{7}])
    (%Q: !tile.view<{1}x{0}>, %K: !tile.view<{1}x{0}>, %V: !tile.view<{2}x{0}>,
     %O: !tile.view<{2}x{0}>, %LSE: !tile.view<1xf32>,
     %b: i32, %h: i32, %g: i32, %row: i32, %nq: i32, %nk: i32{8}) {{
  %end = arith.constant 1073741824 : i32
  %one = arith.constant 1 : i32
  %rows = arith.constant {3} : i32
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %factor = arith.constant {13} : f32
  %offset = arith.subi %nk, %nq : i32
  %q0 = arith.addi %row, %offset : i32
  %past = arith.addi %row, %rows : i32
  %pastValid = arith.minsi %past, %nq : i32
  %lastRow = arith.subi %pastValid, %one : i32
  %q1 = arith.addi %lastRow, %offset : i32
  %afterFirst = arith.addi %q0, %one : i32
  %afterLast = arith.addi %q1, %one : i32
  {9}
  %q = tile.load %Q[%row of %nq] : !tile.view<{1}x{0}> -> !tile.tile<{3}x{1}x{0}>
  %m0 = tile.fill %ninf : f32 -> !tile.tile<{3}x1xf32>
  %l0 = tile.fill %zero : f32 -> !tile.tile<{3}x1xf32>
  %o0 = tile.fill %zero : f32 -> !tile.tile<{3}x{2}xf32>
  %m, %l, %o = tile.keys %K, %V to %nk init(%m0, %l0, %o0)
      : !tile.view<{1}x{0}>, !tile.view<{2}x{0}>,
        (!tile.tile<{3}x1xf32>, !tile.tile<{3}x1xf32>, !tile.tile<{3}x{2}xf32>)
        -> (!tile.tile<{3}x1xf32>, !tile.tile<{3}x1xf32>, !tile.tile<{3}x{2}xf32>)
  walk {{
  ^bb0(%t: i32):
    {10}
    tile.run %any, %all, %until
  } body {{
  ^bb0(%col: i32, %masked: i1, %k: !tile.tile<{4}x{1}x{0}>, %v: !tile.tile<{4}x{2}x{0}>,
       %mi: !tile.tile<{3}x1xf32>, %li: !tile.tile<{3}x1xf32>, %oi: !tile.tile<{3}x{2}xf32>):
    %s = tile.dot %q, %k transposed : !tile.tile<{3}x{1}x{0}>, !tile.tile<{4}x{1}x{0}> -> !tile.tile<{3}x{4}xf32>
    %p, %m1, %l1, %a = tile.online_softmax %s, %mi, %li at(%q0, %col) masked %masked
        : !tile.tile<{3}x{4}xf32>, !tile.tile<{3}x1xf32> -> !tile.tile<{3}x{4}x{0}>
    score {{
    ^bb0(%x: f32, %qi: i32, %ki: i32):
      {11}
      tile.yield %y : f32
    } keep {{
    ^bb0(%qi: i32, %ki: i32):
      {12}
      tile.yield %{14} : i1
    }
    %o1 = tile.rescale %oi by %a : !tile.tile<{3}x{2}xf32>, !tile.tile<{3}x1xf32>
    %o2 = tile.dot %p, %v acc %o1 : !tile.tile<{3}x{2}xf32> : !tile.tile<{3}x{4}x{0}>, !tile.tile<{4}x{2}x{0}> -> !tile.tile<{3}x{2}xf32>
    tile.yield %m1, %l1, %o2 : !tile.tile<{3}x1xf32>, !tile.tile<{3}x1xf32>, !tile.tile<{3}x{2}xf32>
  }
  tile.store_result %o, %m, %l to %O, %LSE[%row of %nq]
      : !tile.tile<{3}x{2}xf32>, !tile.tile<{3}x1xf32>, !tile.view<{2}x{0}>, !tile.view<1xf32>
}
)";

std::string fovea::host::test::print(const KernelText &text) {
  std::string names, arguments;
  for (const std::string &name : text.intParams) {
    names += (names.empty() ? "\"" : ", \"") + name + "\"";
    arguments += ", %" + name + ": i64";
  }
  double factor = 1.4426950408889634 / std::sqrt(double(text.qkDim));
  return llvm::formatv(false, kernelFormat, typeName(text.storage), text.qkDim,
                       text.vDim, text.rows, text.keys, text.qHeads,
                       text.kvHeads, names, arguments, text.prologue, text.walk,
                       text.score, text.keep, llvm::formatv("{0:E9}", factor),
                       text.keepName)
      .str();
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

Array::Array(Storage storage, int64_t batch, int64_t heads, int64_t length,
             int64_t dim, int64_t padding)
    : storage(storage), batch(batch), heads(heads), length(length), dim(dim),
      strideN(dim + padding), strideH(length * strideN + padding),
      strideB(heads * strideH + padding) {
  int64_t size = batch && heads && length
                     ? index(batch - 1, heads - 1, length - 1, dim - 1) + 1
                     : 0;
  if (storage == Storage::F32)
    f32.assign(size, 0.0f);
  else
    half.assign(size, 0);
}

void Array::set(int64_t at, float value) {
  if (storage == Storage::F32)
    f32[at] = value;
  else
    half[at] = storage == Storage::F16 ? runtime::floatToF16(value)
                                       : runtime::floatToBF16(value);
}
double Array::get(int64_t at) const {
  if (storage == Storage::F32)
    return f32[at];
  return storage == Storage::F16 ? runtime::f16ToFloat(half[at])
                                 : runtime::bf16ToFloat(half[at]);
}
void Array::fillRandom(unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (size_t i = 0, n = f32.size() + half.size(); i < n; ++i)
    set(i, normal(generator));
}

//===----------------------------------------------------------------------===//
// Compiling and running
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<Compiled>>
Compiled::create(const KernelText &text, const InstructionSet &set,
                 int64_t lanes) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(print(text), &context);
  if (!module)
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "the test's kernel does not parse");
  auto code = lower(*module, lanes ? set.withLanes(lanes) : set);
  if (!code)
    return code.takeError();
  auto result = std::make_unique<Compiled>();
  result->scratchBytes = code->scratchBytes;
  auto object = emitObject(*code, set);
  if (!object)
    return object.takeError();
  result->object = std::move(*object);
  auto kernel = JITKernel::create(result->object, code->entry, code->tiles);
  if (!kernel)
    return kernel.takeError();
  result->kernel = std::move(*kernel);
  result->function = result->kernel->getFunction();
  result->tiles = result->kernel->getTilesFunction();
  return result;
}

std::unique_ptr<Compiled> Compiled::createOrDie(const KernelText &text) {
  return llvm::cantFail(create(text, llvm::cantFail(InstructionSet::detect())));
}

void Compiled::run(const Problem &p, Array &q, Array &k, Array &v, Array &o,
                   std::vector<float> &lse,
                   std::array<int64_t, 3> &counts) const {
  void *lseData = lse.data();
  std::vector<void *> pointers{q.data(), k.data(), v.data(), o.data(), lseData};
  std::vector<int64_t> scalars;
  for (const Array *a : {&q, &k, &v, &o})
    scalars.insert(scalars.end(), {a->strideB, a->strideH, a->strideN});
  scalars.insert(scalars.end(), {p.nq, p.nk});
  scalars.insert(scalars.end(), p.intParams.begin(), p.intParams.end());
  std::vector<void *> params;
  for (void *&pointer : pointers)
    params.push_back(&pointer);
  for (int64_t &scalar : scalars)
    params.push_back(&scalar);
  std::unique_ptr<char, decltype(&std::free)> scratch(
      static_cast<char *>(std::aligned_alloc(64, scratchBytes)), &std::free);
  std::fill_n(scratch.get(), scratchBytes, char(0xff)); // NaN, all keys kept
  counts = {};
  for (int32_t z = 0; z < p.batch; ++z)
    for (int32_t y = 0; y < p.text.qHeads; ++y)
      for (int32_t x = 0; x * p.text.rows < p.nq; ++x) {
        int32_t block[3] = {x, y, z};
        function(params.data(), block, scratch.get());
        tiles(params.data(), block, counts.data());
      }
}

//===----------------------------------------------------------------------===//
// The reference
//===----------------------------------------------------------------------===//

namespace {
struct ReferenceRow {
  std::vector<double> output;
  double lse;
  int64_t kept;
};
} // namespace

static ReferenceRow referenceRow(const Problem &p, const Array &q,
                                 const Array &k, const Array &v, int64_t b,
                                 int64_t h, int64_t i) {
  int64_t g = h / (p.text.qHeads / p.text.kvHeads), position = i + p.nk - p.nq;
  std::vector<std::pair<int64_t, double>> logits;
  double max = -INFINITY;
  for (int64_t j = 0; j < p.nk; ++j) {
    if (!p.kept(position, j))
      continue;
    double s = 0;
    for (int64_t d = 0; d < q.dim; ++d)
      s += q.get(q.index(b, h, i, d)) * k.get(k.index(b, g, j, d));
    double x = p.logit(s, position, j);
    logits.push_back({j, x});
    max = std::fmax(max, x);
  }
  ReferenceRow row{std::vector<double>(v.dim, 0.0), -INFINITY,
                   int64_t(logits.size())};
  double sum = 0;
  for (auto [j, x] : logits) {
    double e = max == -INFINITY ? 0 : std::exp(x - max);
    sum += e;
    for (int64_t d = 0; d < v.dim; ++d)
      row.output[d] += e * v.get(v.index(b, g, j, d));
  }
  if (sum == 0)
    return {std::vector<double>(v.dim, 0.0), -INFINITY, row.kept};
  for (double &x : row.output)
    x /= sum;
  row.lse = max + std::log(sum);
  return row;
}

Outcome fovea::host::test::compare(const Problem &p, Array &q, Array &k,
                                   Array &v, Array &o,
                                   const std::vector<float> &lse) {
  Outcome outcome;
  double maxV = 1e-30;
  for (size_t i = 0; i < v.f32.size() + v.half.size(); ++i)
    if (std::isfinite(v.get(i)))
      maxV = std::max(maxV, std::fabs(v.get(i)));
  for (int64_t b = 0; b < p.batch; ++b)
    for (int64_t h = 0; h < p.text.qHeads; ++h)
      for (int64_t i = 0; i < p.nq; ++i) {
        ReferenceRow row = referenceRow(p, q, k, v, b, h, i);
        outcome.keptPairs += row.kept;
        double got = lse[(b * p.text.qHeads + h) * p.nq + i];
        double error = got == row.lse ? 0 : std::fabs(got - row.lse);
        outcome.nonFinite |= std::isnan(error) && !std::isnan(row.lse);
        outcome.maxLSEError = std::max(outcome.maxLSEError, error);
        for (int64_t d = 0; d < v.dim; ++d) {
          double x = o.get(o.index(b, h, i, d)),
                 e = std::fabs(x - row.output[d]);
          outcome.nonFinite |=
              !std::isfinite(x) && std::isfinite(row.output[d]);
          outcome.maxError = std::max(outcome.maxError, e / maxV);
        }
      }
  return outcome;
}

Outcome fovea::host::test::runRandom(const Compiled &compiled, const Problem &p,
                                     unsigned seed, int64_t padding) {
  const KernelText &t = p.text;
  Array q(t.storage, p.batch, t.qHeads, p.nq, t.qkDim, padding);
  Array k(t.storage, p.batch, t.kvHeads, p.nk, t.qkDim, padding);
  Array v(t.storage, p.batch, t.kvHeads, p.nk, t.vDim, padding);
  Array o(t.storage, p.batch, t.qHeads, p.nq, t.vDim, padding);
  q.fillRandom(seed);
  k.fillRandom(seed + 1);
  v.fillRandom(seed + 2);
  std::vector<float> lse(p.batch * t.qHeads * p.nq, NAN);
  std::array<int64_t, 3> counts;
  compiled.run(p, q, k, v, o, lse, counts);
  Outcome outcome = compare(p, q, k, v, o, lse);
  outcome.counts = counts;
  return outcome;
}

void fovea::host::test::expectClose(const Outcome &outcome, double tolerance) {
  EXPECT_FALSE(outcome.nonFinite);
  EXPECT_LT(outcome.maxError, tolerance);
  EXPECT_LT(outcome.maxLSEError, 1e-5);
  EXPECT_EQ(outcome.counts[2], outcome.keptPairs);
}

Problem fovea::host::test::causal(Storage storage, int64_t nq, int64_t nk,
                                  int64_t qkDim, int64_t vDim) {
  Problem p;
  p.text = causalText();
  p.text.storage = storage;
  p.text.qkDim = qkDim;
  p.text.vDim = vDim;
  p.nq = nq;
  p.nk = nk;
  p.kept = [](int64_t q, int64_t k) { return k <= q; };
  double scale = 1 / std::sqrt(double(qkDim));
  p.logit = [scale](double s, int64_t, int64_t) { return s * scale; };
  return p;
}
