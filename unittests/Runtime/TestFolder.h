// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder of its own for a test, removed at the end.

#ifndef TESTFOLDER_H
#define TESTFOLDER_H

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

class TestFolder {
public:
  TestFolder() {
    std::string pattern = testing::TempDir() + "/fovea-test-XXXXXX";
    if (const char *made = mkdtemp(pattern.data()))
      path = made;
  }
  TestFolder(const TestFolder &) = delete;
  TestFolder &operator=(const TestFolder &) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }

  std::string operator/(const std::string &name) const {
    return path + "/" + name;
  }

  std::string path;
};

#endif // TESTFOLDER_H
