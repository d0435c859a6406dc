// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text to artifact or kernel: parse, import, run the pipeline, hand over to the
// target's back end.
#include "BackEnds.h"

#include "fovea/Conversion/PatternToAttn.h"
#include "fovea/Pattern/Parser.h"
#include "fovea/Pipelines/Pipelines.h"
#include "fovea/Pipelines/Registration.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

using namespace fovea;

const char *fovea::compilerVersion() { return FOVEA_VERSION; }

std::optional<Stage> fovea::parseStage(std::string_view name) {
  static constexpr std::pair<std::string_view, Stage> stages[] = {
      {"attn", Stage::Attn},     {"tile", Stage::Tile},
      {"llvm", Stage::LLVM},     {"ptx", Stage::PTX},
      {"cubin", Stage::Cubin},   {"obj", Stage::Object},
      {"bundle", Stage::Bundle},
  };
  for (auto [spelling, stage] : stages)
    if (spelling == name)
      return stage;
  return std::nullopt;
}

ScheduleOverrides fovea::overridesOf(const CompileOptions &options) {
  return {options.rows, options.keys, options.stages, options.warps};
}

runtime::Error fovea::wrongInput(llvm::Error error) {
  return runtime::wrongInput(llvm::toString(std::move(error)));
}

runtime::Error fovea::internal(llvm::Error error) {
  return runtime::internalError("internal error: " +
                                llvm::toString(std::move(error)));
}

namespace {

std::unique_ptr<BackEnd> createBackEnd(std::string_view target) {
  if (target == "host")
    return createHostBackEnd();
  if (target == "sm_80")
    return createSM80BackEnd();
  return nullptr;
}

/// A context of its own for each compilation, so that threads share nothing.
/// Worker threads would cost more than they save on one small kernel.
class Driver {
public:
  Driver(const pattern::Pattern &pattern, const CompileOptions &options)
      : pattern(pattern), options(options),
        context(registry(), mlir::MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
  }

  runtime::Result<Artifact> emit(Stage stage);
  runtime::Result<Kernel> load();

private:
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }
  Compilation job() { return {pattern, options, *module}; }
  Artifact printed(std::string_view extension);
  runtime::Status toAttn();
  runtime::Status toTile();
  runtime::Status run(llvm::function_ref<void(mlir::OpPassManager &)> add);

  const pattern::Pattern &pattern;
  const CompileOptions &options;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<BackEnd> backEnd;
};

Artifact Driver::printed(std::string_view extension) {
  Artifact artifact;
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  artifact.files.emplace_back(pattern.name + std::string(extension),
                              std::move(text));
  return artifact;
}

runtime::Status
Driver::run(llvm::function_ref<void(mlir::OpPassManager &)> add) {
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &d) {
    messages += (messages.empty() ? "" : "; ") + d.str();
    return mlir::success();
  });
  mlir::PassManager passes(&context);
  add(passes);
  if (mlir::failed(passes.run(*module)))
    return runtime::internalError("internal error: " + messages);
  return {};
}

runtime::Status Driver::toAttn() {
  backEnd = createBackEnd(options.target);
  if (!backEnd)
    return runtime::wrongInput("expected target host or sm_80, found '" +
                               options.target + "'");
  module = importPattern(context, pattern, options.file);
  return run([](mlir::OpPassManager &passes) { addAttnPasses(passes); });
}

runtime::Status Driver::toTile() {
  runtime::Result<Schedule> schedule = backEnd->schedule(job());
  if (!schedule)
    return schedule.error();
  return run(
      [&](mlir::OpPassManager &passes) { addTilePasses(passes, *schedule); });
}

runtime::Result<Artifact> Driver::emit(Stage stage) {
  if (runtime::Status status = toAttn(); !status)
    return status.error();
  if (stage == Stage::Attn)
    return printed(".mlir");
  if (runtime::Status status = toTile(); !status)
    return status.error();
  if (stage == Stage::Tile)
    return printed(".mlir");
  return backEnd->emit(job(), stage);
}

runtime::Result<Kernel> Driver::load() {
  if (runtime::Status status = toAttn(); !status)
    return status.error();
  if (runtime::Status status = toTile(); !status)
    return status.error();
  return backEnd->load(job());
}

template <typename T>
Outcome<T> outcomeOf(runtime::Result<T> result, const CompileOptions &options) {
  Outcome<T> outcome;
  if (result) {
    outcome.value.emplace(std::move(*result));
    return outcome;
  }
  outcome.status = result.error().status;
  pattern::Diagnostic diagnostic;
  diagnostic.file = options.file;
  diagnostic.message = result.error().message;
  outcome.diagnostics.push_back(std::move(diagnostic));
  return outcome;
}

/// Parses, then does `what` with the pattern; warnings stay with the value.
template <typename T, typename What>
Outcome<T> withPattern(std::string_view text, const CompileOptions &options,
                       What what) {
  pattern::ParseResult parsed = pattern::parsePattern(text, options.file);
  Outcome<T> outcome;
  if (parsed)
    outcome = what(*parsed.pattern);
  else
    outcome.status = FOVEA_WRONG_INPUT;
  outcome.diagnostics.insert(
      outcome.diagnostics.begin(),
      std::make_move_iterator(parsed.diagnostics.begin()),
      std::make_move_iterator(parsed.diagnostics.end()));
  return outcome;
}

} // namespace

Outcome<Kernel> fovea::compile(const pattern::Pattern &pattern,
                               const CompileOptions &options) {
  return outcomeOf(Driver(pattern, options).load(), options);
}

Outcome<Kernel> fovea::compile(std::string_view text,
                               const CompileOptions &options) {
  return withPattern<Kernel>(text, options,
                             [&](const pattern::Pattern &pattern) {
                               return compile(pattern, options);
                             });
}

Outcome<Artifact> fovea::emit(const pattern::Pattern &pattern, Stage stage,
                              const CompileOptions &options) {
  return outcomeOf(Driver(pattern, options).emit(stage), options);
}

Outcome<Artifact> fovea::emit(std::string_view text, Stage stage,
                              const CompileOptions &options) {
  return withPattern<Artifact>(text, options,
                               [&](const pattern::Pattern &pattern) {
                                 return emit(pattern, stage, options);
                               });
}
