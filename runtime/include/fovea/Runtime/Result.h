// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A value or the reason why there is none. The runtime lets no exception cross
// its borders, so failure is a value with one of the statuses of the C ABI.

#ifndef FOVEA_RUNTIME_RESULT_H
#define FOVEA_RUNTIME_RESULT_H

#include "fovea/fovea_runtime.h"

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace fovea::runtime {

/// Why something failed: one line, lower case, no full stop.
struct Error {
  fovea_status status = FOVEA_INTERNAL;
  std::string message;
};

inline Error wrongInput(std::string message) {
  return {FOVEA_WRONG_INPUT, std::move(message)};
}
inline Error machineLacks(std::string message) {
  return {FOVEA_MACHINE_LACKS, std::move(message)};
}
inline Error internalError(std::string message) {
  return {FOVEA_INTERNAL, std::move(message)};
}

/// Holds a T or an Error; true when it holds a T.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T &operator*() {
    assert(*this && "no value");
    return *std::get_if<0>(&state);
  }
  const T &operator*() const {
    assert(*this && "no value");
    return *std::get_if<0>(&state);
  }
  T *operator->() { return &**this; }
  const T *operator->() const { return &**this; }
  const Error &error() const {
    assert(!*this && "no error");
    return *std::get_if<1>(&state);
  }

private:
  std::variant<T, Error> state;
};

/// Success, or an Error; true on success.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(Error error) : failure(std::move(error)), failed(true) {}

  explicit operator bool() const { return !failed; }
  const Error &error() const {
    assert(failed && "no error");
    return failure;
  }

private:
  Error failure;
  bool failed = false;
};

} // namespace fovea::runtime

#endif // FOVEA_RUNTIME_RESULT_H
