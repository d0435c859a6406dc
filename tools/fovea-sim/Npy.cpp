// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The .npy format, versions 1 to 3: a magic string, the length of a header
// that is a Python dictionary, the data.
#include "Npy.h"
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace fovea::sim {

static std::string valueAfter(const std::string &header, const char *key) {
  size_t at = header.find(key);
  if (at == std::string::npos)
    return "";
  at = header.find(':', at) + 1;
  while (at < header.size() && header[at] == ' ')
    ++at;
  return header.substr(at);
}

NpyArray readNpy(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw std::runtime_error("cannot read '" + path + "'");
  std::vector<uint8_t> all((std::istreambuf_iterator<char>(file)), {});
  if (all.size() < 12 || std::memcmp(all.data(), "\x93NUMPY", 6) != 0)
    throw std::runtime_error("'" + path + "' is no .npy file");
  size_t length, start;
  if (all[6] == 1) {
    length = all[8] | all[9] << 8;
    start = 10;
  } else {
    length = all[8] | all[9] << 8 | all[10] << 16 | size_t(all[11]) << 24;
    start = 12;
  }
  if (start + length > all.size())
    throw std::runtime_error("'" + path + "' ends in its header");
  std::string header(all.begin() + static_cast<ptrdiff_t>(start),
                     all.begin() + static_cast<ptrdiff_t>(start + length));
  NpyArray array;
  std::string descr = valueAfter(header, "'descr'");
  array.descr = descr.substr(1, descr.find('\'', 1) - 1);
  if (valueAfter(header, "'fortran_order'").rfind("False", 0) != 0)
    throw std::runtime_error("'" + path + "' is not in C order");
  std::string shape = valueAfter(header, "'shape'");
  for (size_t i = 1; i < shape.size() && shape[i] != ')';) {
    if (shape[i] < '0' || shape[i] > '9') {
      ++i;
      continue;
    }
    size_t used = 0;
    array.shape.push_back(std::stoull(shape.substr(i), &used));
    i += used;
  }
  array.bytes.assign(all.begin() + static_cast<ptrdiff_t>(start + length),
                     all.end());
  return array;
}

} // namespace fovea::sim
