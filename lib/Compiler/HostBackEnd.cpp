// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The host's end of the pipeline: LLVM IR, an object, a bundle with a shared
// object, or a kernel in memory.
#include "BackEnds.h"

#include "fovea/Target/Host/Host.h"

using namespace fovea;

namespace {

/// Code and the object made from it.
struct Built {
  host::KernelCode code;
  llvm::SmallVector<char, 0> object;
  std::vector<std::string> instructionSet;
};

class HostBackEnd : public BackEnd {
public:
  runtime::Result<Schedule> schedule(const Compilation &job) override {
    llvm::Expected<Schedule> schedule = host::chooseSchedule(
        job.pattern.qkDim, job.pattern.vDim, overridesOf(job.options));
    if (!schedule)
      return wrongInput(schedule.takeError());
    return chosen = *schedule;
  }

  runtime::Result<Artifact> emit(const Compilation &job, Stage stage) override;
  runtime::Result<Kernel> load(const Compilation &job) override;

private:
  runtime::Result<Built> build(const Compilation &job);
  runtime::Manifest manifest(const Compilation &job, const Built &built);
  runtime::Result<Artifact> bundle(const Compilation &job, const Built &built);

  Schedule chosen{}; ///< by schedule(), which comes first
};

runtime::Result<Built> HostBackEnd::build(const Compilation &job) {
  llvm::StringRef name = job.options.instructionSet;
  llvm::Expected<host::InstructionSet> set = host::InstructionSet::parse(name);
  if (!set) {
    bool detecting = name.empty() || name == "native";
    std::string message = llvm::toString(set.takeError());
    return detecting ? runtime::machineLacks(message)
                     : runtime::wrongInput(message);
  }
  llvm::Expected<host::KernelCode> code = host::lower(job.module, *set);
  if (!code)
    return internal(code.takeError());
  if (job.options.countOnly)
    host::keepOnlyTiles(*code);
  auto object = host::emitObject(*code, *set);
  if (!object)
    return internal(object.takeError());
  return Built{std::move(*code), std::move(*object), set->manifestNames()};
}

runtime::Manifest HostBackEnd::manifest(const Compilation &job,
                                        const Built &built) {
  runtime::Manifest manifest = manifestOf(job.pattern);
  manifest.target = "host";
  manifest.instructionSet = built.instructionSet;
  manifest.tileM = chosen.rows;
  manifest.tileN = chosen.keys;
  runtime::ManifestEntry entry;
  entry.name = built.code.entry;
  entry.alignment = runtime::typeSize(manifest.type);
  entry.grid = {"ceil(nq / " + std::to_string(chosen.rows) + ")", "heads_q",
                "batch"};
  entry.scratchBytes = built.code.scratchBytes;
  entry.tiles = built.code.tiles;
  manifest.entries.push_back(std::move(entry));
  manifest.files.push_back({"kernel.so", runtime::FileKind::SharedObject});
  return manifest;
}

runtime::Result<Artifact> HostBackEnd::bundle(const Compilation &job,
                                              const Built &built) {
  auto shared = host::linkSharedObject(built.object);
  if (!shared)
    return internal(shared.takeError());
  Artifact artifact;
  artifact.files.emplace_back("manifest.json",
                              printManifest(manifest(job, built)));
  artifact.files.emplace_back("kernel.so",
                              std::string(shared->begin(), shared->end()));
  return artifact;
}

runtime::Result<Artifact> HostBackEnd::emit(const Compilation &job,
                                            Stage stage) {
  if (stage == Stage::PTX || stage == Stage::Cubin)
    return runtime::wrongInput(
        "expected target sm_80 for ptx and cubin, found 'host'");
  runtime::Result<Built> built = build(job);
  if (!built)
    return built.error();
  if (stage == Stage::Bundle)
    return bundle(job, *built);
  Artifact artifact;
  std::string contents;
  if (stage == Stage::LLVM) {
    llvm::raw_string_ostream stream(contents);
    built->code.module->print(stream, nullptr);
  } else {
    contents.assign(built->object.begin(), built->object.end());
  }
  const char *extension = stage == Stage::LLVM ? ".ll" : ".o";
  artifact.files.emplace_back(job.pattern.name + extension,
                              std::move(contents));
  return artifact;
}

runtime::Result<Kernel> HostBackEnd::load(const Compilation &job) {
  runtime::Result<Built> built = build(job);
  if (!built)
    return built.error();
  auto jit = host::JITKernel::create(built->object, built->code.entry,
                                     built->code.tiles);
  if (!jit)
    return internal(jit.takeError());
  std::string text = printManifest(manifest(job, *built));
  host::JITKernel *owner = jit->release();
  auto release = [](void *owner) {
    delete static_cast<host::JITKernel *>(owner);
  };
  fovea_kernel *kernel = nullptr;
  fovea_status status = fovea_kernel_from_functions(
      text.c_str(), job.options.countOnly ? nullptr : owner->getFunction(),
      owner->getTilesFunction(), release, owner, &kernel);
  if (status != FOVEA_OK)
    return runtime::Error{status, fovea_last_error()};
  return Kernel(kernel);
}

} // namespace

std::unique_ptr<BackEnd> fovea::createHostBackEnd() {
  return std::make_unique<HostBackEnd>();
}
