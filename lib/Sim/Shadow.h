// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the race detector remembers of each byte: the last write and the reads
// since. A page of 256 bytes starts with a cell for four bytes and is refined
// to one a byte by the first access that is no multiple of four.
#ifndef FOVEA_LIB_SIM_SHADOW_H
#define FOVEA_LIB_SIM_SHADOW_H

#include "Order.h"
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace fovea::sim {

/// Threads are numbered across the grid: the CTA above 11 bits, below them a
/// thread of it or, from firstAgent on, an asynchronous agent.
constexpr uint32_t threadBits = 11;
constexpr uint32_t firstAgent = 1024;
constexpr uint32_t agentCount = 256;

struct ReadEntry {
  uint32_t warp; // thread number / 32
  uint32_t mask;
  uint32_t clock;
  uint32_t pc : 30;
  uint32_t scope : 2; // a SyncScope
};

struct ShadowCell {
  uint32_t writer = 0; // thread number
  uint32_t clock = 0;  // 0: never written
  uint32_t pc = 0;
  SyncScope scope = SyncScope::None;
  /// An asynchronous copy into these bytes is in flight.
  bool pending = false;
  uint8_t inlineReads = 0;
  ReadEntry reads[2];
  std::unique_ptr<std::vector<ReadEntry>> more;
};

struct ShadowPage {
  unsigned shift = 2; // log2 of the bytes of a cell
  std::vector<ShadowCell> cells;
};

struct ShadowMemory {
  explicit ShadowMemory(uint64_t bytes) : pages((bytes + 255) / 256) {}

  /// Calls f(cell) for the cells of [offset, offset + bytes).
  template <class F> void forCells(uint64_t offset, unsigned bytes, F f) {
    while (bytes) {
      ShadowPage &page = pageOf(offset, bytes);
      unsigned at = offset & 255, n = std::min(bytes, 256 - at);
      unsigned size = 1u << page.shift;
      for (unsigned i = 0; i < n; i += size)
        f(page.cells[(at + i) >> page.shift], offset + i, size);
      offset += n;
      bytes -= n;
    }
  }

private:
  ShadowPage &pageOf(uint64_t offset, unsigned bytes) {
    std::unique_ptr<ShadowPage> &page = pages[offset / 256];
    if (!page) {
      page = std::make_unique<ShadowPage>();
      page->cells.resize(64);
    }
    if (page->shift == 2 && ((offset | bytes) & 3))
      refine(*page);
    return *page;
  }
  static void refine(ShadowPage &page);

  std::vector<std::unique_ptr<ShadowPage>> pages;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SHADOW_H
