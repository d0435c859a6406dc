// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finding and running NVIDIA's assembler, and reading its report.
#include "fovea/Target/PTX/PTX.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace fovea::ptx;
namespace fs = llvm::sys::fs;

/// The executable of the PyPI package under a virtual environment, or "".
static std::string findInEnvironment(llvm::StringRef root) {
  std::error_code error;
  llvm::SmallString<128> lib(root);
  llvm::sys::path::append(lib, "lib");
  for (fs::directory_iterator it(lib, error), end; it != end && !error;
       it.increment(error))
    for (llvm::StringRef package : {"cu13", "cuda_nvcc", "cu12"}) {
      llvm::SmallString<256> path(it->path());
      llvm::sys::path::append(path, "site-packages", "nvidia", package);
      llvm::sys::path::append(path, "bin", "ptxas");
      if (fs::can_execute(path))
        return path.str().str();
    }
  return "";
}

llvm::Expected<std::string> fovea::ptx::findPtxas() {
  using llvm::sys::Process;
  if (auto given = Process::GetEnv("FOVEA_PTXAS")) {
    if (fs::can_execute(*given))
      return *given;
    return llvm::createStringError("FOVEA_PTXAS names '" + *given +
                                   "', which is no executable file");
  }
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  if (fs::can_execute("/usr/local/cuda/bin/ptxas"))
    return "/usr/local/cuda/bin/ptxas";
  if (auto environment = Process::GetEnv("VIRTUAL_ENV"))
    if (std::string path = findInEnvironment(*environment); !path.empty())
      return path;
  return llvm::createStringError(
      "no ptxas in FOVEA_PTXAS, PATH, /usr/local/cuda/bin or VIRTUAL_ENV: "
      "install the "
      "CUDA toolkit, or the PyPI package nvidia-cuda-nvcc in a virtual "
      "environment");
}

/// ptxas info    : Compiling entry function 'f' for 'sm_80'
/// ptxas info    : Function properties for f
///     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
/// ptxas info    : Used 190 registers, used 1 barriers, 512 bytes cmem[0]
PtxasResult fovea::ptx::parsePtxasReport(llvm::StringRef report) {
  PtxasResult result;
  llvm::Regex entry("Compiling entry function '([^']+)'");
  llvm::Regex spills("([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores, "
                     "([0-9]+) bytes spill loads");
  llvm::Regex used("Used ([0-9]+) registers");
  llvm::SmallVector<llvm::StringRef> lines, match;
  report.split(lines, '\n', -1, /*KeepEmpty=*/false);
  auto number = [](llvm::StringRef text) {
    int64_t value = 0;
    text.getAsInteger(10, value);
    return value;
  };
  for (llvm::StringRef line : lines) {
    if (entry.match(line, &match)) {
      result.entries.emplace_back();
      result.entries.back().name = match[1].str();
    } else if (spills.match(line, &match) && !result.entries.empty()) {
      PtxasEntry &last = result.entries.back();
      last.stackBytes = number(match[1]);
      last.spillStores = number(match[2]);
      last.spillLoads = number(match[3]);
    } else if (used.match(line, &match) && !result.entries.empty()) {
      result.entries.back().registers = number(match[1]);
    } else if (!line.starts_with("ptxas info")) {
      result.messages += line.str() + "\n";
    }
  }
  return result;
}

namespace {
/// A file in the temporary folder that goes away with its owner.
struct TemporaryFile {
  llvm::SmallString<128> path;
  explicit TemporaryFile(llvm::StringRef suffix) {
    error = fs::createTemporaryFile("fovea", suffix, path);
  }
  ~TemporaryFile() { fs::remove(path); }
  std::error_code error;

  std::string read() const {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }
};
} // namespace

llvm::Expected<PtxasResult> fovea::ptx::runPtxas(llvm::StringRef ptx,
                                                 llvm::StringRef cpu) {
  auto program = findPtxas();
  if (!program)
    return program.takeError();
  TemporaryFile input("ptx"), output("cubin"), report("txt");
  for (const TemporaryFile *file : {&input, &output, &report})
    if (file->error)
      return llvm::createStringError(file->error,
                                     "cannot create a temporary file");
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(input.path, error);
    stream << ptx;
    stream.close();
    if (error || stream.has_error())
      return llvm::createStringError("cannot write the temporary file '" +
                                     input.path.str().str() + "'");
  }
  std::string arch = ("-arch=" + cpu).str();
  llvm::StringRef arguments[] = {*program,   "-v", "-O3",      arch,
                                 input.path, "-o", output.path};
  std::optional<llvm::StringRef> redirects[] = {"", report.path, report.path};
  std::string error;
  int status =
      llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, redirects,
                                /*SecondsToWait=*/0, /*MemoryLimit=*/0, &error);
  std::string text = report.read();
  if (status != 0)
    return llvm::createStringError("ptxas failed with status " +
                                   std::to_string(status) + ": " +
                                   (error.empty() ? text : error));
  PtxasResult result = parsePtxasReport(text);
  std::string cubin = output.read();
  result.cubin.assign(cubin.begin(), cubin.end());
  return result;
}
