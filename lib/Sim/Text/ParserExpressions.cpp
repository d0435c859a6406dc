// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constant expressions (ISA text, sections 4.5.4 to 4.5.6): C's operators on
// values of 64 bits, signed or unsigned, and on doubles.
#include "Parser.h"
#include <bit>

namespace fovea::sim {

namespace {

using Constant = Parser::Constant;

struct BinaryOperator {
  const char *text;
  int precedence;
};
/// Longer ones first.
constexpr BinaryOperator binaryOperators[] = {
    {"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6}, {"!=", 6},
    {"&&", 2}, {"||", 1}, {"*", 10}, {"/", 10}, {"%", 10}, {"+", 9},
    {"-", 9},  {"<", 7},  {">", 7},  {"&", 5},  {"^", 4},  {"|", 3}};

Constant ofInteger(uint64_t bits, bool isUnsigned = false) {
  return {false, isUnsigned, bits};
}
Constant ofDouble(double value) {
  return {true, false, std::bit_cast<uint64_t>(value)};
}
double toDouble(const Constant &c) { return std::bit_cast<double>(c.bits); }

Constant foldDoubles(std::string_view op, double a, double b, bool &known) {
  known = true;
  if (op == "+")
    return ofDouble(a + b);
  if (op == "-")
    return ofDouble(a - b);
  if (op == "*")
    return ofDouble(a * b);
  if (op == "/")
    return ofDouble(a / b);
  if (op == "<")
    return ofInteger(a < b);
  if (op == ">")
    return ofInteger(a > b);
  if (op == "<=")
    return ofInteger(a <= b);
  if (op == ">=")
    return ofInteger(a >= b);
  if (op == "==")
    return ofInteger(a == b);
  if (op == "!=")
    return ofInteger(a != b);
  known = false;
  return {};
}

template <class T> uint64_t compare(std::string_view op, T a, T b) {
  if (op == "<")
    return a < b;
  if (op == ">")
    return a > b;
  return op == "<=" ? a <= b : a >= b;
}

/// b is not 0 where it divides.
Constant foldIntegers(std::string_view op, const Constant &x,
                      const Constant &y) {
  uint64_t a = x.bits, b = y.bits;
  auto sa = static_cast<int64_t>(a), sb = static_cast<int64_t>(b);
  bool isUnsigned = x.isUnsigned || y.isUnsigned;
  if (op == "+")
    return ofInteger(a + b, isUnsigned);
  if (op == "-")
    return ofInteger(a - b, isUnsigned);
  if (op == "*")
    return ofInteger(a * b, isUnsigned);
  if (op == "/")
    return ofInteger(isUnsigned ? a / b
                     : sb == -1 ? 0 - a
                                : static_cast<uint64_t>(sa / sb),
                     isUnsigned);
  if (op == "%")
    return ofInteger(a % b);
  if (op == "<<")
    return ofInteger(b > 63 ? 0 : a << b, x.isUnsigned);
  if (op == ">>")
    return x.isUnsigned
               ? ofInteger(b > 63 ? 0 : a >> b, true)
               : ofInteger(static_cast<uint64_t>(sa >> (b > 63 ? 63 : b)));
  if (op == "&")
    return ofInteger(a & b, true);
  if (op == "|")
    return ofInteger(a | b, true);
  if (op == "^")
    return ofInteger(a ^ b, true);
  if (op == "&&")
    return ofInteger(a && b);
  if (op == "||")
    return ofInteger(a || b);
  if (op == "==")
    return ofInteger(a == b);
  if (op == "!=")
    return ofInteger(a != b);
  return ofInteger(isUnsigned ? compare(op, a, b) : compare(op, sa, sb));
}

} // namespace

bool Parser::isOperator(std::string_view text) const {
  for (size_t i = 0; i < text.size(); ++i)
    if (peek(i).text != text.substr(i, 1) ||
        (i && peek(i).text.data() != peek(i - 1).text.data() + 1))
      return false;
  return true;
}

/// Whether a constant starts here, and not a register, a name or a list.
bool Parser::startsConstant() const {
  size_t i = 0;
  while (peek(i).is('-') || peek(i).is('+') || peek(i).is('~') ||
         peek(i).is('!') || peek(i).is('(') || peek(i).is(".s64") ||
         peek(i).is(".u64") || (i && peek(i).is(')')))
    ++i;
  Token::Kind kind = peek(i).kind;
  return kind == Token::Integer || kind == Token::Float64 ||
         peek(i).is("WARP_SZ");
}

Parser::Constant Parser::parseUnary() {
  if (accept('+'))
    return parseUnary();
  if (accept('-')) {
    Constant value = parseUnary();
    value.bits = value.isDouble ? value.bits ^ 1ull << 63 : 0 - value.bits;
    return value;
  }
  if (accept('!'))
    return ofInteger(!parseUnary().bits);
  if (accept('~'))
    return ofInteger(~parseUnary().bits, true);
  if (accept('(')) {
    bool isCast = peek().is(".s64") || peek().is(".u64");
    bool isUnsigned = isCast && take().text == ".u64";
    if (!isCast) {
      Constant inner = parseConstant();
      expect(')');
      return inner;
    }
    expect(')');
    Constant value = parseUnary();
    value.isUnsigned = isUnsigned;
    return value;
  }
  Token token = take();
  if (token.is("WARP_SZ"))
    return ofInteger(32);
  if (token.kind == Token::Float64)
    return {true, false, token.value};
  if (token.kind != Token::Integer)
    throw UnsupportedError(token.line, "expected a number, but got '" +
                                           std::string(token.text) + "'");
  bool isUnsigned =
      token.text.back() == 'U' || token.text.back() == 'u' || token.value >> 63;
  return ofInteger(token.value, isUnsigned);
}

Parser::Constant Parser::parseBinary(int least) {
  Constant left = parseUnary();
  for (;;) {
    const BinaryOperator *found = nullptr;
    for (const BinaryOperator &candidate : binaryOperators)
      if (!found && isOperator(candidate.text))
        found = &candidate;
    if (!found || found->precedence < least)
      return left;
    std::string_view op = found->text;
    for (size_t i = 0; i < op.size(); ++i)
      take();
    Constant right = parseBinary(found->precedence + 1);
    bool known = left.isDouble == right.isDouble;
    if (left.isDouble && known)
      left = foldDoubles(op, toDouble(left), toDouble(right), known);
    else if ((op == "/" || op == "%") && !right.bits)
      fail("division by zero in a constant expression");
    else if (known)
      left = foldIntegers(op, left, right);
    if (!known)
      fail("operands of '" + std::string(op) + "' do not fit");
  }
}

Parser::Constant Parser::parseConstant() {
  Constant value = parseBinary(1);
  if (!accept('?'))
    return value;
  Constant yes = parseConstant();
  if (!accept(':'))
    fail("expected ':' in a constant expression");
  Constant no = parseConstant();
  yes.isUnsigned = no.isUnsigned = yes.isUnsigned || no.isUnsigned;
  return value.bits ? yes : no;
}

int64_t Parser::integer() {
  Constant value = parseConstant();
  if (value.isDouble)
    fail("expected an integer");
  return static_cast<int64_t>(value.bits);
}

} // namespace fovea::sim
