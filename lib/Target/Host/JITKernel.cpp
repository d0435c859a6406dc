// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs an object in this process through ORC.
#include "fovea/Target/Host/Host.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace fovea::host;

struct JITKernel::Implementation {
  std::unique_ptr<orc::LLJIT> jit;
};

JITKernel::JITKernel() : implementation(std::make_unique<Implementation>()) {}
JITKernel::~JITKernel() = default;

Expected<std::unique_ptr<JITKernel>>
JITKernel::create(ArrayRef<char> object, StringRef entry, StringRef tiles) {
  std::unique_ptr<JITKernel> kernel(new JITKernel());
  orc::LLJITBuilder builder;
  // The object needs no platform: no initialisers, no thread-local storage.
  builder.setPlatformSetUp(orc::setUpInactivePlatform);
  auto target =
      orc::JITTargetMachineBuilder(Triple("x86_64-unknown-linux-gnu"));
  builder.setJITTargetMachineBuilder(std::move(target));
  Expected<std::unique_ptr<orc::LLJIT>> jit = builder.create();
  if (!jit)
    return jit.takeError();
  auto buffer = MemoryBuffer::getMemBufferCopy(
      StringRef(object.data(), object.size()), entry);
  if (Error error = (*jit)->addObjectFile(std::move(buffer)))
    return error;
  auto function = (*jit)->lookup(entry);
  if (!function)
    return function.takeError();
  auto counts = (*jit)->lookup(tiles);
  if (!counts)
    return counts.takeError();
  kernel->function = function->toPtr<Function>();
  kernel->tilesFunction = counts->toPtr<TilesFunction>();
  kernel->implementation->jit = std::move(*jit);
  return kernel;
}
