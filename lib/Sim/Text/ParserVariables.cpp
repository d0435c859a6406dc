// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declarations of variables and their initial values (ISA text, section 5.4).
#include "Parser.h"
#include <algorithm>
#include <bit>

namespace fovea::sim {

void Parser::parseAttribute(Prefix &prefix, std::string_view text) {
  if (text == ".align") {
    prefix.align = static_cast<uint64_t>(integer());
  } else if (text == ".ptr") {
    if (parseSpace(peek().text) != Space::Generic)
      take();
    if (accept(".align"))
      integer();
  } else if (text == ".v2" || text == ".v4") {
    prefix.vector = static_cast<unsigned>(text[2] - '0');
  } else if (text == ".attribute") {
    expect('(');
    while (!accept(')'))
      take();
  } else if (text == ".reg") {
    prefix.isReg = true;
  } else if (parseSpace(text) != Space::Generic) {
    prefix.space = parseSpace(text);
  } else {
    prefix.type = parseType(text.substr(1));
    if (prefix.type == Ty::None &&
        !oneOf(text, {".texref", ".samplerref", ".surfref"}))
      fail("unknown type or directive '" + std::string(text) + "'");
    if (prefix.type == Ty::None)
      fail("textures and surfaces are not supported");
  }
}

Parser::Prefix Parser::parsePrefix(bool isExtern) {
  Prefix prefix;
  prefix.isExtern = isExtern;
  for (splitDirective(); peek().kind == Token::Word && peek().text[0] == '.';
       splitDirective())
    parseAttribute(prefix, take().text);
  if (prefix.type == Ty::None)
    fail("expected a type, but got '" + std::string(peek().text) + "'");
  return prefix;
}

Variable Parser::parseDeclarator(const Prefix &prefix) {
  Variable variable;
  variable.line = peek().line;
  variable.name = std::string(word("a variable name"));
  variable.space = prefix.space;
  variable.type = prefix.type;
  variable.isExtern = prefix.isExtern;
  uint64_t element = typeBytes(prefix.type) * prefix.vector;
  variable.align = prefix.align ? prefix.align : element;
  uint64_t count = 1;
  bool isOpen = false;
  while (accept('[')) {
    if (accept(']')) {
      isOpen = true;
      continue;
    }
    count *= static_cast<uint64_t>(integer());
    expect(']');
  }
  // `name<n>` declares n variables; compilers use it for registers only.
  if (peek().is('<'))
    fail("parameterised variable names are supported for registers only");
  variable.bytes = isOpen ? 0 : element * count;
  if (accept('=')) {
    parseInitialiser(variable, 0, 0);
    if (isOpen)
      for (const Initialiser &init : variable.init)
        variable.bytes = std::max(variable.bytes, init.at + init.bytes);
  } else if (isOpen && !(prefix.space == Space::Shared)) {
    if (!prefix.isExtern)
      fail("variable '" + variable.name + "' has no size");
  }
  if (isOpen && prefix.space == Space::Shared)
    variable.isExtern = true;
  return variable;
}

/// `{a, b, {c, d}}` or a value; nested braces continue in row-major order.
void Parser::parseInitialiser(Variable &variable, uint64_t at, unsigned depth) {
  if (!accept('{'))
    return parseInitialValue(variable, at);
  uint64_t next = at;
  if (accept('}'))
    return;
  do {
    size_t before = variable.init.size();
    parseInitialiser(variable, next, depth + 1);
    for (size_t i = before; i < variable.init.size(); ++i)
      next = std::max(next, variable.init[i].at + variable.init[i].bytes);
  } while (accept(','));
  expect('}');
}

/// sym, generic(sym), each perhaps plus a constant.
void Parser::parseInitialAddress(Initialiser &init) {
  auto offset = [&] {
    while (peek().is('+') || peek().is('-')) {
      bool minus = take().is('-');
      uint64_t value = parseBinary(10).bits;
      init.value += minus ? 0 - value : value;
    }
  };
  bool isGeneric = accept("generic");
  if (isGeneric)
    expect('(');
  init.symbol = std::string(word("a value"));
  offset();
  if (!isGeneric)
    return;
  expect(')');
  offset();
}

void Parser::parseInitialValue(Variable &variable, uint64_t at) {
  Initialiser init{at, typeBytes(variable.type), 0, {}};
  bool negative = peek().is('-') && peek(1).kind == Token::Float32;
  if (negative)
    take();
  bool isMasked = peek().kind == Token::Integer && peek(1).is('(');
  if (isMasked) {
    // 0xFF00(address): a byte of an address.
    init.mask = take().value;
    expect('(');
  }
  if (peek().kind == Token::Float32) {
    init.value = take().value ^ (negative ? 0x80000000u : 0u);
  } else if (startsConstant()) {
    Constant value = parseConstant();
    init.value = value.bits;
    double number = value.isDouble ? std::bit_cast<double>(value.bits)
                    : value.isUnsigned
                        ? static_cast<double>(value.bits)
                        : static_cast<double>(static_cast<int64_t>(value.bits));
    if (variable.type == Ty::F32)
      init.value = std::bit_cast<uint32_t>(static_cast<float>(number));
    else if (variable.type == Ty::F64)
      init.value = std::bit_cast<uint64_t>(number);
  } else {
    parseInitialAddress(init);
  }
  if (isMasked)
    expect(')');
  if (isMasked && !init.mask)
    fail("a mask of 0 takes no bits of a value");
  variable.init.push_back(std::move(init));
}

void Parser::addModuleVariable(Variable variable) {
  if (scope) {
    scope->declareVariable(std::move(variable));
    return;
  }
  // Of a variable that is only declared there is one anyhow: ptxas says that it
  // ignores .extern.
  auto known = module.varIndex.find(variable.name);
  if (known != module.varIndex.end()) {
    if (!variable.isExtern)
      module.vars[static_cast<size_t>(known->second)] = std::move(variable);
    return;
  }
  module.varIndex[variable.name] = static_cast<int>(module.vars.size());
  module.vars.push_back(std::move(variable));
}

} // namespace fovea::sim
