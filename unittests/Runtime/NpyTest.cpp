// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Array files: what NumPy writes is read, what we write is what NumPy writes,
// and everything else is refused with a message that helps.

#include "fovea/Runtime/Npy.h"
#include "fovea/Runtime/Files.h"

#include "TestFolder.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace fovea::runtime;

namespace {

std::string fileOf(const std::string &header, const std::string &elements,
                   int major = 1) {
  std::string bytes = std::string("\x93NUMPY") + char(major) + '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    bytes += char(header.size() >> (8 * i) & 0xff);
  return bytes + header + elements;
}

std::string headerOf(const std::string &descr, const std::string &shape,
                     const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order +
         ", 'shape': " + shape + ", }\n";
}

std::string errorOf(const std::string &bytes) {
  Result<Array> array = parseNpy(bytes, "q.npy");
  if (array)
    return "no error";
  EXPECT_EQ(array.error().status, FOVEA_WRONG_INPUT);
  return array.error().message;
}

TEST(Npy, ReadsEveryVersionAndType) {
  struct Case {
    const char *descr;
    fovea_type type;
    int size;
  };
  for (Case c : {Case{"<f4", FOVEA_F32, 4}, Case{"<f2", FOVEA_F16, 2},
                 Case{"<V2", FOVEA_BF16, 2}, Case{"|V2", FOVEA_BF16, 2},
                 Case{"<u2", FOVEA_BF16, 2}})
    for (int major : {1, 2, 3}) {
      std::string elements(6 * c.size, 'x');
      Result<Array> array = parseNpy(
          fileOf(headerOf(c.descr, "(1, 2, 3, 1)"), elements, major), "q.npy");
      ASSERT_TRUE(array) << array.error().message;
      EXPECT_EQ(array->type, c.type);
      EXPECT_EQ(array->shape, (std::vector<int64_t>{1, 2, 3, 1}));
      ASSERT_EQ(array->data.size(), elements.size());
      EXPECT_EQ(
          std::memcmp(array->data.data(), elements.data(), elements.size()), 0);
    }
}

TEST(Npy, ReadsOtherSpellingsOfTheHeader) {
  for (std::string header :
       {"{\"shape\":(2,),\"descr\":\"<f2\",\"fortran_order\":False}",
        "{'fortran_order': False, 'shape': (2 , ), 'descr': '<f2'}   \n"}) {
    Result<Array> array = parseNpy(fileOf(header, "abcd"), "q.npy");
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_EQ(array->shape, std::vector<int64_t>{2});
  }
  Result<Array> scalar = parseNpy(fileOf(headerOf("<f4", "()"), "abcd"), "s");
  ASSERT_TRUE(scalar);
  EXPECT_EQ(scalar->count(), 1);
  Result<Array> empty =
      parseNpy(fileOf(headerOf("<f4", "(0, 9223372036854775807, 9)"), ""), "e");
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(empty->count(), 0);
}

TEST(Npy, WritesWhatNumPyWrites) {
  TestFolder folder;
  Array array = makeArray(FOVEA_F32, {1, 1, 2, 1});
  float values[2] = {1.0f, -2.0f};
  std::memcpy(array.data.data(), values, sizeof(values));
  ASSERT_TRUE(writeNpy(folder / "a.npy", array));
  Result<std::string> bytes = readFile(folder / "a.npy");
  ASSERT_TRUE(bytes);
  // numpy.save(array([[[[1.], [-2.]]]], float32)), by numpy/lib/format.py: the
  // header is padded by blanks to a multiple of 64, a newline last.
  std::string header = headerOf("<f4", "(1, 1, 2, 1)");
  header.insert(header.size() - 1, 128 - 10 - header.size(), ' ');
  std::string elements("\0\0\x80\x3f\0\0\0\xc0", 8);
  EXPECT_EQ(*bytes, fileOf(header, elements));
}

TEST(Npy, RoundTripsEveryType) {
  TestFolder folder;
  for (fovea_type type : {FOVEA_F32, FOVEA_F16, FOVEA_BF16})
    for (const std::vector<int64_t> &shape :
         {std::vector<int64_t>{2, 3, 5, 7}, {0, 1, 1, 4}, {3}, {}}) {
      Array array = makeArray(type, shape);
      for (size_t i = 0; i < array.data.size(); ++i)
        array.data[i] = std::byte(i * 37);
      ASSERT_TRUE(writeNpy(folder / "a.npy", array));
      Result<Array> back = readNpy(folder / "a.npy");
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(back->type, type);
      EXPECT_EQ(back->shape, shape);
      EXPECT_EQ(back->data, array.data);
    }
}

TEST(Npy, RefusesMalformedFiles) {
  std::string good = headerOf("<f4", "(2,)");
  EXPECT_EQ(errorOf(""), "q.npy: expected a .npy file, found an empty file");
  EXPECT_EQ(errorOf("PK\x03\x04 zipped"),
            "q.npy: expected a .npy file, found no '\\x93NUMPY' at its start");
  EXPECT_EQ(errorOf("\x93NUMPY"),
            "q.npy: truncated: the file ends before its version");
  EXPECT_EQ(errorOf(fileOf(good, "12345678", 4)),
            "q.npy: expected version 1.0, 2.0 or 3.0, found 4.0");
  EXPECT_EQ(errorOf(fileOf(good, "").substr(0, 9)),
            "q.npy: truncated: the file ends before its header");
  EXPECT_EQ(errorOf(fileOf(good, "").substr(0, 30)),
            "q.npy: truncated: expected a header of " +
                std::to_string(good.size()) + " bytes, found 20");
  EXPECT_EQ(errorOf(fileOf(good, "1234567")),
            "q.npy: truncated: expected 8 bytes for the shape [2] of f32, "
            "found 7");
  EXPECT_EQ(errorOf(fileOf(good, "123456789")),
            "q.npy: trailing bytes: expected 8 bytes for the shape [2] of f32, "
            "found 9");
}

TEST(Npy, RefusesOtherArrays) {
  EXPECT_EQ(errorOf(fileOf(headerOf(">f4", "(1,)"), "1234")),
            "q.npy: expected little endian elements, found '>f4'");
  EXPECT_EQ(errorOf(fileOf(headerOf("<f8", "(1,)"), "12345678")),
            "q.npy: expected elements of type '<f4' (f32), '<f2' (f16), '<V2' "
            "or '<u2' (bf16), found '<f8'");
  EXPECT_EQ(errorOf(fileOf(headerOf("<f4", "(1,)", "True"), "1234")),
            "q.npy: expected C order, found Fortran order");
  EXPECT_EQ(errorOf(fileOf(headerOf("<f4", "(4294967296, 4294967296)"), "")),
            "q.npy: the shape [4294967296, 4294967296] is too large");
  EXPECT_EQ(errorOf(fileOf("{'descr': [('a', '<f4')], 'fortran_order': False, "
                           "'shape': (1,)}",
                           "1234")),
            "q.npy: expected a plain element type, found a structured one");
}

TEST(Npy, RefusesMalformedHeaders) {
  struct Case {
    const char *header, *message;
  };
  for (Case c : {
           Case{"", "expected '{' at byte 0"},
           Case{"{'descr': '<f4}", "expected a string at byte 10"},
           Case{"{'order': 1}",
                "expected the key 'descr', 'fortran_order' or 'shape' at byte "
                "9"},
           Case{"{'fortran_order': 0}", "expected True or False at byte 18"},
           Case{"{'shape': (-1,)}",
                "expected an extent of at most 2^63 - 1 at byte 11"},
           Case{"{'shape': (99999999999999999999,)}",
                "expected an extent of at most 2^63 - 1 at byte 11"},
           Case{"{'shape': (1 2)}", "expected ',' at byte 13"},
           Case{"{'shape': (1,)", "expected ',' at byte 14"},
           Case{"{} {", "expected the end of the header at byte 3"},
       })
    EXPECT_EQ(errorOf(fileOf(c.header, "")),
              std::string("q.npy: malformed header: ") + c.message);
  EXPECT_EQ(errorOf(fileOf("{'descr': '<f4', 'shape': (1,)}", "1234")),
            "q.npy: the header has no 'fortran_order'");
}

TEST(Npy, NamesTheFileThatItCannotRead) {
  Result<Array> array = readNpy("/nonexistent/q.npy");
  ASSERT_FALSE(array);
  EXPECT_EQ(array.error().message,
            "cannot read '/nonexistent/q.npy': No such file or directory");
}

TEST(Npy, ConvertsArrays) {
  Array array = makeArray(FOVEA_F32, {2});
  float values[2] = {1.0f, -2.0f};
  std::memcpy(array.data.data(), values, sizeof(values));
  Array half = convertArray(array, FOVEA_BF16);
  EXPECT_EQ(half.shape, array.shape);
  uint16_t bits[2];
  ASSERT_EQ(half.data.size(), sizeof(bits));
  std::memcpy(bits, half.data.data(), sizeof(bits));
  EXPECT_EQ(bits[0], 0x3f80);
  EXPECT_EQ(bits[1], 0xc000);
}

} // namespace
