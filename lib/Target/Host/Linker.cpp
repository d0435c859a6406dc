// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An object -> a shared object, with LLD as a library. LLD reads and writes
// files and keeps global state, hence the temporary folder and the lock.
#include "fovea/Target/Host/Host.h"

#include "lld/Common/CommonLinkerContext.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

static Error writeFile(StringRef path, ArrayRef<char> bytes) {
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (!code)
    stream.write(bytes.data(), bytes.size());
  stream.close();
  if (!code && stream.has_error())
    code = stream.error();
  stream.clear_error();
  if (code)
    return createStringError(code,
                             "cannot write '" + path + "': " + code.message());
  return Error::success();
}

/// Runs LLD; what it says is the error's text.
static Error link(ArrayRef<const char *> arguments) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result =
      lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return Error::success();
  return createStringError(inconvertibleErrorCode(),
                           "linking the kernel failed: " + messages);
}

Expected<SmallVector<char, 0>>
fovea::host::linkSharedObject(ArrayRef<char> object) {
  SmallString<128> folder;
  if (std::error_code code = sys::fs::createUniqueDirectory("fovea", folder))
    return createStringError(code, "cannot make a temporary folder: " +
                                       code.message());
  scope_exit remove([&] { sys::fs::remove_directories(folder); });
  SmallString<128> input = folder, output = folder;
  sys::path::append(input, "kernel.o");
  sys::path::append(output, "kernel.so");
  if (Error error = writeFile(input, object))
    return error;
  if (Error error = link({"ld.lld", "-shared", "--build-id=none", "--threads=1",
                          "--no-undefined", "-soname=kernel.so", "-o",
                          output.c_str(), input.c_str()}))
    return error;
  auto file = MemoryBuffer::getFile(output, /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return createStringError(file.getError(), "cannot read '" + output + "': " +
                                                  file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}
