// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// fovea-tightness: how much a schedule does that it need not. A tile is needed
// if it holds a kept pair, and partial if it also holds a dropped one (or
// passes the last key). The kernel counts the tiles that it visits and masks;
// here every pair is asked for, by the reference. 1.00 is the best a schedule
// can be.

#include "fovea/Compiler.h"
#include "fovea/Pattern/Parser.h"
#include "fovea/Reference/Reference.h"

#include "llvm/Support/CommandLine.h"
#include <cstdio>

using namespace fovea;
using namespace llvm;

// LLVM's options are static by design.
// NOLINTBEGIN(bugprone-throwing-static-initialization)
static cl::OptionCategory category("Options");
static cl::list<std::string> masksOption(cl::Positional, cl::OneOrMore,
                                         cl::desc("MASK..."),
                                         cl::cat(category));
static cl::opt<int64_t> queriesOption("nq", cl::desc("Queries (2000)"),
                                      cl::init(2000), cl::cat(category));
static cl::opt<int64_t> keysOption("nk", cl::desc("Keys (as many as queries)"),
                                   cl::init(-1), cl::cat(category));
static cl::opt<double>
    boundOption("at-most",
                cl::desc("Fail where one of the two ratios is larger"),
                cl::init(HUGE_VAL), cl::cat(category));
// NOLINTEND(bugprone-throwing-static-initialization)

namespace {
struct Tiles {
  int64_t needed = 0, partial = 0;
};

/// Heads of the pattern that the mask is put into.
constexpr int64_t heads = 2;
} // namespace

static std::string patternOf(const std::string &mask) {
  return "pattern p { heads " + std::to_string(heads) +
         " dim 64 type f32 mask " + mask + " }";
}

/// Adds one tile: queries from `row`, keys from `column`.
static void classify(const pattern::Pattern &pattern, int64_t h, int64_t row,
                     int64_t column, const fovea_kernel_info &info, int64_t nq,
                     int64_t nk, Tiles &tiles) {
  bool any = false, all = column + info.tile_n <= nk;
  for (int64_t i = row; i < std::min(row + info.tile_m, nq); ++i)
    for (int64_t j = column; j < std::min(column + info.tile_n, nk); ++j) {
      bool kept = reference::keeps(pattern, {}, {0, h, i, j, nq, nk});
      any |= kept;
      all &= kept;
    }
  tiles.needed += any;
  tiles.partial += any && !all;
}

static Tiles countByHand(const pattern::Pattern &pattern,
                         const fovea_kernel_info &info, int64_t nq,
                         int64_t nk) {
  Tiles tiles;
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t row = 0; row < nq; row += info.tile_m)
      for (int64_t column = 0; column < nk; column += info.tile_n)
        classify(pattern, h, row, column, info, nq, nk, tiles);
  return tiles;
}

static fovea_tile_counts countByKernel(const Kernel &kernel, int64_t nq,
                                       int64_t nk) {
  fovea_launch launch;
  fovea_launch_init(&launch);
  auto tensor = [](int64_t n) -> fovea_tensor {
    return {
        nullptr, FOVEA_F32, {1, heads, n, 64}, {heads * n * 64, n * 64, 64, 1}};
  };
  launch.q = launch.o = tensor(nq);
  launch.k = launch.v = tensor(nk);
  fovea_tile_counts counts{};
  if (fovea_count_tiles(kernel.get(), &launch, &counts) != FOVEA_OK) {
    std::fprintf(stderr, "fovea-tightness: error: %s\n", fovea_last_error());
    std::exit(1);
  }
  return counts;
}

/// 1 where there was nothing to do and nothing was done.
static double ratio(int64_t done, int64_t needed) {
  return done == needed ? 1 : double(done) / double(needed);
}

/// Prints one line; whether both ratios are within the bound.
static bool measure(const std::string &mask, int64_t nq, int64_t nk) {
  std::string text = patternOf(mask);
  Outcome<Kernel> kernel = compile(text);
  if (!kernel) {
    std::fputs(pattern::render(kernel.diagnostics, text).c_str(), stderr);
    std::exit(1);
  }
  fovea_kernel_info info;
  fovea_kernel_get_info(kernel->get(), &info);
  pattern::ParseResult parsed = pattern::parsePattern(text, "<mask>");
  Tiles tiles = countByHand(*parsed.pattern, info, nq, nk);
  fovea_tile_counts counts = countByKernel(*kernel, nq, nk);
  double visited = ratio(counts.visited, tiles.needed);
  double masked = ratio(counts.masked, tiles.partial);
  std::printf("%7ld %7ld %6.2f   %7ld %7ld %6.2f   %s\n", counts.visited,
              tiles.needed, visited, counts.masked, tiles.partial, masked,
              mask.c_str());
  return visited <= boundOption && masked <= boundOption;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "fovea-tightness: tiles that a mask's schedule visits and masks, beside\n"
      "those that hold a kept pair and those that are partial\n\n"
      "Example: fovea-tightness causal 'causal & ~window(64)'\n");
  int64_t nq = queriesOption, nk = keysOption < 0 ? nq : keysOption.getValue();
  if (nq < 0) {
    std::fprintf(stderr,
                 "fovea-tightness: error: expected --nq of at least 0, "
                 "found %ld\n",
                 nq);
    return 1;
  }
  std::printf("%ld queries, %ld keys, %ld heads\n", nq, nk, heads);
  std::printf("visited  needed  ratio    masked partial  ratio   mask\n");
  bool good = true;
  for (const std::string &mask : masksOption)
    good &= measure(mask, nq, nk);
  return good ? 0 : 1;
}
