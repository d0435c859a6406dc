// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a checked pattern to one attn.kernel: a walk over the three kinds of
// expression, each node one op. Every rule of the language was checked before,
// so nothing can go wrong here.
#include "fovea/Conversion/PatternToAttn.h"

#include "fovea/Dialect/Attn/Attn.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace fovea;
using pattern::FloatExpr;
using pattern::FloatKind;
using pattern::IntExpr;
using pattern::IntKind;
using pattern::MaskExpr;
using pattern::MaskKind;

namespace {

class Importer {
public:
  Importer(OpBuilder &b, const pattern::Pattern &pattern, StringRef file)
      : b(b), pattern(pattern), file(b.getStringAttr(file)) {}

  attn::KernelOp kernel();

private:
  Value integer(const IntExpr &expr);
  Value chain(const IntExpr &expr);
  Value mask(const MaskExpr &expr);
  Value bound(const IntExpr &expr) {
    return expr.isInfinite() ? Value() : integer(expr);
  }
  Value real(const FloatExpr &expr);
  Value chain(const FloatExpr &expr);
  Value function(const FloatExpr &expr, ArrayRef<Value> x);
  Value dot(Location loc);

  Location at(const pattern::Location &loc) {
    return FileLineColLoc::get(file, loc.line, loc.column);
  }
  Value number(Location loc, int64_t value) {
    return arith::ConstantIntOp::create(b, loc, value, 64);
  }
  Value number(Location loc, float value) {
    return arith::ConstantFloatOp::create(b, loc, b.getF32Type(),
                                          APFloat(value));
  }
  Value variable(Location loc, pattern::Variable variable);

  OpBuilder &b;
  const pattern::Pattern &pattern;
  StringAttr file;
  attn::KernelOp op;
};

Type elementType(Builder &b, pattern::ElementType type) {
  switch (type) {
  case pattern::ElementType::F32:
    return b.getF32Type();
  case pattern::ElementType::F16:
    return b.getF16Type();
  case pattern::ElementType::BF16:
    return b.getBF16Type();
  }
  llvm_unreachable("all element types are handled");
}

attn::KernelOp Importer::kernel() {
  SmallVector<Attribute> names;
  for (const pattern::Param &param : pattern.params)
    names.push_back(b.getStringAttr(param.name));
  attn::Alignment align = pattern.align == pattern::Align::End
                              ? attn::Alignment::End
                              : attn::Alignment::Start;
  op = attn::KernelOp::create(
      b, at(pattern.loc), pattern.name, pattern.queryHeads, pattern.kvHeads,
      pattern.qkDim, pattern.vDim, elementType(b, pattern.type), align,
      b.getArrayAttr(names));
  Block &body = op.getBody().emplaceBlock();
  for (const pattern::Param &param : pattern.params)
    body.addArgument(param.type == pattern::ParamType::Int
                         ? Type(b.getI64Type())
                         : b.getF32Type(),
                     at(param.loc));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&body);
  Value keep =
      pattern.mask
          ? mask(*pattern.mask)
          : attn::ConstantOp::create(b, op.getLoc(),
                                     attn::MaskType::get(b.getContext()), true)
                .getResult();
  Value score = pattern.score ? real(*pattern.score) : dot(op.getLoc());
  attn::YieldOp::create(b, op.getLoc(), keep, score);
  return op;
}

