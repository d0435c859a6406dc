// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions that the device's runtime brings along and kernels call without a
// body: vprintf, malloc, free and __assertfail (CUDA's programming guide,
// "Formatted output", "Dynamic global memory allocation", "Assertion").
#include "Access.h"
#include "Calls.h"
#include <cstring>

namespace fovea::sim {

namespace {

/// CUDA's default; an allocation beyond it gives a null pointer.
constexpr uint64_t heapLimit = 8 << 20;

class Caller {
public:
  Caller(Warp &warp, const Inst &inst, unsigned lane)
      : warp(warp), inst(inst), lane(lane) {}

  /// False if the bytes are no memory; that has been reported.
  bool read(uint64_t address, void *to, unsigned bytes) {
    Place place;
    if (!locate(warp, inst, lane, Space::Generic, address, bytes, 1, false,
                place))
      return false;
    if (readPlace(warp, lane, place, to, bytes))
      reportTaint(warp, 1u << lane, address, "a function of the runtime");
    return true;
  }
  /// A text that ends with a zero byte.
  std::string text(uint64_t address) {
    std::string result;
    char c = 0;
    while (result.size() < 65536 && read(address++, &c, 1) && c)
      result += c;
    return result;
  }
  void report(const char *kind, uint64_t address, const std::string &message) {
    warp.launch->report(kind, warp, static_cast<int>(lane), address, "",
                        message);
  }

private:
  Warp &warp;
  const Inst &inst;
  unsigned lane;
};

/// printf with the arguments in memory: 4 bytes for an int, 8, aligned, for
/// what is wider and for doubles.
class Printer {
public:
  Printer(Caller &caller, uint64_t arguments)
      : caller(caller), next(arguments) {}

  std::string format(const std::string &text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%')
        out += text[i];
      else if (i + 1 < text.size() && text[i + 1] == '%')
        out += text[++i];
      else
        i = conversion(text, i, out);
    }
    return out;
  }
  int count() const { return arguments; }

private:
  template <class T> T take() {
    T value{};
    next = (next + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    caller.read(next, &value, sizeof value);
    next += sizeof value;
    ++arguments;
    return value;
  }

  template <class T>
  void append(std::string &out, const std::string &spec, T value) {
    char buffer[512];
    std::snprintf(buffer, sizeof buffer, spec.c_str(), value);
    out += buffer;
  }

  /// Appends the conversion that starts at `at`; its last character.
  size_t conversion(const std::string &text, size_t at, std::string &out) {
    std::string spec = "%";
    bool isLong = false;
    for (size_t i = at + 1; i < text.size(); ++i) {
      char c = text[i];
      if (std::strchr("-+ #0123456789.", c)) {
        spec += c;
      } else if (c == '*') {
        spec += std::to_string(take<int32_t>());
      } else if (std::strchr("hlzjtL", c)) {
        isLong |= c != 'h' && c != 'L';
      } else if (std::strchr("diuoxXc", c)) {
        if (isLong)
          append(out, spec + "ll" + c, take<long long>());
        else
          append(out, spec + c, take<int32_t>());
        return i;
      } else if (std::strchr("fFeEgGaA", c)) {
        append(out, spec + c, take<double>());
        return i;
      } else if (c == 's') {
        append(out, spec + c, caller.text(take<uint64_t>()).c_str());
        return i;
      } else if (c == 'p') {
        append(out, spec + c, reinterpret_cast<void *>(take<uint64_t>()));
        return i;
      } else {
        break;
      }
    }
    out += text.substr(at);
    return text.size();
  }

  Caller &caller;
  uint64_t next;
  int arguments = 0;
};

uint64_t allocate(Launch &launch, uint64_t bytes) {
  if (!bytes || bytes > heapLimit || launch.heapBytes + bytes > heapLimit)
    return 0;
  launch.heapBytes += bytes;
  std::string name =
      "malloc number " + std::to_string(++launch.heapAllocations);
  uint64_t base = launch.memory->allocate(bytes, 16, name).base;
  launch.heap[base] = bytes;
  return base;
}

void release(Launch &launch, Caller &caller, uint64_t address) {
  if (!address)
    return;
  auto found = launch.heap.find(address);
  if (found == launch.heap.end())
    return caller.report("out-of-bounds", address,
                         "free of an address that malloc did not give, or "
                         "gave back already");
  launch.heapBytes -= found->second;
  launch.memory->retire(address);
  launch.heap.erase(found);
}

[[noreturn]] void failAssertion(Caller &caller, const CallValues &values,
                                unsigned lane) {
  caller.report("trap", 0,
                "assertion '" + caller.text(values.get(0, lane)) +
                    "' failed in " + caller.text(values.get(3, lane)) +
                    ", line " +
                    std::to_string(static_cast<uint32_t>(values.get(2, lane))) +
                    " of " + caller.text(values.get(1, lane)));
  throw StopLaunch();
}

} // namespace

Builtin builtinNamed(std::string_view name) {
  return name == "vprintf"        ? Builtin::Vprintf
         : name == "malloc"       ? Builtin::Malloc
         : name == "free"         ? Builtin::Free
         : name == "__assertfail" ? Builtin::AssertFail
                                  : Builtin::None;
}

void execBuiltin(Warp &warp, const Inst &inst, uint32_t mask) {
  const CallSite &site = warp.program->calls[inst.aux];
  auto which = static_cast<Builtin>(inst.kind);
  CallValues values(warp, site.args, mask);
  uint64_t results[32] = {};
  forLanes(mask, [&](unsigned l) {
    Caller caller(warp, inst, l);
    for (size_t i = 0; i < site.args.size(); ++i)
      if (!values.isWritten(i, l))
        reportTaint(warp, 1u << l, 0, "a function of the runtime");
    switch (which) {
    case Builtin::Vprintf: {
      Printer printer(caller, values.get(1, l));
      std::string text = printer.format(caller.text(values.get(0, l)));
      std::fwrite(text.data(), 1, text.size(), warp.launch->config.output);
      results[l] = static_cast<uint64_t>(printer.count());
      break;
    }
    case Builtin::Malloc:
      results[l] = allocate(*warp.launch, values.get(0, l));
      break;
    case Builtin::Free:
      release(*warp.launch, caller, values.get(0, l));
      break;
    case Builtin::AssertFail:
      failAssertion(caller, values, l);
    case Builtin::None:
      break;
    }
  });
  CallValues(results, site.results).store(warp, site.results, mask);
}

} // namespace fovea::sim
