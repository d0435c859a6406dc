// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statements: names first, since they may be used before they are declared,
// then heads and dims, which later checks need, then the rest.

#include "Sema.h"
#include "Words.h"

#include "fovea/Pattern/Evaluate.h"
#include "fovea/Pattern/Printer.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace fovea::pattern;

/// Heads and dims beyond this are a mistake, and would overflow a grid.
constexpr int64_t maxSize = int64_t{1} << 20;

ParseResult Sema::run() {
  pattern.name = syntax.name.text;
  pattern.loc = syntax.name.loc;
  checkName(syntax.name, "pattern");
  checkDuplicates();
  declareNames();
  auto isSize = [](const Statement &statement) {
    return statement.kind == StatementKind::Heads ||
           statement.kind == StatementKind::Dim;
  };
  for (const Statement &statement : syntax.statements)
    if (isSize(statement))
      checkStatement(statement);
  for (const Statement &statement : syntax.statements)
    if (!isSize(statement))
      checkStatement(statement);
  checkRequired();
  if (!errors)
    warnings();
  if (!errors)
    result.pattern = std::move(pattern);
  return std::move(result);
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

void Sema::checkDuplicates() {
  std::map<StatementKind, Location> seen;
  for (const Statement &statement : syntax.statements) {
    if (statement.kind == StatementKind::Param ||
        statement.kind == StatementKind::Input)
      continue;
    auto [first, isNew] = seen.try_emplace(statement.kind, statement.loc);
    if (!isNew)
      error(statement.loc,
            "expected one '" + std::string(spell(statement.kind)) +
                "' statement, found another",
            {{first->second, "the first one is here"}});
  }
}

/// The parser gives only names; the builder may give anything.
static bool isName(std::string_view text) {
  auto isLetter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && text.size() <= maxNameLength && isLetter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return isLetter(c) || (c >= '0' && c <= '9');
         });
}

bool Sema::checkName(const Word &name, const char *what) {
  if (!isName(name.text))
    error(name.loc, "expected a name for the " + std::string(what) +
                        " of letters, digits and '_', at most " +
                        std::to_string(maxNameLength) + ", found '" +
                        name.text.substr(0, 40) + "'");
  else if (classify(name.text) != WordClass::None)
    error(name.loc, "expected a name for the " + std::string(what) +
                        ", found the reserved word '" + name.text + "'");
  else
    return true;
  return false;
}

void Sema::declareNames() {
  for (const Statement &statement : syntax.statements) {
    bool isParam = statement.kind == StatementKind::Param;
    if (!isParam && statement.kind != StatementKind::Input)
      continue;
    const Word &name = statement.name;
    if (!checkName(name, isParam ? "param" : "input"))
      continue;
    auto [first, isNew] = declared.try_emplace(name.text, name.loc);
    if (!isNew) {
      error(name.loc, "expected a new name, found '" + name.text + "' again",
            {{first->second, "first declared here"}});
      continue;
    }
    if (isParam)
      declareParam(statement);
    else
      inputs.insert(name.text);
  }
}

void Sema::declareParam(const Statement &statement) {
  Param param;
  param.name = statement.name.text;
  param.loc = statement.name.loc;
  if (statement.word.text == "float")
    param.type = ParamType::Float;
  else if (statement.word.text != "int")
    error(statement.word.loc,
          "expected 'int' or 'float', found '" + statement.word.text + "'");
  if (statement.hasExpr)
    setDefault(param, statement.expr);
  paramIndex[param.name] = static_cast<unsigned>(pattern.params.size());
  pattern.params.push_back(std::move(param));
}

void Sema::setDefault(Param &param, const Syntax &value) {
  bool negative = value.kind == SyntaxKind::Negate;
  const Syntax &number = negative ? value.operands[0] : value;
  bool isInt = number.kind == SyntaxKind::Integer;
  if (param.type == ParamType::Float) {
    auto magnitude = static_cast<float>(
        isInt ? static_cast<double>(number.integer) : number.real);
    if (!std::isfinite(magnitude))
      error(value.loc,
            "expected a finite number, found " + std::to_string(magnitude));
    param.floatDefault = negative ? -magnitude : magnitude;
    return;
  }
  if (!isInt) {
    error(value.loc,
          "expected an integer as the default of an int param, found "
          "a float");
    return;
  }
  constexpr auto largest =
      static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!negative && number.integer > largest)
    error(value.loc, "expected an integer of 64 bits, found '" +
                         std::to_string(number.integer) + "'");
  param.intDefault =
      static_cast<int64_t>(negative ? 0 - number.integer : number.integer);
}

