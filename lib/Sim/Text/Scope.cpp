// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names inside one function: see the header.
#include "Scope.h"

namespace fovea::sim {

int ScopeStack::addRegister(const std::string &name, Ty type) {
  int index = static_cast<int>(function.regs.size());
  function.regs.push_back({name, type});
  return index;
}

void ScopeStack::declareRegister(const std::string &name, Ty type,
                                 int64_t count, unsigned vector,
                                 unsigned line) {
  Scope &scope = scopes.back();
  if (count >= 0) {
    scope.ranges[name] = {type, count};
    return;
  }
  static const char *const element[] = {".x", ".y", ".z", ".w"};
  if (vector > 1) {
    for (unsigned i = 0; i < vector; ++i)
      scope.regs[name + element[i]] = addRegister(name + element[i], type);
    return;
  }
  if (!scope.regs.emplace(name, 0).second)
    throw UnsupportedError(line, "register '" + name + "' is declared twice");
  scope.regs[name] = addRegister(name, type);
}

int ScopeStack::findInRange(Scope &scope, std::string_view name) {
  if (scope.ranges.empty())
    return -1;
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
    --digits;
  // `%a1<5>` declares %a10 to %a14, so every split of the digits is tried.
  for (size_t split = digits; split < name.size(); ++split) {
    if (name[split] == '0' && split + 1 != name.size())
      continue;
    auto found = scope.ranges.find(std::string(name.substr(0, split)));
    if (found == scope.ranges.end() || name.size() - split > 9)
      continue;
    int64_t number = std::stoll(std::string(name.substr(split)));
    if (number >= found->second.count)
      continue;
    int index = addRegister(std::string(name), found->second.type);
    scope.regs.emplace(std::string(name), index);
    return index;
  }
  return -1;
}

int ScopeStack::findRegister(std::string_view name) {
  std::string key(name);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->regs.find(key);
    if (found != scope->regs.end())
      return found->second;
    int index = findInRange(*scope, name);
    if (index >= 0)
      return index;
  }
  return -1;
}

int ScopeStack::declareVariable(Variable variable) {
  int index = static_cast<int>(function.vars.size());
  scopes.back().vars[variable.name] = index;
  function.vars.push_back(std::move(variable));
  return index;
}

int ScopeStack::findVariable(std::string_view name) const {
  std::string key(name);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->vars.find(key);
    if (found != scope->vars.end())
      return found->second;
  }
  return -1;
}

int ScopeStack::newLabel(std::string_view name) {
  function.labels.push_back(-1);
  function.labelNames.emplace_back(name);
  return static_cast<int>(function.labels.size()) - 1;
}

void ScopeStack::defineLabel(std::string_view name, unsigned line) {
  Scope &scope = scopes.back();
  std::string key(name);
  if (scope.defined.count(key))
    throw UnsupportedError(line, "label '" + key + "' is defined twice");
  auto use = scope.used.find(key);
  int label = use != scope.used.end() ? use->second.label : newLabel(name);
  scope.used.erase(key);
  scope.defined[key] = label;
  function.labels[label] = static_cast<int64_t>(function.body.size());
}

int ScopeStack::useLabel(std::string_view name, unsigned line) {
  // A later definition in this scope would win over an outer one, so even a
  // label known outside stays open until the scope ends.
  Scope &scope = scopes.back();
  std::string key(name);
  auto defined = scope.defined.find(key);
  if (defined != scope.defined.end())
    return defined->second;
  auto [use, isNew] = scope.used.emplace(key, Scope::Use{-1, line});
  if (isNew)
    use->second.label = newLabel(name);
  return use->second.label;
}

void ScopeStack::pop() {
  Scope inner = std::move(scopes.back());
  scopes.pop_back();
  Scope &outer = scopes.back();
  for (auto &[name, use] : inner.used) {
    auto defined = outer.defined.find(name);
    if (defined != outer.defined.end()) {
      function.labels[use.label] = function.labels[defined->second];
      continue;
    }
    auto [entry, isNew] = outer.used.emplace(name, use);
    // Two open uses of one name: the second follows the first at the end.
    if (!isNew)
      function.labels[use.label] = -2 - entry->second.label;
  }
}

void ScopeStack::finish() {
  for (auto &[name, use] : scopes.back().used)
    throw UnsupportedError(use.line, "unknown label '" + name + "'");
  for (int64_t &target : function.labels)
    while (target <= -2)
      target = function.labels[static_cast<size_t>(-2 - target)];
}

void ScopeStack::defineTable(LabelTable table) {
  scopes.back().tables[table.name] = static_cast<int>(function.tables.size());
  function.tables.push_back(std::move(table));
}

int ScopeStack::findTable(std::string_view name) const {
  std::string key(name);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    auto found = scope->tables.find(key);
    if (found != scope->tables.end())
      return found->second;
  }
  return -1;
}

} // namespace fovea::sim
