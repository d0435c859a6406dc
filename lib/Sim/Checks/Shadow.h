// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the race detector remembers of each byte: the last write and the reads
// since. A page of 256 bytes starts with a cell for 16 bytes, the size in which
// tiles move, and is refined to four bytes or one by the first access that is
// no multiple of the cell.
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

/// The reads of a cell since its last write, in their order.
class ReadList {
public:
  ReadList() = default;
  ReadList(const ReadList &other) { *this = other; }
  ReadList &operator=(const ReadList &other) {
    count = other.count;
    std::copy(other.first, other.first + 2, first);
    more = other.more ? std::make_unique<Entries>(*other.more) : nullptr;
    return *this;
  }
  ReadList(ReadList &&) = default;
  ReadList &operator=(ReadList &&) = default;

  /// Adds a read; `keep` says, of those that came before, whether they are
  /// still needed, and is asked when there is no more room.
  template <class F> void add(const ReadEntry &entry, F keep) {
    if (joinLast(entry))
      return;
    if (count < 2 && (!more || more->empty())) {
      first[count++] = entry;
      return;
    }
    if (!more) {
      more = std::make_unique<Entries>();
      more->reserve(8);
    }
    if (more->size() == more->capacity()) {
      filter(keep);
      if (more->size() >= limit)
        more->erase(more->begin());
    }
    more->push_back(entry);
  }

  template <class F> void filter(F keep) {
    auto drop = [&](ReadEntry &entry) { return !keep(entry); };
    count = static_cast<uint8_t>(std::remove_if(first, first + count, drop) -
                                 first);
    if (more)
      std::erase_if(*more, drop);
  }

  /// Whether f says so of an entry, the latest first.
  template <class F> bool any(F f) const {
    if (more)
      for (size_t i = more->size(); i-- > 0;)
        if (f((*more)[i]))
          return true;
    for (unsigned i = count; i-- > 0;)
      if (f(first[i]))
        return true;
    return false;
  }

  void clear() {
    count = 0;
    if (more)
      more->clear();
  }

private:
  /// Lanes of one warp and clock are one entry.
  bool joinLast(const ReadEntry &entry) {
    ReadEntry *last = more && !more->empty() ? &more->back()
                      : count                ? first + count - 1
                                             : nullptr;
    if (!last || last->warp != entry.warp || last->clock != entry.clock ||
        last->scope != entry.scope)
      return false;
    last->mask |= entry.mask;
    return true;
  }

  /// Only warps without a common barrier can be so many readers.
  static constexpr size_t limit = 80;
  using Entries = std::vector<ReadEntry>;

  uint8_t count = 0;
  ReadEntry first[2];
  std::unique_ptr<Entries> more;
};

struct ShadowCell {
  uint32_t writer = 0; // thread number
  uint32_t clock = 0;  // 0: never written
  uint32_t pc = 0;
  SyncScope scope = SyncScope::None;
  /// An asynchronous copy into these bytes is in flight.
  bool pending = false;
  ReadList reads;
};

struct ShadowPage {
  unsigned shift = 4; // log2 of the bytes of a cell
  std::vector<ShadowCell> cells = std::vector<ShadowCell>(16);
};

struct ShadowMemory {
  explicit ShadowMemory(uint64_t bytes) : pages((bytes + 255) / 256) {}

  /// Calls f(cell) for the cells of [offset, offset + bytes).
  template <class F> void forCells(uint64_t offset, unsigned bytes, F f) {
    while (bytes) {
      unsigned at = offset & 255, n = std::min(bytes, 256 - at);
      ShadowPage &page = pageOf(offset, n);
      unsigned size = 1u << page.shift;
      for (unsigned i = 0; i < n; i += size)
        f(page.cells[(at + i) >> page.shift], offset + i, size);
      offset += n;
      bytes -= n;
    }
  }

private:
  /// The page, with cells as fine as the access.
  ShadowPage &pageOf(uint64_t offset, unsigned bytes) {
    std::unique_ptr<ShadowPage> &page = pages[offset / 256];
    if (!page)
      page = std::make_unique<ShadowPage>();
    if ((offset | bytes) & ((1u << page->shift) - 1))
      refine(*page, (offset | bytes) & 3 ? 0 : 2);
    return *page;
  }
  static void refine(ShadowPage &page, unsigned shift);

  std::vector<std::unique_ptr<ShadowPage>> pages;
};

} // namespace fovea::sim

#endif // FOVEA_LIB_SIM_SHADOW_H