Value Importer::variable(Location loc, pattern::Variable variable) {
  using From = pattern::Variable;
  using To = attn::Variable;
  static constexpr std::pair<From, To> table[] = {
      {From::Q, To::Q}, {From::K, To::K},   {From::B, To::B},  {From::H, To::H},
      {From::G, To::G}, {From::Nq, To::NQ}, {From::Nk, To::NK}};
  for (auto [from, to] : table)
    if (from == variable)
      return attn::VariableOp::create(b, loc, b.getI64Type(), to);
  llvm_unreachable("all variables are handled");
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value Importer::integer(const IntExpr &expr) {
  Location loc = at(expr.loc);
  switch (expr.kind) {
  case IntKind::Number:
    return number(loc, expr.value);
  case IntKind::Infinity:
    break; // only bound() meets it
  case IntKind::Param:
    return op.getBody().getArgument(expr.index);
  case IntKind::Variable:
    return variable(loc, expr.variable);
  case IntKind::Negate:
    return arith::SubIOp::create(b, loc, number(loc, int64_t(0)),
                                 integer(expr.operands[0]));
  case IntKind::Chain:
    return chain(expr);
  case IntKind::Min:
    return arith::MinSIOp::create(b, loc, integer(expr.operands[0]),
                                  integer(expr.operands[1]));
  case IntKind::Max:
    return arith::MaxSIOp::create(b, loc, integer(expr.operands[0]),
                                  integer(expr.operands[1]));
  case IntKind::Abs:
    return math::AbsIOp::create(b, loc, integer(expr.operands[0]));
  }
  llvm_unreachable("an infinite bound is no value");
}

Value Importer::chain(const IntExpr &expr) {
  Value value = integer(expr.operands[0]);
  for (auto [op, operand] :
       llvm::zip(expr.ops, llvm::drop_begin(expr.operands))) {
    Location loc = at(operand.loc);
    Value rhs = integer(operand);
    switch (op) {
    case pattern::ArithOp::Add:
      value = arith::AddIOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Sub:
      value = arith::SubIOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Mul:
      value = arith::MulIOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Div:
      value = attn::FloorDivOp::create(b, loc, b.getI64Type(), value, rhs);
      break;
    case pattern::ArithOp::Rem:
      value = attn::FloorModOp::create(b, loc, b.getI64Type(), value, rhs);
      break;
    }
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

attn::Predicate predicate(pattern::CompareOp compare) {
  switch (compare) {
  case pattern::CompareOp::Eq:
    return attn::Predicate::EQ;
  case pattern::CompareOp::Ne:
    return attn::Predicate::NE;
  case pattern::CompareOp::Lt:
    return attn::Predicate::LT;
  case pattern::CompareOp::Le:
    return attn::Predicate::LE;
  case pattern::CompareOp::Gt:
    return attn::Predicate::GT;
  case pattern::CompareOp::Ge:
    return attn::Predicate::GE;
  }
  llvm_unreachable("all comparisons are handled");
}

attn::Per per(pattern::RandomPer per) {
  switch (per) {
  case pattern::RandomPer::H:
    return attn::Per::H;
  case pattern::RandomPer::G:
    return attn::Per::G;
  case pattern::RandomPer::None:
    return attn::Per::None;
  }
  llvm_unreachable("all draws are handled");
}

Value Importer::mask(const MaskExpr &expr) {
  Location loc = at(expr.loc);
  Type type = attn::MaskType::get(b.getContext());
  SmallVector<Value> parts;
  for (const MaskExpr &operand : expr.operands)
    parts.push_back(mask(operand));
  switch (expr.kind) {
  case MaskKind::All:
    return attn::ConstantOp::create(b, loc, type, true);
  case MaskKind::None:
    return attn::ConstantOp::create(b, loc, type, false);
  case MaskKind::Causal:
    return attn::CausalOp::create(b, loc, type);
  case MaskKind::Window:
    return attn::WindowOp::create(b, loc, type, bound(expr.left()),
                                  bound(expr.right()));
  case MaskKind::Dilated:
    return attn::DilatedOp::create(b, loc, type, bound(expr.left()),
                                   bound(expr.right()), integer(expr.step()));
  case MaskKind::Global:
    return attn::GlobalOp::create(b, loc, type, integer(expr.count()));
  case MaskKind::Sink:
    return attn::SinkOp::create(b, loc, type, integer(expr.count()));
  case MaskKind::Prefix:
    return attn::PrefixOp::create(b, loc, type, integer(expr.count()));
  case MaskKind::Random:
    return attn::RandomOp::create(b, loc, type, integer(expr.count()),
                                  integer(expr.seed()), expr.block,
                                  per(expr.per), expr.causal);
  case MaskKind::Compare:
    return attn::CompareOp::create(b, loc, type, predicate(expr.compare),
                                   integer(expr.lhs()), integer(expr.rhs()));
  case MaskKind::Not:
    return attn::NotOp::create(b, loc, type, parts[0]);
  case MaskKind::And:
    return attn::AndOp::create(b, loc, type, parts);
  case MaskKind::Or:
    return attn::OrOp::create(b, loc, type, parts);
  case MaskKind::Xor: {
    Value value = parts[0];
    for (Value part : llvm::drop_begin(parts))
      value = attn::XorOp::create(b, loc, type, value, part);
    return value;
  }
  }
  llvm_unreachable("all masks are handled");
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Value Importer::dot(Location loc) {
  // A score may ask for the scale before it exists only here, so it is built
  // anew for each `s`; CSE makes one of them.
  Value scale =
      pattern.scale
          ? real(*pattern.scale)
          : number(loc,
                   static_cast<float>(1.0 / std::sqrt(double(pattern.qkDim))));
  return attn::DotOp::create(b, loc, b.getF32Type(), scale);
}

arith::CmpFPredicate floatPredicate(pattern::CompareOp compare) {
  switch (compare) {
  case pattern::CompareOp::Eq:
    return arith::CmpFPredicate::OEQ;
  case pattern::CompareOp::Ne:
    return arith::CmpFPredicate::UNE;
  case pattern::CompareOp::Lt:
    return arith::CmpFPredicate::OLT;
  case pattern::CompareOp::Le:
    return arith::CmpFPredicate::OLE;
  case pattern::CompareOp::Gt:
    return arith::CmpFPredicate::OGT;
  case pattern::CompareOp::Ge:
    return arith::CmpFPredicate::OGE;
  }
  llvm_unreachable("all comparisons are handled");
}

Value Importer::real(const FloatExpr &expr) {
  Location loc = at(expr.loc);
  if (expr.kind == FloatKind::Chain)
    return chain(expr);
  SmallVector<Value> x;
  for (const FloatExpr &operand : expr.operands)
    x.push_back(real(operand));
  switch (expr.kind) {
  case FloatKind::Number:
    return number(loc, static_cast<float>(expr.value));
  case FloatKind::IntParam:
    return arith::SIToFPOp::create(b, loc, b.getF32Type(),
                                   op.getBody().getArgument(expr.index));
  case FloatKind::FloatParam:
    return op.getBody().getArgument(expr.index);
  case FloatKind::Variable:
    return arith::SIToFPOp::create(b, loc, b.getF32Type(),
                                   variable(loc, expr.variable));
  case FloatKind::Dot:
    return dot(loc);
  case FloatKind::Alibi:
    return attn::AlibiOp::create(b, loc, b.getF32Type());
  case FloatKind::Select: {
    Value keep =
        attn::KeepsOp::create(b, loc, b.getI1Type(), mask(expr.condition()));
    return arith::SelectOp::create(b, loc, keep, x[0], x[1]);
  }
  case FloatKind::SelectCompare: {
    Value holds =
        arith::CmpFOp::create(b, loc, floatPredicate(expr.compare), x[0], x[1]);
    return arith::SelectOp::create(b, loc, holds, x[2], x[3]);
  }
  default:
    return function(expr, x);
  }
}

Value Importer::chain(const FloatExpr &expr) {
  Value value = real(expr.operands[0]);
  for (auto [op, operand] :
       llvm::zip(expr.ops, llvm::drop_begin(expr.operands))) {
    Location loc = at(operand.loc);
    Value rhs = real(operand);
    switch (op) {
    case pattern::ArithOp::Add:
      value = arith::AddFOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Sub:
      value = arith::SubFOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Mul:
      value = arith::MulFOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Div:
      value = arith::DivFOp::create(b, loc, value, rhs);
      break;
    case pattern::ArithOp::Rem:
      llvm_unreachable("scores have no remainder");
    }
  }
  return value;
}

Value Importer::function(const FloatExpr &expr, ArrayRef<Value> x) {
  Location loc = at(expr.loc);
  switch (expr.kind) {
  case FloatKind::Negate:
    return arith::NegFOp::create(b, loc, x[0]);
  case FloatKind::Min:
    return arith::MinimumFOp::create(b, loc, x[0], x[1]);
  case FloatKind::Max:
    return arith::MaximumFOp::create(b, loc, x[0], x[1]);
  case FloatKind::Abs:
    return math::AbsFOp::create(b, loc, x[0]);
  case FloatKind::Exp:
    return math::ExpOp::create(b, loc, x[0]);
  case FloatKind::Exp2:
    return math::Exp2Op::create(b, loc, x[0]);
  case FloatKind::Log:
    return math::LogOp::create(b, loc, x[0]);
  case FloatKind::Log2:
    return math::Log2Op::create(b, loc, x[0]);
  case FloatKind::Sqrt:
    return math::SqrtOp::create(b, loc, x[0]);
  case FloatKind::Tanh:
    return math::TanhOp::create(b, loc, x[0]);
  case FloatKind::Softcap:
    return attn::SoftcapOp::create(b, loc, b.getF32Type(), x[0], x[1]);
  default:
    llvm_unreachable("no function");
  }
}

} // namespace

OwningOpRef<ModuleOp> fovea::importPattern(MLIRContext &context,
                                           const pattern::Pattern &pattern,
                                           std::string_view file) {
  OpBuilder b(&context);
  Location loc = FileLineColLoc::get(b.getStringAttr(file), pattern.loc.line,
                                     pattern.loc.column);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b, loc);
  b.setInsertionPointToEnd(module->getBody());
  Importer(b, pattern, file).kernel();
  return module;
}
