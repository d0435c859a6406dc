// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX tokens to a Module: directives, functions, statements, operands
// (ISA text, sections 4, 5, 6 and 11). What a name means is settled here;
// what an opcode means is not.
#include "Parser.h"

namespace fovea::sim {

void Parser::parseVersion() {
  // `9.0` is a float token; its digits are the two numbers.
  Token token = take();
  std::string text(token.text);
  size_t dot = text.find('.');
  if (dot == std::string::npos)
    fail("malformed .version");
  module.versionMajor = static_cast<unsigned>(std::stoul(text.substr(0, dot)));
  module.versionMinor = static_cast<unsigned>(std::stoul(text.substr(dot + 1)));
}

void Parser::parseTarget() {
  module.target = std::string(word("a target"));
  while (accept(','))
    word("a target option");
}

/// `.reg.b16` is two directives.
void Parser::splitDirective() {
  std::string_view text = peek().text;
  if (peek().kind != Token::Word || text.empty() || text[0] != '.')
    return;
  size_t dot = text.find('.', 1);
  if (dot == std::string_view::npos)
    return;
  Token first = peek();
  first.text = text.substr(0, dot);
  tokens[pos].text = text.substr(dot);
  tokens.insert(tokens.begin() + static_cast<ptrdiff_t>(pos), first);
}

void Parser::skipToSemicolon() {
  while (!accept(';')) {
    if (peek().kind == Token::End)
      fail("expected ';' before the end of the file");
    take();
  }
}

/// A second name of a function.
void Parser::parseAlias() {
  std::string name(word("a function name"));
  if (!accept(','))
    fail("expected ',' and the function that '" + name + "' stands for");
  auto found = module.functionIndex.find(word("a function name"));
  if (found == module.functionIndex.end())
    fail("unknown function of alias '" + name + "'");
  module.functionIndex[name] = found->second;
  expect(';');
}

void Parser::skipLine(unsigned line) {
  while (peek().kind != Token::End && peek().line == line)
    take();
}

void Parser::skipDebugSection() {
  while (!peek().is('{')) {
    if (peek().kind == Token::End)
      fail("expected '{' after .section");
    take();
  }
  while (!accept('}')) {
    if (peek().kind == Token::End)
      fail("expected '}' at the end of .section");
    take();
  }
}

void Parser::parseTopLevel() {
  splitDirective();
  Token token = peek();
  if (token.kind != Token::Word)
    fail("expected a directive, but got '" + std::string(token.text) + "'");
  if (accept(".version"))
    return parseVersion();
  if (accept(".target"))
    return parseTarget();
  if (accept(".address_size")) {
    if (integer() != 64)
      throw UnsupportedError(token.line, "only .address_size 64 is supported");
    return;
  }
  if (oneOf(token.text, {".file", ".loc"}))
    return skipLine(token.line);
  if (accept(".section"))
    return skipDebugSection();
  if (accept(".pragma"))
    return skipToSemicolon();
  if (accept(".alias"))
    return parseAlias();
  bool isExtern = false;
  while (oneOf(peek().text, {".visible", ".extern", ".weak", ".common"})) {
    isExtern |= take().text == ".extern";
    splitDirective();
  }
  if (accept(".entry"))
    return parseFunction(true, token.line);
  if (accept(".func"))
    return parseFunction(false, token.line);
  if (parseSpace(peek().text) == Space::Generic)
    fail("unknown directive '" + std::string(peek().text) + "'");
  Prefix prefix = parsePrefix(isExtern);
  do
    addModuleVariable(parseDeclarator(prefix));
  while (accept(','));
  expect(';');
}

std::vector<int> Parser::parseParameters(Function &function) {
  std::vector<int> result;
  expect('(');
  if (accept(')'))
    return result;
  do {
    Prefix prefix = parsePrefix(false);
    bool isReg = prefix.isReg;
    Variable variable = parseDeclarator(prefix);
    variable.space = Space::Param;
    variable.isExtern = false;
    if (isReg) {
      scope->declareRegister(variable.name, variable.type, -1, 1,
                             variable.line);
      variable.reg = scope->findRegister(variable.name);
    }
    result.push_back(scope->declareVariable(std::move(variable)));
  } while (accept(','));
  expect(')');
  return result;
}

void Parser::parseTriple(unsigned (&out)[3]) {
  out[0] = static_cast<unsigned>(integer());
  out[1] = out[2] = 1;
  for (unsigned i = 1; i < 3 && accept(','); ++i)
    out[i] = static_cast<unsigned>(integer());
}

void Parser::parseFunctionDirectives(Function &function) {
  unsigned ignored[3];
  while (peek().kind == Token::Word) {
    if (accept(".reqntid"))
      parseTriple(function.reqntid);
    else if (accept(".maxntid"))
      parseTriple(function.maxntid);
    else if (accept(".reqnctapercluster"))
      parseTriple(function.cluster);
    else if (accept(".maxnreg"))
      function.maxnreg = static_cast<unsigned>(integer());
    else if (accept(".minnctapersm") || accept(".maxnctapersm") ||
             accept(".maxclusterrank"))
      parseTriple(ignored);
    else if (accept(".pragma"))
      skipToSemicolon();
    else if (!accept(".explicitcluster") && !accept(".noreturn") &&
             !accept(".blocksareclusters"))
      fail("unknown directive '" + std::string(peek().text) + "'");
  }
}

void Parser::addFunction(Function function) {
  auto found = module.functionIndex.find(function.name);
  if (found != module.functionIndex.end()) {
    Function &known = module.functions[found->second];
    if (known.hasBody && function.hasBody)
      throw UnsupportedError(function.line, "function '" + function.name +
                                                "' is defined twice");
    if (function.hasBody)
      known = std::move(function);
    return;
  }
  module.functionIndex[function.name] =
      static_cast<int>(module.functions.size());
  module.functions.push_back(std::move(function));
}

void Parser::parseFunction(bool isEntry, unsigned line) {
  Function function;
  function.isEntry = isEntry;
  function.line = line;
  ScopeStack names(function);
  scope = &names;
  if (accept(".attribute"))
    fail("attributes of functions are not supported");
  if (peek().is('('))
    function.results = parseParameters(function);
  function.name = std::string(word("a function name"));
  if (peek().is('('))
    function.params = parseParameters(function);
  parseFunctionDirectives(function);
  if (!accept(';')) {
    expect('{');
    function.hasBody = true;
    parseBody(function);
    names.finish();
  }
  scope = nullptr;
  addFunction(std::move(function));
}

void Parser::parseBody(Function &function) {
  while (!accept('}')) {
    if (peek().kind == Token::End)
      fail("expected '}' before the end of the file");
    parseBodyItem(function);
  }
}

void Parser::parseBodyItem(Function &function) {
  if (accept(';'))
    return;
  if (accept('{')) {
    scope->push();
    parseBody(function);
    scope->pop();
    return;
  }
  if (peek().kind == Token::Word && peek(1).is(':')) {
    Token name = take();
    take();
    if (peek().kind == Token::Word &&
        oneOf(peek().text,
              {".branchtargets", ".calltargets", ".callprototype"}))
      return parseLabelledDirective(name.text);
    scope->defineLabel(name.text, name.line);
    return;
  }
  if (peek().kind == Token::Word && peek().text[0] == '.')
    return parseBodyDirective(function);
  parseStatement(function);
}

void Parser::parseRegisters() {
  Prefix prefix = parsePrefix(false);
  do {
    unsigned line = peek().line;
    std::string name(word("a register name"));
    int64_t count = -1;
    if (accept('<')) {
      if (peek().kind != Token::Integer)
        fail("expected a number of registers, but got '" +
             std::string(peek().text) + "'");
      count = static_cast<int64_t>(take().value);
      expect('>');
    }
    scope->declareRegister(name, prefix.type, count, prefix.vector, line);
  } while (accept(','));
  expect(';');
}

void Parser::parseBodyDirective(Function &function) {
  splitDirective();
  Token token = peek();
  if (token.is(".reg"))
    return parseRegisters();
  if (token.is(".pragma")) {
    take();
    return skipToSemicolon();
  }
  if (token.is(".loc") || token.is(".file"))
    return skipLine(token.line);
  if (token.is(".extern"))
    take();
  if (parseSpace(peek().text) == Space::Generic)
    fail("unknown directive '" + std::string(token.text) + "'");
  Prefix prefix = parsePrefix(token.is(".extern"));
  do
    scope->declareVariable(parseDeclarator(prefix));
  while (accept(','));
  expect(';');
}

void Parser::parseLabelledDirective(std::string_view name) {
  LabelTable table;
  table.name = std::string(name);
  std::string_view kind = take().text;
  if (kind == ".callprototype") {
    table.isPrototype = true;
    skipToSemicolon();
    return scope->defineTable(std::move(table));
  }
  do {
    unsigned line = peek().line;
    std::string_view target = word("a target");
    if (kind == ".branchtargets")
      table.labels.push_back(scope->useLabel(target, line));
    else
      table.functions.emplace_back(target);
  } while (accept(','));
  expect(';');
  scope->defineTable(std::move(table));
}

void Parser::parseStatement(Function &function) {
  Statement statement;
  if (accept('@')) {
    statement.guardNegated = accept('!');
    std::string_view name = word("a predicate");
    statement.guard = scope->findRegister(name);
    if (statement.guard < 0)
      fail("unknown predicate '" + std::string(name) + "'");
  }
  statement.line = peek().line;
  std::string_view opcode = word("an instruction");
  for (size_t start = 0; start <= opcode.size();) {
    size_t dot = opcode.find('.', start);
    if (dot == std::string_view::npos)
      dot = opcode.size();
    statement.opcode.push_back(opcode.substr(start, dot - start));
    start = dot + 1;
  }
  inCall = statement.opcode[0] == "call";
  if (!peek().is(';')) {
    do
      statement.operands.push_back(parseOperand());
    while (accept(','));
  }
  expect(';');
  resolveTargets(statement);
  function.body.push_back(std::move(statement));
}

/// Labels and tables have scopes, so names of branch and call targets are
/// settled at the place of their use.
void Parser::resolveTargets(Statement &statement) {
  std::string_view opcode = statement.opcode[0];
  if (opcode != "bra" && opcode != "brx" && opcode != "call")
    return;
  for (Operand &operand : statement.operands) {
    if (operand.kind != Operand::Symbol)
      continue;
    int table = scope->findTable(operand.name);
    if (table >= 0) {
      operand.kind = Operand::Table;
      operand.index = table;
    } else if (opcode == "bra") {
      operand.kind = Operand::Label;
      operand.index = scope->useLabel(operand.name, statement.line);
    }
  }
}

Operand Parser::parseGroup(char close) {
  Operand list;
  list.kind = Operand::List;
  if (accept(close))
    return list;
  do
    list.elems.push_back(parseOperand());
  while (accept(','));
  expect(close);
  return list;
}

void Parser::parseOffset(Operand &operand) {
  while (peek().is('+') || peek().is('-')) {
    bool minus = take().is('-');
    auto value = static_cast<int64_t>(parseBinary(10).bits);
    operand.offset += minus ? -value : value;
  }
}

/// An element of an array: a[2].
void Parser::parseIndex(Operand &operand) {
  const Variable *variable = nullptr;
  if (operand.kind == Operand::Var)
    variable = scope->variable(operand.index);
  else if (auto found = module.varIndex.find(operand.name);
           operand.kind == Operand::Symbol && found != module.varIndex.end())
    variable = &module.vars[static_cast<size_t>(found->second)];
  if (!variable || !accept('['))
    return;
  operand.offset += integer() * static_cast<int64_t>(typeBytes(variable->type));
  expect(']');
}

/// A part of a register, as video instructions take it: %r1.b0.
void Parser::takeSelector(Operand &operand) {
  size_t dot = operand.name.rfind('.');
  if (dot == std::string::npos || dot + 2 >= operand.name.size() ||
      (operand.name[dot + 1] != 'b' && operand.name[dot + 1] != 'h'))
    return;
  int index = scope->findRegister(operand.name.substr(0, dot));
  if (index < 0)
    return;
  operand.kind = Operand::Reg;
  operand.index = index;
  operand.selector = operand.name.substr(dot + 1);
}

Operand Parser::parseMemory() {
  Operand memory;
  memory.kind = Operand::Memory;
  do
    memory.elems.push_back(parseOperand());
  while (accept(','));
  expect(']');
  return memory;
}

Operand Parser::parseName(const Token &token) {
  Operand operand;
  operand.name = std::string(token.text);
  if (token.text == "_") {
    operand.kind = Operand::Sink;
    return operand;
  }
  if ((operand.index = scope->findRegister(token.text)) >= 0) {
    operand.kind = Operand::Reg;
  } else if (takeSelector(operand); operand.kind == Operand::Reg) {
    return operand;
  } else if (token.text[0] == '%') {
    operand.kind = Operand::Special;
  } else if ((operand.index = scope->findVariable(token.text)) >= 0) {
    operand.kind = Operand::Var;
  } else if (module.varIndex.count(operand.name) ||
             module.functionIndex.count(operand.name)) {
    operand.kind = Operand::Symbol;
  } else {
    // A label, a table, or a function defined further down.
    operand.kind = Operand::Symbol;
    operand.index = -1;
  }
  return operand;
}

Operand Parser::parseNumber() {
  Constant value = parseConstant();
  Operand operand;
  operand.kind = value.isDouble ? Operand::Flt64 : Operand::Int;
  operand.bits = value.bits;
  return operand;
}

Operand Parser::parsePrimary() {
  if (accept('{'))
    return parseGroup('}');
  if (!(inCall && peek().is('(')) && startsConstant())
    return parseNumber();
  if (accept('('))
    return parseGroup(')');
  if (accept('['))
    return parseMemory();
  Operand operand;
  if (accept('!')) {
    operand = parsePrimary();
    operand.negated = !operand.negated;
    return operand;
  }
  bool minus = accept('-');
  Token token = take();
  switch (token.kind) {
  case Token::Word:
    operand = parseName(token);
    operand.minus = minus;
    if (minus && operand.kind != Operand::Reg)
      fail("expected a number after '-'");
    return operand;
  case Token::Float32:
    operand.kind = Operand::Flt32;
    operand.bits = token.value ^ (minus ? 0x80000000u : 0u);
    return operand;
  default:
    fail("expected an operand, but got '" + std::string(token.text) + "'");
  }
}

Operand Parser::parseOperand() {
  Operand operand = parsePrimary();
  parseIndex(operand);
  if (operand.kind != Operand::List && operand.kind != Operand::Memory)
    parseOffset(operand);
  if (accept('|'))
    operand.second.push_back(parsePrimary());
  return operand;
}

Module parseModule(std::string text) {
  Module module;
  module.text = std::make_shared<const std::string>(std::move(text));
  Parser(module, lex(*module.text)).run();
  return module;
}

} // namespace fovea::sim
