// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Allocation, copies and fills.

#include "SimDriver.h"

using namespace simcuda_test;

namespace {

/// CUDA_MEMCPY2D of cuda.h.
struct Copy2D {
  size_t fromX, fromY;
  int fromType;
  const void *fromHost;
  uint64_t fromDevice;
  void *fromArray;
  size_t fromPitch, toX, toY;
  int toType;
  void *toHost;
  uint64_t toDevice;
  void *toArray;
  size_t toPitch, width, height;
};

TEST_F(Simulated, CopiesBetweenHostAndDevice) {
  std::vector<uint32_t> words = {1, 2, 3, 4, 5};
  uint64_t a = allocate(20), b = allocate(20);
  EXPECT_EQ(cu("cuMemcpyHtoD_v2", a, words.data(), size_t{20}), 0);
  EXPECT_EQ(cu("cuMemcpyDtoD_v2", b + 4, a, size_t{16}), 0);
  EXPECT_EQ(cu("cuMemsetD32_v2", b, 9u, size_t{1}), 0);
  EXPECT_EQ(read(b, 5), (std::vector<uint32_t>{9, 1, 2, 3, 4}));
  EXPECT_EQ(cu("cuMemsetD8_v2", a + 4, uint8_t{0xab}, size_t{4}), 0);
  EXPECT_EQ(cu("cuMemsetD16Async", a + 8, uint16_t{0x1234}, size_t{3},
               static_cast<void *>(nullptr)),
            0);
  EXPECT_EQ(read(a, 5),
            (std::vector<uint32_t>{1, 0xabababab, 0x12341234, 0x00001234, 5}));
  uint32_t last = 0;
  EXPECT_EQ(
      cu("cuMemcpy", reinterpret_cast<uint64_t>(&last), a + 16, size_t{4}), 0);
  EXPECT_EQ(last, 5u);
}

TEST_F(Simulated, RefusesWhatIsOutsideAnAllocation) {
  uint64_t a = allocate(20);
  std::vector<char> bytes(24);
  EXPECT_EQ(cu("cuMemcpyHtoD_v2", a, bytes.data(), size_t{24}), 1);
  EXPECT_EQ(cu("cuMemcpyDtoH_v2", bytes.data(), a + 20, size_t{1}), 1);
  EXPECT_EQ(cu("cuMemsetD32_v2", a + 2, 0u, size_t{1}), 1); // not aligned
  EXPECT_EQ(cu("cuMemFree_v2", a + 4), 1);
  EXPECT_EQ(cu("cuMemFree_v2", a), 0);
  EXPECT_EQ(cu("cuMemFree_v2", a), 1);
  EXPECT_EQ(cu("cuMemFree_v2", uint64_t{0}), 0);
  uint64_t none = 0;
  EXPECT_EQ(cu("cuMemAlloc_v2", &none, size_t{0}), 1);
  EXPECT_EQ(cu("cuMemAlloc_v2", &none, size_t{1} << 50), 2);
}

TEST_F(Simulated, CopiesRectangles) {
  std::vector<uint32_t> words(12);
  for (uint32_t i = 0; i < 12; ++i)
    words[i] = i;
  uint64_t a = 0;
  size_t pitch = 0;
  ASSERT_EQ(cu("cuMemAllocPitch_v2", &a, &pitch, size_t{12}, size_t{4}, 4u), 0);
  EXPECT_EQ(pitch % 512, 0u);
  // Columns 1 and 2 of a 3 x 4 array, from its second row on.
  Copy2D copy = {4, 1,       1, words.data(), 0,     nullptr, 16, 0, 0,
                 2, nullptr, a, nullptr,      pitch, 8,       2};
  ASSERT_EQ(cu("cuMemcpy2D_v2", &copy), 0);
  EXPECT_EQ(read(a, 2), (std::vector<uint32_t>{5, 6}));
  EXPECT_EQ(read(a + pitch, 2), (std::vector<uint32_t>{9, 10}));
  copy.fromPitch = 4; // less than the width
  EXPECT_EQ(cu("cuMemcpy2D_v2", &copy), 1);
  copy.fromPitch = 16;
  copy.fromType = 3; // an array
  EXPECT_EQ(cu("cuMemcpy2D_v2", &copy), 801);
}

TEST_F(Simulated, SharesPinnedMemory) {
  uint32_t *pinned = nullptr;
  uint64_t onDevice = 0;
  ASSERT_EQ(cu("cuMemHostAlloc", &pinned, size_t{8}, 2u), 0);
  pinned[1] = 77;
  ASSERT_EQ(cu("cuMemHostGetDevicePointer_v2", &onDevice, pinned, 0u), 0);
  EXPECT_EQ(read(onDevice, 2)[1], 77u);
  uint64_t base = 0;
  size_t bytes = 0;
  EXPECT_EQ(cu("cuMemGetAddressRange_v2", &base, &bytes, onDevice + 4), 0);
  EXPECT_EQ(base, onDevice);
  EXPECT_EQ(bytes, 8u);
  int type = 0;
  EXPECT_EQ(cu("cuPointerGetAttribute", &type, 2, onDevice), 0);
  EXPECT_EQ(type, 2); // device
  EXPECT_EQ(
      cu("cuPointerGetAttribute", &type, 2, reinterpret_cast<uint64_t>(&type)),
      1);
  EXPECT_EQ(cu("cuMemFreeHost", pinned), 0);
}

} // namespace
