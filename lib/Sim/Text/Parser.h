// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parser of modules: Parser.cpp has functions and statements,
// ParserVariables.cpp variables and their initialisers, ParserExpressions.cpp
// constants.
#ifndef FOVEA_LIB_SIM_PARSER_H
#define FOVEA_LIB_SIM_PARSER_H

#include "Lexer.h"
#include "Scope.h"

namespace fovea::sim {

inline bool oneOf(std::string_view text,
                  std::initializer_list<const char *> list) {
  for (const char *item : list)
    if (text == item)
      return true;
  return false;
}

inline Space parseSpace(std::string_view word) {
  if (word == ".global")
    return Space::Global;
  if (word == ".shared" || word == ".shared::cta")
    return Space::Shared;
  if (word == ".local")
    return Space::Local;
  if (word == ".const")
    return Space::Const;
  if (word == ".param")
    return Space::Param;
  return Space::Generic;
}

class Parser {
public:
  Parser(Module &module, std::vector<Token> tokens)
      : module(module), tokens(std::move(tokens)) {}

  void run() {
    while (peek().kind != Token::End)
      parseTopLevel();
  }

  /// The value of a constant expression.
  struct Constant {
    bool isDouble = false, isUnsigned = false;
    uint64_t bits = 0;
  };

private:
  const Token &peek(size_t ahead = 0) const {
    return tokens[std::min(pos + ahead, tokens.size() - 1)];
  }
  Token take() {
    Token token = peek();
    if (pos < tokens.size() - 1)
      ++pos;
    return token;
  }
  bool accept(char c) {
    if (!peek().is(c))
      return false;
    take();
    return true;
  }
  bool accept(std::string_view word) {
    if (!peek().is(word))
      return false;
    take();
    return true;
  }
  [[noreturn]] void fail(const std::string &what) const {
    throw UnsupportedError(peek().line, what);
  }
  void expect(char c) {
    if (!accept(c))
      fail(std::string("expected '") + c + "', but got '" +
           std::string(peek().text) + "'");
  }
  std::string_view word(const char *what) {
    if (peek().kind != Token::Word)
      fail(std::string("expected ") + what + ", but got '" +
           std::string(peek().text) + "'");
    return take().text;
  }

  // Constant expressions.
  bool isOperator(std::string_view text) const;
  bool startsConstant() const;
  Constant parseUnary();
  Constant parseBinary(int least);
  Constant parseConstant();
  int64_t integer();

  // Directives outside functions.
  void parseTopLevel();
  void splitDirective();
  void parseAlias();
  void parseVersion();
  void parseTarget();
  void skipToSemicolon();
  void skipDebugSection();
  void skipLine(unsigned line);

  // Variables.
  struct Prefix {
    Space space = Space::Generic;
    uint64_t align = 0;
    bool isExtern = false;
    unsigned vector = 1;
    Ty type = Ty::None;
    bool isReg = false;
  };
  void parseAttribute(Prefix &prefix, std::string_view text);
  Prefix parsePrefix(bool isExtern);
  Variable parseDeclarator(const Prefix &prefix);
  void parseInitialiser(Variable &variable, uint64_t at, unsigned depth);
  void parseInitialValue(Variable &variable, uint64_t at);
  void parseInitialAddress(Initialiser &init);
  void addModuleVariable(Variable variable);

  // Functions.
  void parseFunction(bool isEntry, unsigned line);
  std::vector<int> parseParameters(Function &function);
  void parseFunctionDirectives(Function &function);
  void parseTriple(unsigned (&out)[3]);
  void addFunction(Function function);
  void parseBody(Function &function);
  void parseBodyItem(Function &function);
  void parseBodyDirective(Function &function);
  void parseRegisters();
  void parseLabelledDirective(std::string_view name);

  // Statements.
  void parseStatement(Function &function);
  void resolveTargets(Statement &statement);
  Operand parseOperand();
  Operand parseNumber();
  Operand parsePrimary();
  Operand parseName(const Token &token);
  Operand parseMemory();
  Operand parseGroup(char close);
  void parseOffset(Operand &operand);
  void parseIndex(Operand &operand);
  void takeSelector(Operand &operand);

  Module &module;
  std::vector<Token> tokens;
  size_t pos = 0;
  ScopeStack *scope = nullptr;
  bool inCall = false; // where parentheses hold lists
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_PARSER_H
