// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors, and the rule that every call shares: positional arguments, then named
// ones in any order and each once. A flag (`causal`) is a bare word that may
// stand anywhere after the first positional arguments.

#include "Sema.h"
#include "Words.h"

#include <algorithm>

using namespace fovea::pattern;

/// A text with a thousand mistakes is not a pattern; the first few will do.
constexpr size_t maxErrors = 20;

void Sema::error(const Location &loc, std::string message,
                 std::vector<Note> notes) {
  if (++errors > maxErrors)
    return;
  // In the order of the text, whatever the order of the checks.
  auto place =
      std::upper_bound(result.diagnostics.begin(), result.diagnostics.end(),
                       loc.offset, [](uint32_t offset, const Diagnostic &d) {
                         return offset < d.loc.offset;
                       });
  result.diagnostics.insert(
      place, {Severity::Error, "", loc, std::move(message), std::move(notes)});
}

void Sema::unsupported(const Location &loc, std::string_view what) {
  error(loc, "'" + std::string(what) + "' is not supported yet");
}

/// The location of a call's or subscript's name alone.
Location Sema::nameOf(const Syntax &node) {
  Location loc = node.loc;
  if (!node.text.empty() && loc.isValid())
    loc.length = static_cast<uint32_t>(node.text.size());
  return loc;
}

static bool isMaskOp(SyntaxOp op) {
  return op == SyntaxOp::And || op == SyntaxOp::Or || op == SyntaxOp::Xor;
}

std::string Sema::describe(const Syntax &node) {
  switch (node.kind) {
  case SyntaxKind::Integer:
    return "the integer " + std::to_string(node.integer);
  case SyntaxKind::Float:
    return "a float";
  case SyntaxKind::Name:
    return "'" + node.text + "'";
  case SyntaxKind::Call:
    return "'" + node.text + "(...)'";
  case SyntaxKind::Subscript:
    return "'" + node.text + "[...]'";
  case SyntaxKind::List:
    return "a list";
  case SyntaxKind::Negate:
    if (node.operands[0].kind == SyntaxKind::Integer)
      return "the integer -" + std::to_string(node.operands[0].integer);
    return "a negated number";
  case SyntaxKind::Chain:
    return isMaskOp(node.ops[0]) ? "a mask" : "arithmetic";
  case SyntaxKind::Not:
    return "a mask";
  case SyntaxKind::Compare:
    return "a comparison";
  case SyntaxKind::Case:
  case SyntaxKind::ElseCase:
    return "a case";
  case SyntaxKind::TooDeep:
    break;
  }
  return "more than " + std::to_string(maxNesting) + " levels of nesting";
}

void Sema::expected(const Syntax &node, std::string_view what) {
  if (node.kind == SyntaxKind::TooDeep) {
    error(node.loc, "expected at most " + std::to_string(maxNesting) +
                        " levels of nesting, found more");
    return;
  }
  std::vector<Note> notes;
  bool unknown =
      classify(node.text) == WordClass::None && !declared.count(node.text);
  if (!node.text.empty() && unknown) {
    bool isMask = what == "a mask";
    if (auto nearest = nearestWord(node.text, isMask ? WordClass::Atom
                                                     : WordClass::Function))
      notes.push_back({nameOf(node), "did you mean '" + *nearest + "'?"});
    else if (!isMask && node.kind == SyntaxKind::Name)
      notes.push_back({nameOf(node), "no param is called '" + node.text + "'"});
  }
  error(node.kind == SyntaxKind::Call ? nameOf(node) : node.loc,
        "expected " + std::string(what) + ", found " + describe(node),
        std::move(notes));
}

void Sema::subscript(const Syntax &node) {
  if (paramIndex.count(node.text))
    error(nameOf(node),
          "expected an input, found the param '" + node.text + "'");
  else if (!inputs.count(node.text))
    error(nameOf(node), "expected an input, found '" + node.text +
                            "', which is not declared");
  else
    unsupported(nameOf(node), node.text + "[...]");
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

static bool contains(const std::vector<std::string_view> &words,
                     std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

static std::string countOf(const ArgumentRule &rule) {
  std::string text = std::to_string(rule.minPositional);
  if (rule.maxPositional != rule.minPositional)
    text += " or " + std::to_string(rule.maxPositional);
  text += rule.named.empty() ? "" : " unnamed";
  return text + (rule.maxPositional == 1 ? " argument" : " arguments");
}

/// A named argument, or a flag. False if it is neither.
bool Sema::matchNamed(const Syntax &call, size_t index,
                      const ArgumentRule &rule, Arguments &found) {
  const Syntax &value = call.operands[index];
  const ArgumentName &name = call.names[index];
  if (name.text.empty()) {
    bool isFlag = value.kind == SyntaxKind::Name &&
                  found.positional.size() >= rule.minPositional &&
                  contains(rule.flags, value.text);
    if (!isFlag)
      return false;
    if (!found.flags.insert(value.text).second)
      error(value.loc,
            "expected each argument once, found '" + value.text + "' again");
    return true;
  }
  if (!contains(rule.named, name.text))
    error(name.loc, "expected an argument of '" + call.text + "', found '" +
                        name.text + "'");
  else if (!found.named.try_emplace(name.text, &value).second)
    error(name.loc,
          "expected each argument once, found '" + name.text + "' again");
  return true;
}

bool Sema::match(const Syntax &call, const ArgumentRule &rule,
                 Arguments &found) {
  size_t before = errors;
  std::string who = "'" + call.text + "'";
  for (size_t i = 0; i < call.operands.size(); ++i) {
    if (matchNamed(call, i, rule, found))
      continue;
    const Syntax &value = call.operands[i];
    if (!found.named.empty())
      error(value.loc, "expected unnamed arguments before named ones");
    else if (found.positional.size() == rule.maxPositional)
      error(value.loc,
            "expected " + countOf(rule) + " of " + who + ", found another");
    found.positional.push_back(&value);
  }
  if (errors != before)
    return false;
  if (found.positional.size() < rule.minPositional)
    error(nameOf(call), "expected " + countOf(rule) + " of " + who +
                            ", found " +
                            std::to_string(found.positional.size()));
  for (std::string_view name : rule.named)
    if (name != "per" && !found.named.count(name))
      error(nameOf(call), "expected the argument '" + std::string(name) +
                              "' of " + who + ", found none");
  return errors == before;
}
