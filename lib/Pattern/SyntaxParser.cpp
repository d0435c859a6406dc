// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parser of tokens and of statements; expressions are in SyntaxExpr.cpp.

#include "SyntaxParser.h"

#include "Words.h"

using namespace fovea::pattern;

//===----------------------------------------------------------------------===//
// Tokens and errors
//===----------------------------------------------------------------------===//

void SyntaxParser::fail(const Location &loc, std::string message) {
  if (!failure)
    failure = Diagnostic{Severity::Error, "", loc, std::move(message), {}};
  // Everything unwinds at the end of the text.
  token = Token();
  token.loc = loc;
  upcoming = token;
}

void SyntaxParser::advance() {
  previous = token.loc;
  if (failure)
    return;
  token = std::move(upcoming);
  if (token.kind == TokenKind::Error) {
    fail(token.loc, std::move(token.message));
    return;
  }
  if (token.kind == TokenKind::End)
    upcoming = token;
  else
    upcoming = lexer.next();
}

void SyntaxParser::expectedError(std::string_view what) {
  std::string found = at(TokenKind::End) ? "the end of the text"
                                         : "'" + std::string(token.text) + "'";
  fail(token.loc, "expected " + std::string(what) + ", found " + found);
}

bool SyntaxParser::accept(TokenKind kind) {
  if (!at(kind))
    return false;
  advance();
  return true;
}

void SyntaxParser::expect(TokenKind kind, std::string_view what) {
  if (!accept(kind))
    expectedError(what);
}

Word SyntaxParser::parseWord(std::string_view what) {
  Word word{std::string(token.text), token.loc};
  expect(TokenKind::Name, what);
  return word;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

SyntaxPattern SyntaxParser::parse() {
  upcoming = lexer.next();
  advance();
  SyntaxPattern pattern;
  if (atWord("pattern"))
    advance();
  else
    expectedError("'pattern'");
  pattern.name = parseWord("the pattern's name");
  expect(TokenKind::LeftBrace, "'{'");
  while (at(TokenKind::Name))
    parseStatement(pattern);
  expect(TokenKind::RightBrace, "a statement or '}'");
  if (!at(TokenKind::End))
    expectedError("the end of the text after the pattern");
  return pattern;
}

void SyntaxParser::parseStatement(SyntaxPattern &pattern) {
  std::optional<StatementKind> kind = statementKind(token.text);
  if (!kind) {
    std::optional<std::string> nearest =
        nearestWord(token.text, WordClass::Statement);
    Location loc = token.loc;
    expectedError("a statement or '}'");
    if (nearest)
      failure->notes.push_back({loc, "did you mean '" + *nearest + "'?"});
    return;
  }
  Statement statement;
  statement.kind = *kind;
  statement.loc = token.loc;
  advance();
  parseBody(statement);
  if (!failure)
    pattern.statements.push_back(std::move(statement));
}

void SyntaxParser::parseBody(Statement &statement) {
  switch (statement.kind) {
  case StatementKind::Heads:
  case StatementKind::Dim:
    parseNamedNumbers(statement);
    return;
  case StatementKind::Type:
    statement.word = parseWord("f16, bf16 or f32");
    return;
  case StatementKind::Align:
    statement.word = parseWord("'end' or 'start'");
    return;
  case StatementKind::Param:
    parseParam(statement);
    return;
  case StatementKind::Input:
    parseInput(statement);
    return;
  case StatementKind::Scale:
  case StatementKind::Mask:
  case StatementKind::Score:
    statement.expr = parseExpr();
    statement.hasExpr = true;
    return;
  case StatementKind::SinkLogit:
    statement.name = parseWord("the name of an input");
    return;
  case StatementKind::Rope:
    parseParenArguments(statement, /*optional=*/true);
    return;
  case StatementKind::Dropout:
    parseParenArguments(statement, /*optional=*/false);
    return;
  }
}

/// `param name : int [= -7]`
void SyntaxParser::parseParam(Statement &statement) {
  statement.name = parseWord("the param's name");
  expect(TokenKind::Colon, "':'");
  statement.word = parseWord("'int' or 'float'");
  if (!accept(TokenKind::Assign))
    return;
  Location minus = token.loc;
  bool negative = accept(TokenKind::Minus);
  if (!at(TokenKind::Integer) && !at(TokenKind::Float)) {
    expectedError("a number");
    return;
  }
  statement.expr = parseNumber();
  statement.hasExpr = true;
  if (!negative)
    return;
  Syntax negate;
  negate.kind = SyntaxKind::Negate;
  negate.loc = minus;
  negate.operands.push_back(std::move(statement.expr));
  statement.expr = close(std::move(negate));
}

/// `input name : f32[b, h, q/64, 3]`
void SyntaxParser::parseInput(Statement &statement) {
  statement.name = parseWord("the input's name");
  expect(TokenKind::Colon, "':'");
  statement.word = parseWord("i1, i32, f32, f16 or bf16");
  if (!at(TokenKind::LeftBracket)) {
    expectedError("'['");
    return;
  }
  statement.expr = parseList();
  statement.hasExpr = true;
}

/// `heads 9`, `heads q = 9, kv = 3`: arguments without parentheses.
void SyntaxParser::parseNamedNumbers(Statement &statement) {
  Syntax &call = statement.expr;
  call.kind = SyntaxKind::Call;
  call.loc = token.loc;
  statement.hasExpr = true;
  do {
    ArgumentName name;
    if (at(TokenKind::Name) && upcoming.kind == TokenKind::Assign) {
      name = {std::string(token.text), token.loc};
      advance();
      advance();
    }
    if (!at(TokenKind::Integer)) {
      expectedError("an integer");
      return;
    }
    call.names.push_back(std::move(name));
    call.operands.push_back(parseNumber());
  } while (accept(TokenKind::Comma));
  call = close(std::move(call));
}

void SyntaxParser::parseParenArguments(Statement &statement, bool optional) {
  Syntax &call = statement.expr;
  call.kind = SyntaxKind::Call;
  call.loc = token.loc;
  statement.hasExpr = true;
  if (accept(TokenKind::LeftParen))
    parseArguments(call, TokenKind::RightParen);
  else if (!optional)
    expectedError("'('");
}
