// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Branches, calls, exits (ISA text, section 9.7.12), and instructions that do
// nothing here.
#include "Machine/Calls.h"
#include "Program/Decoder.h"

namespace fovea::sim {
namespace {

void decodeBra(Decoder &d) {
  d.has("uni");
  d.expectOperands(1);
  if (d.op(0).kind != Operand::Label)
    d.fail("the target of 'bra' is not a label");
  Inst &inst = d.emit(nullptr, {}, {}, Pipe::Control);
  inst.flow = Flow::Bra;
  inst.target = static_cast<uint32_t>(d.op(0).index); // patched later
}

void decodeBrx(Decoder &d) {
  if (!d.has("idx"))
    d.fail("'brx' lacks '.idx'");
  d.has("uni");
  d.expectOperands(2);
  if (d.op(1).kind != Operand::Table)
    d.fail("unknown table '" + d.op(1).name + "'");
  const LabelTable &table = d.function.tables[d.op(1).index];
  uint32_t index = d.src(d.op(0), Ty::U32);
  Inst &inst = d.emit(nullptr, {}, {index}, Pipe::Control);
  inst.flow = Flow::Brx;
  inst.aux = static_cast<uint32_t>(d.program.tables.size());
  std::vector<uint32_t> labels(table.labels.begin(), table.labels.end());
  d.program.tables.push_back(std::move(labels)); // patched later
}

/// The place of an argument or result: a parameter variable or a register.
CallSite::Value placeOf(Decoder &d, const Operand &operand) {
  if (operand.kind == Operand::Var) {
    const Variable &variable = d.function.vars[operand.index];
    uint64_t address = d.varAddress(operand);
    if (variable.space != Space::Param || (address >> 48) != 2)
      d.fail("argument '" + operand.name + "' is not a local parameter");
    return {true, static_cast<uint32_t>(address),
            static_cast<uint32_t>(variable.bytes)};
  }
  if (operand.kind == Operand::Reg) {
    Ty ty = d.regType(operand);
    return {false, d.src(operand, ty), std::max(4u, typeBytes(ty))};
  }
  if (operand.kind == Operand::Sink)
    return {false, d.program.scratchCell, 8};
  return {false, d.constant(d.immediate(operand), true), 8};
}

std::vector<CallSite::Value> placesOf(Decoder &d, const Operand &list) {
  std::vector<CallSite::Value> values;
  for (const Operand &element : list.elems)
    values.push_back(placeOf(d, element));
  return values;
}

void emitBuiltin(Decoder &d, Builtin builtin, CallSite site) {
  Inst &inst = d.emit(execBuiltin, {}, {}, Pipe::Control);
  inst.kind = static_cast<uint8_t>(builtin);
  inst.aux = static_cast<uint32_t>(d.program.calls.size());
  inst.ownTaint = true;
  d.program.calls.push_back(std::move(site));
  d.program.usesHeap |= builtin == Builtin::Malloc;
}

void decodeCall(Decoder &d) {
  d.has("uni");
  CallSite site;
  size_t next = 0;
  if (d.count() > next && d.op(next).kind == Operand::List)
    site.results = placesOf(d, d.op(next++));
  if (d.count() <= next)
    d.fail("'call' lacks a target");
  const Operand &target = d.op(next++);
  if (d.count() > next && d.op(next).kind == Operand::List)
    site.args = placesOf(d, d.op(next++));
  if (d.count() > next)
    ++next; // the prototype or list of targets
  d.expectOperands(next);
  std::vector<uint32_t> sources;
  if (target.kind == Operand::Symbol) {
    auto found = d.builder.module.functionIndex.find(target.name);
    if (found == d.builder.module.functionIndex.end())
      d.fail("unknown function '" + target.name + "'");
    if (!d.builder.module.functions[found->second].hasBody) {
      Builtin builtin = builtinNamed(target.name);
      if (builtin == Builtin::None)
        d.fail("function '" + target.name + "' has no body");
      return emitBuiltin(d, builtin, std::move(site));
    }
    site.function = found->second;
  } else {
    sources.push_back(d.src(target, Ty::B64));
  }
  Inst &inst = d.emit(nullptr, {}, sources, Pipe::Control);
  inst.flow = Flow::Call;
  inst.aux = static_cast<uint32_t>(d.program.calls.size());
  d.program.calls.push_back(std::move(site));
}

template <Flow F> void decodeEnd(Decoder &d) {
  d.has("uni");
  d.expectOperands(0);
  d.emit(nullptr, {}, {}, Pipe::Control).flow = F;
}

void execNothing(Warp &, const Inst &, uint32_t) {}

template <const char *const &What> void decodeRefused(Decoder &d) {
  d.fail("'" + d.fullName() + "' is not supported: there are no " + What);
}
const char *const textures = "textures and surfaces";
const char *const multicast = "memories of several devices";

void decodeIgnored(Decoder &d) {
  for (size_t i = 1; i < d.statement->opcode.size(); ++i)
    d.next("a modifier");
  d.emit(execNothing, {}, {}, Pipe::Control).ownTaint = true;
}

} // namespace

void addControlOps(OpcodeTable &t) {
  t["bra"] = decodeBra;
  t["brx"] = decodeBrx;
  t["call"] = decodeCall;
  t["ret"] = decodeEnd<Flow::Ret>;
  t["exit"] = decodeEnd<Flow::Exit>;
  t["trap"] = decodeEnd<Flow::Trap>;
  for (const char *name :
       {"tex", "tld4", "txq", "suld", "sust", "sured", "suq", "istypep"})
    t[name] = decodeRefused<textures>;
  t["multimem"] = decodeRefused<multicast>;
  t["brkpt"] = decodeIgnored;
  t["nanosleep"] = decodeIgnored;
  t["pmevent"] = decodeIgnored;
  t["griddepcontrol"] = decodeIgnored;
}

} // namespace fovea::sim
