// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions: the grammar in SyntaxParser.h, level by level. Recursion happens
// only where the language counts nesting, and there it is bounded.

#include "SyntaxParser.h"

#include "Words.h"

using namespace fovea::pattern;

/// Counts one level of nesting while it lives.
class SyntaxParser::Nested {
public:
  Nested(SyntaxParser &parser, const Location &loc) : parser(parser) {
    if (++parser.depth > maxNesting)
      parser.fail(loc, "expected at most " + std::to_string(maxNesting) +
                           " levels of nesting, found more");
  }
  ~Nested() { --parser.depth; }
  Nested(const Nested &) = delete;
  Nested &operator=(const Nested &) = delete;

private:
  SyntaxParser &parser;
};

/// Extends a node's location to the last token taken.
Syntax SyntaxParser::close(Syntax node) const {
  uint32_t end = previous.offset + previous.length;
  node.loc.length = end > node.loc.offset ? end - node.loc.offset : 1;
  return node;
}

/// The operator that a token is on one level of chains: | ^ & then + - then
/// * / %.
static bool chainOp(unsigned level, TokenKind kind, SyntaxOp &op) {
  switch (kind) {
  case TokenKind::Pipe:
    op = SyntaxOp::Or;
    return level == 0;
  case TokenKind::Caret:
    op = SyntaxOp::Xor;
    return level == 1;
  case TokenKind::Ampersand:
    op = SyntaxOp::And;
    return level == 2;
  case TokenKind::Plus:
    op = SyntaxOp::Add;
    return level == 3;
  case TokenKind::Minus:
    op = SyntaxOp::Sub;
    return level == 3;
  case TokenKind::Star:
    op = SyntaxOp::Mul;
    return level == 4;
  case TokenKind::Slash:
    op = SyntaxOp::Div;
    return level == 4;
  case TokenKind::Percent:
    op = SyntaxOp::Rem;
    return level == 4;
  default:
    return false;
  }
}

Syntax SyntaxParser::parseChain(unsigned level) {
  auto parseOperand = [&]() -> Syntax {
    if (level == 2)
      return parseNot();
    return level == 4 ? parseMinus() : parseChain(level + 1);
  };
  Location begin = token.loc;
  Syntax first = parseOperand();
  SyntaxOp op;
  if (!chainOp(level, token.kind, op))
    return first;
  Syntax chain;
  chain.kind = SyntaxKind::Chain;
  chain.loc = begin;
  chain.operands.push_back(std::move(first));
  while (chainOp(level, token.kind, op)) {
    chain.ops.push_back(op);
    advance();
    chain.operands.push_back(parseOperand());
  }
  return close(std::move(chain));
}

Syntax SyntaxParser::parseNot() {
  if (!at(TokenKind::Tilde))
    return parseCompare();
  Syntax node;
  node.kind = SyntaxKind::Not;
  node.loc = token.loc;
  Nested nested(*this, token.loc);
  advance();
  node.operands.push_back(parseNot());
  return close(std::move(node));
}

static bool compareOp(TokenKind kind, SyntaxOp &op) {
  switch (kind) {
  case TokenKind::Equal:
    op = SyntaxOp::Eq;
    return true;
  case TokenKind::NotEqual:
    op = SyntaxOp::Ne;
    return true;
  case TokenKind::Less:
    op = SyntaxOp::Lt;
    return true;
  case TokenKind::LessEqual:
    op = SyntaxOp::Le;
    return true;
  case TokenKind::Greater:
    op = SyntaxOp::Gt;
    return true;
  case TokenKind::GreaterEqual:
    op = SyntaxOp::Ge;
    return true;
  default:
    return false;
  }
}

