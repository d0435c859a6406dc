// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GPU's end of the pipeline: LLVM IR, PTX, a cubin, a bundle, or a kernel
// whose PTX the driver compiles at the first launch.
#include "BackEnds.h"

#include "fovea/Conversion/TileToNVVM.h"
#include "fovea/Dialect/Attn/Attn.h"
#include "fovea/Dialect/Tile/Tile.h"
#include "fovea/Target/PTX/PTX.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

using namespace fovea;

namespace {

class SM80BackEnd : public BackEnd {
public:
  runtime::Result<Schedule> schedule(const Compilation &job) override;
  runtime::Result<Artifact> emit(const Compilation &job, Stage stage) override;
  runtime::Result<Kernel> load(const Compilation &job) override;

private:
  runtime::Status lower(const Compilation &job);
  runtime::Result<std::string> ptx(const Compilation &job);
  runtime::Manifest manifest(const Compilation &job);
  runtime::Result<Artifact> bundle(const Compilation &job);

  tile::ScheduleAttr chosen;
  std::vector<ptx::KernelInfo> kernels;
};

/// What masks and scores need of registers beyond plain ones, as chooseSchedule
/// asks: coarse, from what ptxas made of random patterns. The draws of `random`
/// keep a state for every row; long expressions keep partial results.
int64_t elementRegisters(mlir::ModuleOp module) {
  constexpr int64_t drawRegisters = 48, registersPerOp = 8, plainOps = 10;
  int64_t draws = 0, ops = 0;
  module.walk([&](mlir::Operation *op) {
    draws += mlir::isa<attn::RandomOp>(op);
    ops += !op->hasTrait<mlir::OpTrait::ConstantLike>();
  });
  return draws * drawRegisters +
         std::max<int64_t>(ops - plainOps, 0) * registersPerOp;
}

runtime::Result<Schedule> SM80BackEnd::schedule(const Compilation &job) {
  unsigned bits = job.pattern.type == pattern::ElementType::F32 ? 32 : 16;
  llvm::Expected<Schedule> schedule =
      chooseSchedule(getSM80(), job.pattern.qkDim, job.pattern.vDim, bits,
                     overridesOf(job.options), elementRegisters(job.module));
  if (!schedule)
    return wrongInput(schedule.takeError());
  return *schedule;
}

/// From the tile dialect to the LLVM dialect, in place.
runtime::Status SM80BackEnd::lower(const Compilation &job) {
  mlir::ModuleOp module = job.module;
  chosen = (*module.getOps<tile::KernelOp>().begin()).getSchedule();
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(
      module.getContext(), [&](mlir::Diagnostic &d) {
        messages += (messages.empty() ? "" : "; ") + d.str();
        return mlir::success();
      });
  mlir::PassManager passes(module.getContext());
  buildTileToNVVMPipeline(passes, job.options.packedOnly);
  if (mlir::failed(passes.run(module)))
    return runtime::internalError("internal error: " + messages);
  kernels = ptx::kernelsOf(module);
  return {};
}

runtime::Result<std::string> SM80BackEnd::ptx(const Compilation &job) {
  if (runtime::Status status = lower(job); !status)
    return status.error();
  llvm::Expected<std::string> text = ptx::emitPTX(job.module);
  if (!text)
    return internal(text.takeError());
  return std::move(*text);
}

runtime::Manifest SM80BackEnd::manifest(const Compilation &job) {
  runtime::Manifest manifest = manifestOf(job.pattern);
  manifest.target = "sm_80";
  manifest.tileM = chosen.getRows();
  manifest.tileN = chosen.getKeys();
  for (const ptx::KernelInfo &kernel : kernels) {
    runtime::ManifestEntry entry;
    entry.name = kernel.name;
    entry.alignment = kernel.general ? runtime::typeSize(manifest.type) : 16;
    entry.grid = {"ceil(nq / " + std::to_string(kernel.rows) + ")", "heads_q",
                  "batch"};
    entry.block = {kernel.threads, 1, 1};
    entry.sharedBytes = kernel.sharedBytes;
    manifest.entries.push_back(std::move(entry));
  }
  manifest.files.push_back({"kernel.ptx", runtime::FileKind::PTX});
  return manifest;
}

/// Runs ptxas on `text` and puts the cubin and the report into `artifact`.
runtime::Status assemble(const std::string &text, const std::string &name,
                         Artifact &artifact) {
  llvm::Expected<std::string> tool = ptx::findPtxas();
  if (!tool)
    return runtime::machineLacks(llvm::toString(tool.takeError()));
  llvm::Expected<ptx::PtxasResult> result = ptx::runPtxas(text);
  if (!result)
    return internal(result.takeError());
  artifact.files.emplace_back(
      name, std::string(result->cubin.begin(), result->cubin.end()));
  for (const ptx::PtxasEntry &entry : result->entries)
    artifact.assembler.push_back({entry.name, entry.registers,
                                  entry.spillStores, entry.spillLoads,
                                  entry.stackBytes});
  artifact.assemblerMessages = result->messages;
  return {};
}

runtime::Result<Artifact> SM80BackEnd::bundle(const Compilation &job) {
  runtime::Result<std::string> text = ptx(job);
  if (!text)
    return text.error();
  Artifact artifact;
  runtime::Manifest described = manifest(job);
  if (llvm::Expected<std::string> tool = ptx::findPtxas()) {
    if (runtime::Status status = assemble(*text, "kernel.cubin", artifact);
        !status)
      return status.error();
    described.files.insert(described.files.begin(),
                           {"kernel.cubin", runtime::FileKind::Cubin});
  } else {
    llvm::consumeError(tool.takeError()); // PTX alone is a whole bundle
  }
  artifact.files.emplace_back("kernel.ptx", std::move(*text));
  artifact.files.emplace(artifact.files.begin(), "manifest.json",
                         printManifest(described));
  return artifact;
}

runtime::Result<Artifact> SM80BackEnd::emit(const Compilation &job,
                                            Stage stage) {
  Artifact artifact;
  const std::string &name = job.pattern.name;
  switch (stage) {
  case Stage::LLVM: {
    if (runtime::Status status = lower(job); !status)
      return status.error();
    llvm::Expected<std::string> text = ptx::emitLLVM(job.module);
    if (!text)
      return internal(text.takeError());
    artifact.files.emplace_back(name + ".ll", std::move(*text));
    return artifact;
  }
  case Stage::Bundle:
    return bundle(job);
  case Stage::PTX:
  case Stage::Cubin: {
    runtime::Result<std::string> text = ptx(job);
    if (!text)
      return text.error();
    if (stage == Stage::PTX)
      artifact.files.emplace_back(name + ".ptx", std::move(*text));
    else if (runtime::Status status =
                 assemble(*text, name + ".cubin", artifact);
             !status)
      return status.error();
    return artifact;
  }
  default:
    return runtime::wrongInput("expected target host for obj, found 'sm_80'");
  }
}

runtime::Result<Kernel> SM80BackEnd::load(const Compilation &job) {
  runtime::Result<std::string> text = ptx(job);
  if (!text)
    return text.error();
  fovea_file file{"kernel.ptx", text->data(), text->size()};
  fovea_kernel *kernel = nullptr;
  fovea_status status = fovea_kernel_from_files(
      printManifest(manifest(job)).c_str(), &file, 1, &kernel);
  if (status != FOVEA_OK)
    return runtime::Error{status, fovea_last_error()};
  return Kernel(kernel);
}

} // namespace

std::unique_ptr<BackEnd> fovea::createSM80BackEnd() {
  return std::make_unique<SM80BackEnd>();
}
