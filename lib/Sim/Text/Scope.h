// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names inside one function. PTX nests scopes and lets an inner one reuse the
// names of registers, variables and labels; `%r<10>` declares ten registers
// at once, which are made one by one here as they are first named.
#ifndef FOVEA_LIB_SIM_SCOPE_H
#define FOVEA_LIB_SIM_SCOPE_H

#include "Module.h"
#include <unordered_map>

namespace fovea::sim {

class ScopeStack {
public:
  explicit ScopeStack(Function &function) : function(function) { push(); }

  void push() { scopes.emplace_back(); }
  /// Labels that the inner scope used but did not define pass to the outer.
  void pop();
  /// Reports labels that no scope defined.
  void finish();

  void declareRegister(const std::string &name, Ty type, int64_t count,
                       unsigned vector, unsigned line);
  /// The register, or -1.
  int findRegister(std::string_view name);

  int declareVariable(Variable variable);
  int findVariable(std::string_view name) const;
  const Variable *variable(int index) const { return &function.vars[index]; }

  void defineLabel(std::string_view name, unsigned line);
  int useLabel(std::string_view name, unsigned line);

  void defineTable(LabelTable table);
  int findTable(std::string_view name) const;

private:
  struct Range {
    Ty type;
    int64_t count;
  };
  struct Scope {
    std::unordered_map<std::string, int> regs, vars, tables, defined;
    std::unordered_map<std::string, Range> ranges;
    struct Use {
      int label;
      unsigned line;
    };
    std::unordered_map<std::string, Use> used;
  };
  int addRegister(const std::string &name, Ty type);
  int findInRange(Scope &scope, std::string_view name);
  int newLabel(std::string_view name);

  Function &function;
  std::vector<Scope> scopes;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SCOPE_H