Syntax SyntaxParser::parseCompare() {
  Location begin = token.loc;
  Syntax lhs = parseChain(3);
  SyntaxOp op;
  if (!compareOp(token.kind, op))
    return lhs;
  Syntax node;
  node.kind = SyntaxKind::Compare;
  node.loc = begin;
  node.ops.push_back(op);
  advance();
  node.operands.push_back(std::move(lhs));
  node.operands.push_back(parseChain(3));
  if (compareOp(token.kind, op))
    fail(token.loc, "comparisons do not chain: expected one comparison, found "
                    "another '" +
                        std::string(token.text) + "'");
  return close(std::move(node));
}

Syntax SyntaxParser::parseMinus() {
  if (!at(TokenKind::Minus))
    return parsePrimary();
  Syntax node;
  node.kind = SyntaxKind::Negate;
  node.loc = token.loc;
  Nested nested(*this, token.loc);
  advance();
  node.operands.push_back(parseMinus());
  return close(std::move(node));
}

Syntax SyntaxParser::parsePrimary() {
  if (at(TokenKind::Integer) || at(TokenKind::Float))
    return parseNumber();
  if (at(TokenKind::Name))
    return parseName();
  if (!at(TokenKind::LeftParen)) {
    expectedError("an expression");
    return {};
  }
  Location begin = token.loc;
  Nested nested(*this, token.loc);
  advance();
  Syntax inner = parseExpr();
  expect(TokenKind::RightParen, "')'");
  inner.parenthesized = true;
  inner.loc = begin;
  return close(std::move(inner));
}

Syntax SyntaxParser::parseNumber() {
  Syntax node;
  node.kind = at(TokenKind::Integer) ? SyntaxKind::Integer : SyntaxKind::Float;
  node.loc = token.loc;
  node.integer = token.integer;
  node.real = token.real;
  advance();
  return node;
}

Syntax SyntaxParser::parseName() {
  Syntax node;
  node.loc = token.loc;
  node.text = token.text;
  advance();
  if (at(TokenKind::LeftParen)) {
    node.kind = SyntaxKind::Call;
    Nested nested(*this, token.loc);
    advance();
    parseArguments(node, TokenKind::RightParen);
  } else if (at(TokenKind::LeftBracket)) {
    Nested nested(*this, token.loc);
    Syntax list = parseList();
    node.kind = SyntaxKind::Subscript;
    node.operands = std::move(list.operands);
  }
  return close(std::move(node));
}

/// The arguments of a call and its closing token; the opening one is taken.
void SyntaxParser::parseArguments(Syntax &call, TokenKind closing) {
  if (accept(closing))
    return;
  do {
    parseArgument(call);
  } while (accept(TokenKind::Comma));
  expect(closing, "',' or ')'");
}

void SyntaxParser::parseArgument(Syntax &call) {
  ArgumentName name;
  if (at(TokenKind::Name) && upcoming.kind == TokenKind::Assign) {
    name = {std::string(token.text), token.loc};
    advance();
    advance();
  }
  Syntax value;
  if (at(TokenKind::LeftBracket))
    value = parseList();
  else if (call.text == "per_head")
    value = parseCase();
  else
    value = parseExpr();
  call.names.push_back(std::move(name));
  call.operands.push_back(std::move(value));
}

Syntax SyntaxParser::parseCase() {
  Syntax node;
  node.loc = token.loc;
  node.kind = SyntaxKind::Case;
  if (atWord("else")) {
    node.kind = SyntaxKind::ElseCase;
    advance();
  } else {
    node.operands.push_back(parseExpr());
  }
  expect(TokenKind::Colon, "':'");
  node.operands.push_back(parseExpr());
  return close(std::move(node));
}

/// `[a, b, …]`, at least one element.
Syntax SyntaxParser::parseList() {
  Syntax node;
  node.kind = SyntaxKind::List;
  node.loc = token.loc;
  advance();
  do {
    node.operands.push_back(parseExpr());
  } while (accept(TokenKind::Comma));
  expect(TokenKind::RightBracket, "',' or ']'");
  return close(std::move(node));
}
