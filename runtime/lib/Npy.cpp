// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A .npy file is a magic string, a version, the length of a header, the header,
// which is a Python dictionary literal such as
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 256, 64), }
// and the elements. Version 1.0 has a 16-bit header length, 2.0 and 3.0 have 32
// bits; 3.0 only allows UTF-8 in field names, which a plain array has not.

#include "fovea/Runtime/Npy.h"

#include "fovea/Runtime/Files.h"
#include "fovea/Runtime/Half.h"
#include "fovea/Runtime/Manifest.h"

#include <charconv>
#include <cstring>
#include <optional>

using namespace fovea::runtime;

static constexpr std::string_view magic("\x93NUMPY", 6);

namespace {

/// The header's dictionary. Everything else that Python could write there
/// (structured types, other literals) is an error.
class HeaderParser {
public:
  explicit HeaderParser(std::string_view text) : text(text) {}

  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;

  /// The error, or an empty string.
  std::string run() {
    bool hasDescr = false, hasOrder = false, hasShape = false;
    expect('{');
    while (error.empty() && peek() != '}') {
      std::string key = string();
      expect(':');
      if (key == "descr")
        hasDescr = parseDescr();
      else if (key == "fortran_order")
        hasOrder = parseOrder();
      else if (key == "shape")
        hasShape = parseShape();
      else
        fail("the key 'descr', 'fortran_order' or 'shape'");
      if (peek() != '}')
        expect(',');
    }
    expect('}');
    if (error.empty() && peek() != '\0')
      fail("the end of the header");
    if (error.empty() && !(hasDescr && hasOrder && hasShape))
      error = std::string("the header has no '") +
              (!hasDescr   ? "descr"
               : !hasOrder ? "fortran_order"
                           : "shape") +
              "'";
    return error;
  }

private:
  bool parseDescr() {
    if (peek() == '[') {
      error = "expected a plain element type, found a structured one";
      return false;
    }
    descr = string();
    return true;
  }

  bool parseOrder() {
    peek();
    for (std::string_view word : {"True", "False"}) {
      if (text.substr(at, word.size()) != word)
        continue;
      at += word.size();
      fortranOrder = word == "True";
      return true;
    }
    fail("True or False");
    return false;
  }

  bool parseShape() {
    expect('(');
    while (error.empty() && peek() != ')') {
      int64_t extent = -1;
      auto [end, code] =
          std::from_chars(text.data() + at, text.data() + text.size(), extent);
      if (code != std::errc() || extent < 0) {
        fail("an extent of at most 2^63 - 1");
        return false;
      }
      at = end - text.data();
      shape.push_back(extent);
      if (peek() != ')')
        expect(',');
    }
    expect(')');
    return true;
  }

  std::string string() {
    char quote = peek();
    size_t end = std::string_view::npos;
    if (quote == '\'' || quote == '"')
      end = text.find(quote, at + 1);
    if (end == std::string_view::npos) {
      fail("a string");
      return {};
    }
    std::string value(text.substr(at + 1, end - at - 1));
    at = end + 1;
    return value;
  }

  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
    return at < text.size() && error.empty() ? text[at] : '\0';
  }

  void expect(char wanted) {
    if (peek() == wanted)
      ++at;
    else
      fail(std::string("'") + wanted + "'");
  }

  void fail(const std::string &expected) {
    if (error.empty())
      error = "malformed header: expected " + expected + " at byte " +
              std::to_string(at);
  }

  std::string_view text;
  size_t at = 0;
  std::string error;
};

} // namespace

static std::optional<fovea_type> typeOfDescr(const std::string &descr) {
  if (descr == "<f4")
    return FOVEA_F32;
  if (descr == "<f2")
    return FOVEA_F16;
  if (descr == "<V2" || descr == "|V2" || descr == "<u2")
    return FOVEA_BF16;
  return std::nullopt;
}

static std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// The product, or nothing if its bytes exceed 63 bits. A shape with a 0 in it
/// has no elements, however large the rest is.
static std::optional<int64_t> countOf(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  bool overflow = false;
  for (int64_t extent : shape) {
    if (extent == 0)
      return 0;
    overflow |= __builtin_mul_overflow(count, extent, &count);
  }
  if (overflow || count > INT64_MAX / 4)
    return std::nullopt;
  return count;
}

int64_t Array::count() const { return countOf(shape).value_or(0); }
std::string Array::shapeText() const { return ::shapeText(shape); }

Array fovea::runtime::makeArray(fovea_type type, std::vector<int64_t> shape) {
  Array array{type, std::move(shape), {}};
  array.data.resize(array.count() * typeSize(type));
  return array;
}