const Param *Sema::findParam(std::string_view name, unsigned *index) const {
  auto found = paramIndex.find(name);
  if (found == paramIndex.end())
    return nullptr;
  if (index)
    *index = found->second;
  return &pattern.params[found->second];
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

void Sema::checkStatement(const Statement &statement) {
  switch (statement.kind) {
  case StatementKind::Heads:
    return checkHeads(statement.expr);
  case StatementKind::Dim:
    return checkDims(statement.expr);
  case StatementKind::Type:
    return checkType(statement.word);
  case StatementKind::Align:
    return checkAlign(statement.word);
  case StatementKind::Param:
    return; // declared already
  case StatementKind::Scale:
    return checkScale(statement.expr);
  case StatementKind::Mask:
    pattern.mask = mask(statement.expr);
    return;
  case StatementKind::Score:
    pattern.score = real(statement.expr, FloatContext::Score);
    return;
  case StatementKind::Input:
  case StatementKind::SinkLogit:
  case StatementKind::Rope:
  case StatementKind::Dropout:
    return unsupported(statement.loc, spell(statement.kind));
  }
}

void Sema::checkRequired() {
  for (StatementKind kind :
       {StatementKind::Heads, StatementKind::Dim, StatementKind::Type}) {
    bool found = std::any_of(
        syntax.statements.begin(), syntax.statements.end(),
        [&](const Statement &statement) { return statement.kind == kind; });
    if (!found)
      error(pattern.loc, "expected a '" + std::string(spell(kind)) +
                             "' statement in pattern '" + pattern.name +
                             "', found none");
  }
}

/// A number of heads or a dimension; 1 after an error.
int64_t Sema::size(const Syntax *value, const char *what) {
  bool fits = value->kind == SyntaxKind::Integer && value->integer >= 1 &&
              value->integer <= static_cast<uint64_t>(maxSize);
  if (fits)
    return static_cast<int64_t>(value->integer);
  error(value->loc, "expected " + std::string(what) + " from 1 to " +
                        std::to_string(maxSize) + ", found " +
                        describe(*value));
  return 1;
}

/// One positional size, or two named ones: `first` and `second` are their
/// values, or null after an error.
static bool twoSizes(const Syntax &call, const char *firstName,
                     const char *secondName, const Syntax *&first,
                     const Syntax *&second) {
  first = second = nullptr;
  if (call.operands.size() == 1 && call.names[0].text.empty()) {
    first = second = call.operands.data();
    return true;
  }
  for (size_t i = 0; i < call.operands.size(); ++i) {
    bool isFirst = call.names[i].text == firstName;
    if (!isFirst && call.names[i].text != secondName)
      return false;
    const Syntax *&slot = isFirst ? first : second;
    if (slot)
      return false;
    slot = &call.operands[i];
  }
  return first && second;
}

void Sema::checkHeads(const Syntax &call) {
  const Syntax *query, *kv;
  if (!twoSizes(call, "q", "kv", query, kv))
    return error(call.loc, "expected 'heads H' or 'heads q = H, kv = G', found "
                           "other arguments");
  size_t before = errors;
  pattern.queryHeads = size(query, "a number of heads");
  pattern.kvHeads =
      kv == query ? pattern.queryHeads : size(kv, "a number of heads");
  if (errors == before && pattern.queryHeads % pattern.kvHeads != 0)
    error(kv->loc, "expected a number of KV heads that divides the " +
                       std::to_string(pattern.queryHeads) +
                       " query heads, found " +
                       std::to_string(pattern.kvHeads));
  headsKnown = errors == before;
  // Later checks divide by the size of a group.
  if (!headsKnown)
    pattern.kvHeads = pattern.queryHeads;
}

void Sema::checkDims(const Syntax &call) {
  const Syntax *qk, *v;
  if (!twoSizes(call, "qk", "v", qk, v))
    return error(call.loc, "expected 'dim D' or 'dim qk = D, v = E', found "
                           "other arguments");
  pattern.qkDim = size(qk, "a dimension");
  pattern.vDim = v == qk ? pattern.qkDim : size(v, "a dimension");
}

void Sema::checkType(const Word &word) {
  for (ElementType type :
       {ElementType::F32, ElementType::F16, ElementType::BF16})
    if (word.text == spell(type)) {
      pattern.type = type;
      return;
    }
  error(word.loc, "expected f16, bf16 or f32, found '" + word.text + "'");
}

void Sema::checkAlign(const Word &word) {
  if (word.text == "start")
    pattern.align = Align::Start;
  else if (word.text != "end")
    error(word.loc, "expected 'end' or 'start', found '" + word.text + "'");
}

static bool readsParam(const FloatExpr &expr) {
  return expr.kind == FloatKind::IntParam ||
         expr.kind == FloatKind::FloatParam ||
         std::any_of(expr.operands.begin(), expr.operands.end(), readsParam);
}

void Sema::checkScale(const Syntax &expr) {
  size_t before = errors;
  pattern.scale = real(expr, FloatContext::Scale);
  if (errors != before)
    return;
  Requirement requirement;
  requirement.kind = RequirementKind::Finite;
  requirement.real = *pattern.scale;
  requirement.expression = print(*pattern.scale, pattern.params);
  requirement.message =
      "expected the scale '" + requirement.expression + "' to be finite";
  requirement.loc = expr.loc;
  if (readsParam(*pattern.scale))
    pattern.requirements.push_back(std::move(requirement));
  else if (auto message = checkRequirement(requirement, pattern, {}))
    error(expr.loc, *message);
}

/// Only what needs no proof; the solver behind the analysis knows the rest.
void Sema::warnings() {
  if (!pattern.mask || pattern.mask->kind != MaskKind::None)
    return;
  result.diagnostics.push_back({Severity::Warning,
                                "",
                                pattern.mask->loc,
                                "the mask 'none' keeps nothing: every row of "
                                "the output will be 0",
                                {}});
}
