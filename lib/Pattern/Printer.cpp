// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trees back to text, with parentheses only where the grammar needs them.

#include "fovea/Pattern/Printer.h"

#include <charconv>

namespace fovea::pattern {

const char *spell(ElementType type) {
  constexpr const char *names[] = {"f32", "f16", "bf16"};
  return names[static_cast<size_t>(type)];
}
const char *spell(CompareOp op) {
  constexpr const char *names[] = {"==", "!=", "<", "<=", ">", ">="};
  return names[static_cast<size_t>(op)];
}
const char *spell(ArithOp op) {
  constexpr const char *names[] = {"+", "-", "*", "/", "%"};
  return names[static_cast<size_t>(op)];
}
const char *spell(Variable variable) {
  constexpr const char *names[] = {"q", "k", "b", "h", "g", "nq", "nk"};
  return names[static_cast<size_t>(variable)];
}

namespace {

/// How tightly the outermost operator binds; a looser one needs parentheses.
enum Level {
  OrLevel,
  XorLevel,
  AndLevel,
  SumLevel,
  ProductLevel,
  Unary,
  Tight
};

class Printer {
public:
  explicit Printer(const std::vector<Param> &params) : params(params) {}

  void intExpr(const IntExpr &expr);
  void floatExpr(const FloatExpr &expr);
  void maskExpr(const MaskExpr &expr);
  void comparison(const MaskExpr &expr);

  std::string out;

private:
  template <typename Expr> void operand(const Expr &expr, int outer);
  template <typename Expr>
  void call(std::string_view name, const std::vector<Expr> &operands);
  template <typename Expr> void chain(const Expr &expr);
  void number(double value);
  void random(const MaskExpr &expr);
  void select(const FloatExpr &expr);
  void maskChain(const MaskExpr &expr, std::string_view op, int level);

  const std::vector<Param> &params;
};

template <typename Expr> int chainLevel(const Expr &expr) {
  bool isSum = expr.ops[0] == ArithOp::Add || expr.ops[0] == ArithOp::Sub;
  return isSum ? SumLevel : ProductLevel;
}

int level(const IntExpr &expr) {
  if (expr.kind == IntKind::Chain)
    return chainLevel(expr);
  bool minus = expr.kind == IntKind::Negate ||
               (expr.kind == IntKind::Number && expr.value < 0);
  return minus ? Unary : Tight;
}

int level(const FloatExpr &expr) {
  if (expr.kind == FloatKind::Chain)
    return chainLevel(expr);
  bool minus = expr.kind == FloatKind::Negate ||
               (expr.kind == FloatKind::Number && expr.value < 0);
  return minus ? Unary : Tight;
}

int level(const MaskExpr &expr) {
  switch (expr.kind) {
  case MaskKind::Or:
    return OrLevel;
  case MaskKind::Xor:
    return XorLevel;
  case MaskKind::And:
    return AndLevel;
  case MaskKind::Not:
    return Unary;
  default:
    return Tight; // a comparison brings its own parentheses
  }
}

template <typename Expr> void Printer::operand(const Expr &expr, int outer) {
  bool parens = level(expr) < outer;
  if (parens)
    out += '(';
  if constexpr (std::is_same_v<Expr, IntExpr>)
    intExpr(expr);
  else if constexpr (std::is_same_v<Expr, FloatExpr>)
    floatExpr(expr);
  else
    maskExpr(expr);
  if (parens)
    out += ')';
}

template <typename Expr>
void Printer::call(std::string_view name, const std::vector<Expr> &operands) {
  out += name;
  out += '(';
  for (size_t i = 0; i < operands.size(); ++i) {
    out += i ? ", " : "";
    operand(operands[i], OrLevel);
  }
  out += ')';
}

template <typename Expr> void Printer::chain(const Expr &expr) {
  int own = chainLevel(expr);
  operand(expr.operands[0], own);
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    out += ' ';
    out += spell(expr.ops[i]);
    out += ' ';
    // Left to right: an equal operator on the right needs parentheses.
    operand(expr.operands[i + 1], own + 1);
  }
}

void Printer::intExpr(const IntExpr &expr) {
  switch (expr.kind) {
  case IntKind::Number:
    out += std::to_string(expr.value);
    return;
  case IntKind::Infinity:
    out += "inf";
    return;
  case IntKind::Param:
    out += params[expr.index].name;
    return;
  case IntKind::Variable:
    out += spell(expr.variable);
    return;
  case IntKind::Negate:
    out += '-';
    return operand(expr.operands[0], Unary);
  case IntKind::Chain:
    return chain(expr);
  case IntKind::Min:
    return call("min", expr.operands);
  case IntKind::Max:
    return call("max", expr.operands);
  case IntKind::Abs:
    return call("abs", expr.operands);
  }
}

/// The shortest text that reads back as the same f32, as the language writes
/// it.
void Printer::number(double value) {
  char buffer[64];
  auto end =
      std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value))
          .ptr;
  std::string text(buffer, end);
  if (text.find('.') == std::string::npos)
    text.insert(std::min(text.find('e'), text.size()), ".0");
  out += text;
}

