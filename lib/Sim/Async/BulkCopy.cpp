// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bulk copies in flight (ISA text, section 9.7.9.25.4).
//
// A copy is a list of segments found when it is issued. Its bytes move when an
// mbarrier must observe them or its thread waits for its group; until then
// the destination holds a poison, and the race detector knows the bytes as
// pending. Two agents act for it, because a thread can wait for the reading
// alone (wait_group.read).
#include "Async.h"
#include "Checks/Races.h"
#include "TensorMap.h"
#include <cstring>

namespace fovea::sim {

namespace {

constexpr uint8_t poison = 0xff; // NaN in every float type

/// Clusters that run in parallel may reduce into the same bytes.
template <class W>
void reduceElements(const BulkCopy &copy, const Segment &segment) {
  for (uint32_t i = 0; i + sizeof(W) <= segment.bytes; i += sizeof(W)) {
    W value, *word = reinterpret_cast<W *>(segment.to.data + i);
    std::memcpy(&value, segment.from.data + i, sizeof value);
    W old = __atomic_load_n(word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(
        word, &old, W(combineAtomic(copy.reduce, copy.type, old, value)), false,
        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
  }
}

void reduceSegment(const BulkCopy &copy, const Segment &segment) {
  switch (typeBytes(copy.type)) {
  case 2:
    return reduceElements<uint16_t>(copy, segment);
  case 4:
    return reduceElements<uint32_t>(copy, segment);
  default:
    return reduceElements<uint64_t>(copy, segment);
  }
}

/// OOB-NaN is 0x7ff7 in every 16 bits, whatever the type (measured,
/// docs/hardware.md).
void fillOutside(uint8_t *to, uint32_t bytes, bool nan) {
  for (uint32_t i = 0; i < bytes; ++i)
    to[i] = !nan ? 0 : i % 2 ? 0x7f : 0xf7;
}

void moveSegment(const BulkCopy &copy, const Segment &segment) {
  if (copy.reduce != BulkReduce::None)
    return reduceSegment(copy, segment);
  uint8_t *to = segment.to.data, *init = segment.to.init;
  fillOutside(to, segment.before, copy.nanOutside);
  if (segment.bytes)
    std::memcpy(to + segment.before, segment.from.data, segment.bytes);
  uint32_t done = segment.before + segment.bytes;
  fillOutside(to + done, segment.zeros, copy.nanOutside);
  if (!init)
    return;
  std::memset(init, 1, segment.total());
  if (segment.bytes && segment.from.init)
    std::memcpy(init + segment.before, segment.from.init, segment.bytes);
}

} // namespace

void issueBulk(BulkCopy copy) {
  Warp &warp = *copy.warp;
  RaceDetector *races = warp.launch->races.get();
  if (races) {
    copy.source = races->newAgent(warp);
    copy.agent = races->newAgent(warp);
    if (copy.map.region && copy.map.space == Space::Global)
      races->agentReadMap(warp, copy.lane, copy.source, copy.map,
                          tensorMapBytes);
  }
  for (const Segment &segment : copy.segments) {
    if (races && segment.bytes && segment.from.region)
      races->agentRead(warp, copy.lane, copy.source, segment.from,
                       segment.bytes);
    if (copy.reduce != BulkReduce::None) {
      if (races)
        races->agentAtomic(warp, copy.lane, copy.agent, segment.to,
                           segment.bytes);
      continue;
    }
    // What a store will write is in shared memory already.
    if (races)
      races->agentWrite(warp, copy.lane, copy.agent, segment.to,
                        segment.total(),
                        copy.toMbarrier ? nullptr : segment.from.data);
    std::memset(segment.to.data, poison, segment.total());
  }
  warp.cta->cluster->async->bulk.push_back(std::move(copy));
}

void moveBulk(BulkCopy &copy) {
  if (copy.moved)
    return;
  copy.moved = true;
  for (const Segment &segment : copy.segments)
    moveSegment(copy, segment);
}

void completeBulk(BulkCopy &copy) {
  moveBulk(copy);
  Cluster &cluster = *copy.warp->cta->cluster;
  RaceDetector *races = cluster.launch->races.get();
  if (races && copy.reduce == BulkReduce::None)
    for (const Segment &segment : copy.segments)
      races->agentWriteDone(copy.agent, segment.to, segment.total());
  cluster.noteChange();
  if (!copy.toMbarrier)
    return;
  Mbarrier *mbarrier = cluster.async->find(copy.mbarrier);
  if (!mbarrier)
    return;
  if (races) {
    races->agentRelease(copy.agent, mbarrier->gathering);
    races->agentRelease(copy.source, mbarrier->gathering);
  }
  mbarrier->transactions -= copy.transactionBytes;
  settleMbarrier(cluster, *mbarrier);
}

} // namespace fovea::sim
