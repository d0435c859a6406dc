// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fovea compile: a pattern to one of the stages, into a file, a folder or
// standard output.

#include "Commands.h"

#include "fovea/Runtime/Files.h"

#include "llvm/Support/Path.h"

#include <cinttypes>
#include <cstdio>
#include <unistd.h>

using namespace fovea;
using namespace fovea::tool;
using runtime::wrongInput;

runtime::Result<std::string> fovea::tool::readPattern(const Options &options) {
  if (options.text)
    return *options.text;
  return runtime::readFile(options.input);
}

void fovea::tool::printDiagnostics(
    const std::vector<pattern::Diagnostic> &diagnostics,
    const std::string &text) {
  std::fputs(pattern::render(diagnostics, text).c_str(), stderr);
}

static bool isText(Stage stage) {
  return stage == Stage::Attn || stage == Stage::Tile || stage == Stage::LLVM ||
         stage == Stage::PTX;
}

/// The name without folder and extension, with the stage's own; in the current
/// folder, as other compilers do.
static std::string defaultOutput(const Options &options) {
  if (isText(options.stage))
    return "-";
  std::string stem =
      options.text ? "pattern" : llvm::sys::path::stem(options.input).str();
  return stem + (options.stage == Stage::Bundle  ? ".fovea"
                 : options.stage == Stage::Cubin ? ".cubin"
                                                 : ".o");
}

static runtime::Status writeToStandardOutput(const std::string &bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size() ||
      std::fflush(stdout) != 0)
    return wrongInput("cannot write to standard output");
  return runtime::Status();
}

static runtime::Status writeBundleFiles(const std::string &path,
                                        const Artifact &artifact) {
  std::vector<runtime::BundleFile> files;
  std::string manifestText;
  for (const auto &[name, contents] : artifact.files) {
    if (name == "manifest.json")
      manifestText = contents;
    else
      files.push_back({name, contents});
  }
  runtime::Result<runtime::Manifest> manifest =
      runtime::parseManifest(manifestText);
  if (!manifest) // we wrote it ourselves
    return runtime::internalError(manifest.error().message);
  return runtime::writeBundle(path, *manifest, files);
}

static runtime::Status writeArtifact(const Options &options,
                                     const std::string &path,
                                     const Artifact &artifact) {
  if (options.stage == Stage::Bundle) {
    if (path == "-")
      return wrongInput("expected -o with a folder for a bundle, found '-'");
    return writeBundleFiles(path, artifact);
  }
  if (artifact.files.empty())
    return runtime::internalError("the compiler gave no file");
  const std::string &bytes = artifact.files.front().second;
  if (path != "-")
    return runtime::writeFileAtomically(path, {bytes});
  if (!isText(options.stage) && isatty(STDOUT_FILENO))
    return wrongInput("refusing to write a binary file to a terminal");
  return writeToStandardOutput(bytes);
}

/// What ptxas said, on standard error when the artifact is on standard output.
static void printAssembler(const Artifact &artifact, bool toStdout) {
  std::FILE *to = toStdout ? stderr : stdout;
  for (const AssemblerReport &r : artifact.assembler)
    std::fprintf(to,
                 "ptxas: %s: %" PRId64 " registers, %" PRId64
                 " bytes spilled, %" PRId64 " bytes of stack, %" PRId64
                 " bytes of static shared memory\n",
                 r.entry.c_str(), r.registers, r.spillStores + r.spillLoads,
                 r.stackBytes, r.sharedBytes);
  if (!artifact.assembler.empty())
    std::fprintf(to, "ptxas: messages: %s\n",
                 artifact.assemblerMessages.empty()
                     ? "none"
                     : artifact.assemblerMessages.c_str());
}

runtime::Status fovea::tool::runCompile(const Options &options) {
  runtime::Result<std::string> text = readPattern(options);
  if (!text)
    return text.error();
  Outcome<Artifact> artifact = emit(*text, options.stage, options.compile);
  printDiagnostics(artifact.diagnostics, *text);
  if (!artifact)
    return alreadyShown(artifact.status);
  std::string path =
      options.output.empty() ? defaultOutput(options) : options.output;
  if (runtime::Status s = writeArtifact(options, path, *artifact); !s)
    return s;
  if (path != "-")
    std::printf("wrote %s\n", path.c_str());
  printAssembler(*artifact, path == "-");
  return runtime::Status();
}
