// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Integer IR to steps, and their execution.
#include "Interpreter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace fovea;

namespace {

using Apply = int64_t (*)(int64_t, int64_t, int64_t);

/// The bits of an i32 or i64, zero-extended.
uint64_t bits(int64_t value, unsigned width) {
  return width == 64 ? static_cast<uint64_t>(value)
                     : static_cast<uint64_t>(value) & ((1ull << width) - 1);
}

/// A result as a slot holds it.
int64_t normal(int64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  return width == 32 ? static_cast<int32_t>(value) : value;
}

} // namespace

/// slots[out] = apply(slots[in...]), of `width` bits, or a loop.
struct Step {
  Apply apply = nullptr;
  unsigned width = 64;
  unsigned in[3] = {0, 0, 0};
  unsigned out = 0;
  struct Loop;
  std::shared_ptr<Loop> loop;
};

struct Interpreter::Program {
  std::vector<Step> steps;
};

/// for: `bounds` are lower, upper and step, `first` the induction variable.
/// while: `before` ends in a condition.
struct Step::Loop {
  bool isFor = false;
  unsigned bounds[3] = {0, 0, 0}, induction = 0, condition = 0;
  std::vector<unsigned> init, beforeArgs, passed, bodyArgs, yielded, results;
  std::shared_ptr<const Interpreter::Program> before, body;
};

namespace {

Apply comparison(arith::CmpIPredicate predicate) {
  using P = arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a == b; };
  case P::ne:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a != b; };
  case P::slt:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a < b; };
  case P::sle:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a <= b; };
  case P::sgt:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a > b; };
  case P::sge:
    return [](int64_t a, int64_t b, int64_t) -> int64_t { return a >= b; };
  case P::ult: // order is kept by sign extension
    return [](int64_t a, int64_t b, int64_t) -> int64_t {
      return uint64_t(a) < uint64_t(b);
    };
  case P::ule:
    return [](int64_t a, int64_t b, int64_t) -> int64_t {
      return uint64_t(a) <= uint64_t(b);
    };
  case P::ugt:
    return [](int64_t a, int64_t b, int64_t) -> int64_t {
      return uint64_t(a) > uint64_t(b);
    };
  case P::uge:
    return [](int64_t a, int64_t b, int64_t) -> int64_t {
      return uint64_t(a) >= uint64_t(b);
    };
  }
  llvm_unreachable("all predicates are handled");
}

/// Operations whose result needs no width but that of the result.
Apply signedArithmetic(Operation *op) {
#define APPLY(expression)                                                      \
  [](int64_t a, int64_t b, int64_t c) -> int64_t {                             \
    (void)b, (void)c;                                                          \
    return expression;                                                         \
  }
  return llvm::TypeSwitch<Operation *, Apply>(op)
      .Case([](arith::AddIOp) { return APPLY(int64_t(uint64_t(a) + b)); })
      .Case([](arith::SubIOp) { return APPLY(int64_t(uint64_t(a) - b)); })
      .Case([](arith::MulIOp) { return APPLY(int64_t(uint64_t(a) * b)); })
      .Case([](arith::AndIOp) { return APPLY(a & b); })
      .Case([](arith::OrIOp) { return APPLY(a | b); })
      .Case([](arith::XOrIOp) { return APPLY(a ^ b); })
      .Case([](arith::MinSIOp) { return APPLY(std::min(a, b)); })
      .Case([](arith::MaxSIOp) { return APPLY(std::max(a, b)); })
      .Case([](arith::SelectOp) { return APPLY(a ? b : c); })
      .Case([](arith::DivSIOp) { return APPLY(a / b); })
      .Case([](arith::RemSIOp) { return APPLY(a % b); })
      .Case([](arith::ShLIOp) { return APPLY(int64_t(uint64_t(a) << b)); })
      .Case([](arith::ShRSIOp) { return APPLY(a >> b); })
      .Case([](arith::TruncIOp) { return APPLY(a); })
      .Case([](math::AbsIOp) { return APPLY(a < 0 ? -a : a); })
      .Case([](arith::CmpIOp cmp) { return comparison(cmp.getPredicate()); })
      .Default([](Operation *) -> Apply { return nullptr; });
}

/// Operations on the zero-extended bits of `width` operands.
template <unsigned width> Apply unsignedArithmetic(Operation *op) {
#define BITS(expression)                                                       \
  [](int64_t a, int64_t b, int64_t) -> int64_t {                               \
    uint64_t x = bits(a, width), y = bits(b, width);                           \
    (void)y;                                                                   \
    return static_cast<int64_t>(expression);                                   \
  }
  return llvm::TypeSwitch<Operation *, Apply>(op)
      .Case([](arith::DivUIOp) { return BITS(x / y); })
      .Case([](arith::RemUIOp) { return BITS(x % y); })
      .Case([](arith::ShRUIOp) { return BITS(x >> y); })
      .Case([](arith::MinUIOp) { return BITS(std::min(x, y)); })
      .Case([](arith::MaxUIOp) { return BITS(std::max(x, y)); })
      .Case([](arith::ExtUIOp) { return BITS(x); })
      .Case([](arith::ExtSIOp) -> Apply {
        return [](int64_t a, int64_t, int64_t) -> int64_t {
          return width == 1 ? -a : a;
        };
      })
      .Default([](Operation *) -> Apply { return nullptr; });
}

int64_t highProduct(int64_t a, int64_t b, int64_t) {
  auto product = static_cast<unsigned __int128>(uint64_t(a)) * uint64_t(b);
  return static_cast<int64_t>(product >> 64);
}

} // namespace