Array fovea::runtime::convertArray(const Array &array, fovea_type type) {
  Array result = makeArray(type, array.shape);
  convertElements(array.data.data(), array.type, result.data.data(), type,
                  array.count());
  return result;
}

fovea_tensor fovea::runtime::tensorOf(Array &array) {
  assert(array.shape.size() == 4 && "attention arrays have rank 4");
  fovea_tensor tensor{array.data.data(), array.type, {}, {}};
  int64_t stride = 1;
  for (int axis = 3; axis >= 0; --axis) {
    tensor.shape[axis] = array.shape[axis];
    tensor.strides[axis] = stride;
    stride *= array.shape[axis];
  }
  return tensor;
}

/// Splits the bytes into header text and elements. Errors without the name.
static std::string splitFile(std::string_view bytes, std::string_view &header,
                             std::string_view &elements) {
  if (bytes.empty())
    return "expected a .npy file, found an empty file";
  if (bytes.substr(0, magic.size()) != magic)
    return "expected a .npy file, found no '\\x93NUMPY' at its start";
  if (bytes.size() < 8)
    return "truncated: the file ends before its version";
  unsigned major = static_cast<unsigned char>(bytes[6]);
  unsigned minor = static_cast<unsigned char>(bytes[7]);
  if (major < 1 || major > 3 || minor != 0)
    return "expected version 1.0, 2.0 or 3.0, found " + std::to_string(major) +
           "." + std::to_string(minor);
  size_t width = major == 1 ? 2 : 4;
  if (bytes.size() < 8 + width)
    return "truncated: the file ends before its header";
  size_t length = 0;
  for (size_t i = 0; i < width; ++i)
    length |= size_t(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  std::string_view rest = bytes.substr(8 + width);
  if (rest.size() < length)
    return "truncated: expected a header of " + std::to_string(length) +
           " bytes, found " + std::to_string(rest.size());
  header = rest.substr(0, length);
  elements = rest.substr(length);
  return "";
}

Result<Array> fovea::runtime::parseNpy(std::string_view bytes,
                                       const std::string &name) {
  auto fail = [&](const std::string &why) {
    return wrongInput(name + ": " + why);
  };
  std::string_view headerText, elements;
  if (std::string why = splitFile(bytes, headerText, elements); !why.empty())
    return fail(why);
  HeaderParser header(headerText);
  if (std::string why = header.run(); !why.empty())
    return fail(why);
  if (!header.descr.empty() && header.descr[0] == '>')
    return fail("expected little endian elements, found '" + header.descr +
                "'");
  std::optional<fovea_type> type = typeOfDescr(header.descr);
  if (!type)
    return fail("expected elements of type '<f4' (f32), '<f2' (f16), '<V2' or "
                "'<u2' (bf16), found '" +
                header.descr + "'");
  if (header.fortranOrder)
    return fail("expected C order, found Fortran order");
  std::optional<int64_t> count = countOf(header.shape);
  if (!count)
    return fail("the shape " + shapeText(header.shape) + " is too large");
  size_t expected = *count * typeSize(*type);
  if (elements.size() != expected)
    return fail(std::string(elements.size() < expected ? "truncated"
                                                       : "trailing bytes") +
                ": expected " + std::to_string(expected) +
                " bytes for the shape " + shapeText(header.shape) + " of " +
                typeName(*type) + ", found " + std::to_string(elements.size()));
  Array array{*type, std::move(header.shape), {}};
  array.data.resize(expected);
  if (expected != 0)
    std::memcpy(array.data.data(), elements.data(), expected);
  return array;
}

Result<Array> fovea::runtime::readNpy(const std::string &path) {
  Result<std::string> bytes = readFile(path);
  if (!bytes)
    return bytes.error();
  return parseNpy(*bytes, path);
}

Status fovea::runtime::writeNpy(const std::string &path, const Array &array) {
  const char *descr = array.type == FOVEA_F32   ? "<f4"
                      : array.type == FOVEA_F16 ? "<f2"
                                                : "<V2";
  std::string header = "{'descr': '" + std::string(descr) +
                       "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < array.shape.size(); ++i)
    header += (i ? ", " : "") + std::to_string(array.shape[i]);
  header += array.shape.size() == 1 ? ",), }" : "), }";
  // The elements start at a multiple of 64, so that the file can be mapped.
  size_t length = (10 + header.size() + 1 + 63) / 64 * 64 - 10;
  header.resize(length - 1, ' ');
  header += '\n';
  std::string prefix(magic);
  prefix += {'\1', '\0', static_cast<char>(length & 0xff),
             static_cast<char>(length >> 8)};
  return writeFileAtomically(
      path,
      {prefix,
       header,
       {reinterpret_cast<const char *>(array.data.data()), array.data.size()}});
}
