// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects, shared objects and instruction sets.
#include "HostTestKernel.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <dlfcn.h>

using namespace fovea::host;
using namespace fovea::host::test;

namespace {

KernelText smallCausal() {
  KernelText text = causalText();
  text.qkDim = text.vDim = 16;
  return text;
}

Problem problemOf(const KernelText &text) {
  Problem p;
  p.text = text;
  p.nq = p.nk = 70;
  p.kept = [](int64_t q, int64_t k) { return k <= q; };
  p.logit = [](double s, int64_t, int64_t) { return s * 0.25; };
  return p;
}

TEST(HostObject, SameInputGivesTheSameBytes) {
  auto first = Compiled::createOrDie(smallCausal());
  auto second = Compiled::createOrDie(smallCausal());
  EXPECT_EQ(first->object, second->object);
  EXPECT_EQ(llvm::cantFail(linkSharedObject(first->object)),
            llvm::cantFail(linkSharedObject(second->object)));
}

TEST(HostObject, NeedsNothingFromOutside) {
  KernelText text = smallCausal();
  text.storage =
      Storage::BF16; // a conversion LLVM would rather call a library for
  auto compiled = Compiled::createOrDie(text);
  auto object = llvm::cantFail(
      llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(
          llvm::StringRef(compiled->object.data(), compiled->object.size()),
          "")));
  for (const llvm::object::SymbolRef &symbol : object->symbols())
    if (llvm::cantFail(symbol.getFlags()) &
        llvm::object::SymbolRef::SF_Undefined)
      EXPECT_EQ(llvm::cantFail(symbol.getName()).str(), "");
}

TEST(HostObject, SharedObjectLoadsAndRuns) {
  auto compiled = Compiled::createOrDie(smallCausal());
  auto shared = llvm::cantFail(linkSharedObject(compiled->object));
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("kernel", "so", path));
  {
    std::error_code code;
    llvm::raw_fd_ostream stream(path, code);
    stream.write(shared.data(), shared.size());
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(library) << dlerror();
  Problem p = problemOf(smallCausal());
  Compiled loaded;
  loaded.scratchBytes = compiled->scratchBytes;
  loaded.function =
      reinterpret_cast<JITKernel::Function>(dlsym(library, "kernel"));
  loaded.tiles = reinterpret_cast<JITKernel::TilesFunction>(
      dlsym(library, "kernel_tiles"));
  ASSERT_TRUE(loaded.function && loaded.tiles);
  Outcome outcome = runRandom(loaded, p);
  EXPECT_LT(outcome.maxError, 3e-6);
  EXPECT_EQ(outcome.counts[2], outcome.keptPairs);
  dlclose(library);
  llvm::sys::fs::remove(path);
}

TEST(HostObject, LinkingGarbageIsAnError) {
  auto shared = linkSharedObject(llvm::ArrayRef<char>("not an object", 13));
  ASSERT_FALSE(shared);
  EXPECT_NE(
      llvm::toString(shared.takeError()).find("linking the kernel failed"),
      std::string::npos);
}

TEST(InstructionSet, LevelsAndTheirLanes) {
  EXPECT_EQ(llvm::cantFail(InstructionSet::parse("x86-64-v3")).getLanes(), 8);
  EXPECT_EQ(llvm::cantFail(InstructionSet::parse("x86-64-v4")).getLanes(), 16);
  auto native = llvm::cantFail(InstructionSet::parse("native"));
  EXPECT_EQ(native.getName(),
            llvm::cantFail(InstructionSet::detect()).getName());
  auto unknown = InstructionSet::parse("sse2");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(
      llvm::toString(unknown.takeError()),
      "expected the instruction set to be x86-64-v3, x86-64-v4 or native, but "
      "got 'sse2'");
}

TEST(HostSchedule, OverridesAreChecked) {
  fovea::ScheduleOverrides overrides;
  overrides.keys = 0;
  auto schedule = chooseSchedule(64, 64, overrides);
  ASSERT_FALSE(schedule);
  EXPECT_EQ(
      llvm::toString(schedule.takeError()),
      "expected keys of a tile between 1 and 4096 on the host, but got 0");
}

} // namespace