void Printer::floatExpr(const FloatExpr &expr) {
  const auto &operands = expr.operands;
  switch (expr.kind) {
  case FloatKind::Number:
    return number(expr.value);
  case FloatKind::IntParam:
  case FloatKind::FloatParam:
    out += params[expr.index].name;
    return;
  case FloatKind::Variable:
    out += spell(expr.variable);
    return;
  case FloatKind::Dot:
    out += 's';
    return;
  case FloatKind::Negate:
    out += '-';
    return operand(operands[0], Unary);
  case FloatKind::Chain:
    return chain(expr);
  case FloatKind::Min:
    return call("min", operands);
  case FloatKind::Max:
    return call("max", operands);
  case FloatKind::Abs:
    return call("abs", operands);
  case FloatKind::Exp:
    return call("exp", operands);
  case FloatKind::Exp2:
    return call("exp2", operands);
  case FloatKind::Log:
    return call("log", operands);
  case FloatKind::Log2:
    return call("log2", operands);
  case FloatKind::Sqrt:
    return call("sqrt", operands);
  case FloatKind::Tanh:
    return call("tanh", operands);
  case FloatKind::Softcap:
    return call("softcap", operands);
  case FloatKind::Alibi:
    out += "alibi";
    return;
  case FloatKind::Select:
  case FloatKind::SelectCompare:
    return select(expr);
  }
}

void Printer::select(const FloatExpr &expr) {
  out += "select(";
  size_t first = 0;
  if (expr.kind == FloatKind::SelectCompare) {
    operand(expr.operands[0], SumLevel);
    out += ' ';
    out += spell(expr.compare);
    out += ' ';
    operand(expr.operands[1], SumLevel);
    first = 2;
  } else if (expr.condition().kind == MaskKind::Compare) {
    comparison(expr.condition());
  } else {
    maskExpr(expr.condition());
  }
  out += ", ";
  operand(expr.operands[first], OrLevel);
  out += ", ";
  operand(expr.operands[first + 1], OrLevel);
  out += ')';
}

void Printer::comparison(const MaskExpr &expr) {
  operand(expr.lhs(), SumLevel);
  out += ' ';
  out += spell(expr.compare);
  out += ' ';
  operand(expr.rhs(), SumLevel);
}

void Printer::random(const MaskExpr &expr) {
  out += "random(";
  intExpr(expr.count());
  out += ", block = " + std::to_string(expr.block) + ", seed = ";
  intExpr(expr.seed());
  if (expr.per == RandomPer::G)
    out += ", per = g";
  else if (expr.per == RandomPer::None)
    out += ", per = none";
  out += expr.causal ? ", causal)" : ")";
}

void Printer::maskChain(const MaskExpr &expr, std::string_view op, int own) {
  for (size_t i = 0; i < expr.operands.size(); ++i) {
    if (i)
      out += op;
    operand(expr.operands[i], own);
  }
}

void Printer::maskExpr(const MaskExpr &expr) {
  switch (expr.kind) {
  case MaskKind::All:
    out += "all";
    return;
  case MaskKind::None:
    out += "none";
    return;
  case MaskKind::Causal:
    out += "causal";
    return;
  case MaskKind::Window:
    if (expr.left() == expr.right())
      return call("window", std::vector<IntExpr>{expr.left()});
    return call("window", expr.ints);
  case MaskKind::Dilated:
    return call("dilated", expr.ints);
  case MaskKind::Global:
    return call("global", expr.ints);
  case MaskKind::Sink:
    return call("sink", expr.ints);
  case MaskKind::Prefix:
    return call("prefix", expr.ints);
  case MaskKind::Random:
    return random(expr);
  case MaskKind::Compare:
    out += '(';
    comparison(expr);
    out += ')';
    return;
  case MaskKind::Not:
    out += '~';
    return operand(expr.operands[0], Unary);
  case MaskKind::And:
    return maskChain(expr, " & ", AndLevel);
  case MaskKind::Xor:
    return maskChain(expr, " ^ ", XorLevel);
  case MaskKind::Or:
    return maskChain(expr, " | ", OrLevel);
  }
}

std::string sizes(const char *first, int64_t a, const char *second, int64_t b) {
  if (a == b)
    return std::to_string(a);
  return std::string(first) + " = " + std::to_string(a) + ", " + second +
         " = " + std::to_string(b);
}

} // namespace

std::string print(const IntExpr &expr, const std::vector<Param> &params) {
  Printer printer(params);
  printer.intExpr(expr);
  return printer.out;
}

std::string print(const FloatExpr &expr, const std::vector<Param> &params) {
  Printer printer(params);
  printer.floatExpr(expr);
  return printer.out;
}

std::string print(const MaskExpr &expr, const std::vector<Param> &params) {
  Printer printer(params);
  printer.maskExpr(expr);
  return printer.out;
}

static std::string printParam(const Param &param) {
  std::string text = "  param " + param.name + " : ";
  text += param.type == ParamType::Int ? "int" : "float";
  if (!param.hasDefault())
    return text + "\n";
  if (param.intDefault)
    return text + " = " + std::to_string(*param.intDefault) + "\n";
  FloatExpr value;
  value.value = *param.floatDefault;
  return text + " = " + print(value, {}) + "\n";
}

std::string print(const Pattern &pattern) {
  std::string text = "pattern " + pattern.name + " {\n";
  text +=
      "  heads " + sizes("q", pattern.queryHeads, "kv", pattern.kvHeads) + "\n";
  text += "  dim " + sizes("qk", pattern.qkDim, "v", pattern.vDim) + "\n";
  text += std::string("  type ") + spell(pattern.type) + "\n";
  if (pattern.align == Align::Start)
    text += "  align start\n";
  for (const Param &param : pattern.params)
    text += printParam(param);
  if (pattern.scale)
    text += "  scale " + print(*pattern.scale, pattern.params) + "\n";
  if (pattern.mask)
    text += "  mask " + print(*pattern.mask, pattern.params) + "\n";
  if (pattern.score)
    text += "  score " + print(*pattern.score, pattern.params) + "\n";
  return text + "}\n";
}

} // namespace fovea::pattern