namespace fovea {

struct Translator {
  Interpreter &interpreter;
  std::vector<Step> &steps;

  unsigned slot(Value value) { return interpreter.slot(value); }
  std::vector<unsigned> all(ValueRange values) {
    std::vector<unsigned> result;
    for (Value value : values)
      result.push_back(slot(value));
    return result;
  }
  std::shared_ptr<const Interpreter::Program> body(Block &block) {
    return interpreter.translate(block.begin(), block.end());
  }

  bool loop(Operation &op) {
    Step step;
    step.loop = std::make_shared<Step::Loop>();
    Step::Loop &loop = *step.loop;
    loop.results = all(op.getResults());
    if (auto counted = dyn_cast<scf::ForOp>(op)) {
      loop.isFor = true;
      loop.bounds[0] = slot(counted.getLowerBound());
      loop.bounds[1] = slot(counted.getUpperBound());
      loop.bounds[2] = slot(counted.getStep());
      loop.induction = slot(counted.getInductionVar());
      loop.init = all(counted.getInitArgs());
      loop.bodyArgs = all(counted.getRegionIterArgs());
      loop.yielded = all(counted.getBody()->getTerminator()->getOperands());
      loop.body = body(*counted.getBody());
    } else if (auto search = dyn_cast<scf::WhileOp>(op)) {
      auto condition = search.getConditionOp();
      loop.init = all(search.getInits());
      loop.beforeArgs = all(search.getBeforeArguments());
      loop.condition = slot(condition.getCondition());
      loop.passed = all(condition.getArgs());
      loop.bodyArgs = all(search.getAfterArguments());
      loop.yielded = all(search.getYieldOp().getOperands());
      loop.before = body(*search.getBeforeBody());
      loop.body = body(*search.getAfterBody());
    } else {
      return false;
    }
    steps.push_back(std::move(step));
    return true;
  }

  void simple(Operation &op) {
    Step step;
    Type type = op.getResult(0).getType();
    step.width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
    step.out = slot(op.getResult(0));
    for (auto [i, operand] : llvm::enumerate(op.getOperands()))
      step.in[i] = slot(operand);
    step.apply = signedArithmetic(&op);
    if (!step.apply && op.getNumOperands() > 0) {
      switch (op.getOperand(0).getType().getIntOrFloatBitWidth()) {
      case 1:
        step.apply = unsignedArithmetic<1>(&op);
        break;
      case 32:
        step.apply = unsignedArithmetic<32>(&op);
        break;
      default:
        step.apply = unsignedArithmetic<64>(&op);
      }
    }
    if (isa<arith::MulUIExtendedOp>(op)) { // only of i64
      step.apply = highProduct;
      step.out = slot(op.getResult(1));
    }
    if (step.apply)
      steps.push_back(step);
    else
      ADD_FAILURE() << "no step for " << op.getName().getStringRef().str();
  }

  void translate(Operation &op) {
    APInt constant;
    if (op.hasTrait<OpTrait::IsTerminator>() || loop(op))
      return;
    if (op.getNumResults() == 0 || !op.getResult(0).getType().isIntOrIndex())
      return;
    if (llvm::any_of(op.getOperandTypes(),
                     [](Type type) { return isa<FloatType>(type); }))
      return;
    if (matchPattern(&op, m_ConstantInt(&constant)))
      interpreter.set(op.getResult(0), constant.getBitWidth() == 1
                                           ? constant.getZExtValue()
                                           : constant.getSExtValue());
    else
      simple(op);
  }
};

} // namespace fovea

unsigned Interpreter::slot(Value value) {
  auto [place, isNew] = numbers.try_emplace(value, slots.size());
  if (isNew)
    slots.push_back(0);
  return place->second;
}

std::shared_ptr<const Interpreter::Program>
Interpreter::translate(Block::iterator begin, Block::iterator end) {
  auto program = std::make_shared<Program>();
  Translator translator{*this, program->steps};
  for (Operation &op : llvm::make_range(begin, end))
    translator.translate(op);
  return program;
}

/// Moves several slots at once, as block arguments are.
static void move(std::vector<int64_t> &slots, const std::vector<unsigned> &from,
                 const std::vector<unsigned> &to) {
  SmallVector<int64_t> values;
  for (unsigned slot : from)
    values.push_back(slots[slot]);
  for (auto [slot, value] : llvm::zip_equal(to, values))
    slots[slot] = value;
}

void Interpreter::run(const Program &program) {
  for (const Step &step : program.steps) {
    if (!step.loop) {
      slots[step.out] = normal(
          step.apply(slots[step.in[0]], slots[step.in[1]], slots[step.in[2]]),
          step.width);
      continue;
    }
    const Step::Loop &loop = *step.loop;
    if (loop.isFor) {
      move(slots, loop.init, loop.results);
      for (int64_t i = slots[loop.bounds[0]]; i < slots[loop.bounds[1]];
           i += slots[loop.bounds[2]]) {
        slots[loop.induction] = i;
        move(slots, loop.results, loop.bodyArgs);
        run(*loop.body);
        move(slots, loop.yielded, loop.results);
      }
      continue;
    }
    move(slots, loop.init, loop.beforeArgs);
    for (run(*loop.before); slots[loop.condition]; run(*loop.before)) {
      move(slots, loop.passed, loop.bodyArgs);
      run(*loop.body);
      move(slots, loop.yielded, loop.beforeArgs);
    }
    move(slots, loop.passed, loop.results);
  }
}
