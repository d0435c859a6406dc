// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recursive-descent evaluator for the grammar of docs/bundle.md. One template
// serves integers and reals; Number<T> holds what differs. The first error
// stops everything: later values are meaningless and are not looked at.

#include "fovea/Runtime/Expression.h"

#include <charconv>
#include <cmath>
#include <limits>

using namespace fovea::runtime;

/// Deeper than any pattern may nest (256), shallow enough for any stack.
static constexpr int maxDepth = 1000;

static bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isNameChar(char c) { return isNameStart(c) || isDigit(c); }

namespace {

/// Signed integers that wrap, by way of unsigned ones, which may.
int64_t wrap(uint64_t x) { return static_cast<int64_t>(x); }
uint64_t bits(int64_t x) { return static_cast<uint64_t>(x); }

template <typename T> struct Number;

template <> struct Number<int64_t> {
  static int64_t add(int64_t a, int64_t b) { return wrap(bits(a) + bits(b)); }
  static int64_t sub(int64_t a, int64_t b) { return wrap(bits(a) - bits(b)); }
  static int64_t mul(int64_t a, int64_t b) { return wrap(bits(a) * bits(b)); }
  static int64_t neg(int64_t a) { return wrap(0 - bits(a)); }
  static int64_t abs(int64_t a) { return a < 0 ? neg(a) : a; }
  // The machine traps on INT64_MIN / -1; wrapping makes that a negation.
  static int64_t div(int64_t a, int64_t b) {
    if (b == -1)
      return neg(a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
  }
  static int64_t rem(int64_t a, int64_t b) {
    return b == -1 ? 0 : sub(a, mul(div(a, b), b));
  }
};

template <> struct Number<float> {
  static float add(float a, float b) { return a + b; }
  static float sub(float a, float b) { return a - b; }
  static float mul(float a, float b) { return a * b; }
  static float neg(float a) { return -a; }
  static float abs(float a) { return std::fabs(a); }
  static float div(float a, float b) { return a / b; }
};

template <typename T> class Evaluator {
  static constexpr bool isReal = std::is_same_v<T, float>;
  using Num = Number<T>;

public:
  Evaluator(std::string_view text, const std::vector<Binding> &bindings)
      : text(text), bindings(bindings) {}

  Result<T> run() {
    T value = sum();
    if (peek() != '\0')
      fail("an operator or the end");
    if (!message.empty())
      return wrongInput("in the expression '" + std::string(text) +
                        "': " + message);
    return value;
  }

private:
  T sum() {
    T value = product();
    while (peek() == '+' || peek() == '-') {
      bool plus = text[at++] == '+';
      T right = product();
      value = plus ? Num::add(value, right) : Num::sub(value, right);
    }
    return value;
  }

  T product() {
    T value = unary();
    while (peek() == '*' || peek() == '/' || (!isReal && peek() == '%')) {
      char op = text[at++];
      value = apply(op, value, unary());
    }
    return value;
  }

  T apply(char op, T left, T right) {
    if (op == '*')
      return Num::mul(left, right);
    if constexpr (isReal) {
      return Num::div(left, right);
    } else {
      if (right == 0) {
        stop("division by zero");
        return 0;
      }
      return op == '/' ? Num::div(left, right) : Num::rem(left, right);
    }
  }

  T unary() {
    if (peek() != '-')
      return primary();
    ++at;
    if (!enter())
      return 0;
    T value = Num::neg(unary());
    --depth;
    return value;
  }

  T primary() {
    char next = peek();
    if (isDigit(next))
      return number();
    if (isNameStart(next))
      return name();
    if (next != '(') {
      fail("a number, a name or '('");
      return 0;
    }
    ++at;
    if (!enter())
      return 0;
    T value = sum();
    expect(')');
    --depth;
    return value;
  }

  T number() {
    size_t start = at;
    while (at < text.size() && isDigit(text[at]))
      ++at;
    bool hasPoint = at < text.size() && text[at] == '.';
    if (hasPoint) {
      ++at;
      while (at < text.size() && isDigit(text[at]))
        ++at;
      if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-'))
          ++at;
        while (at < text.size() && isDigit(text[at]))
          ++at;
      }
    }
    const char *first = text.data() + start, *last = text.data() + at;
    if constexpr (isReal) {
      double value = 0;
      if (std::from_chars(first, last, value).ec != std::errc())
        stop("'" + std::string(first, last) + "' is out of range");
      return static_cast<float>(value);
    } else {
      int64_t value = 0;
      auto [end, code] = std::from_chars(first, last, value);
      if (hasPoint || end != last || code != std::errc())
        stop("expected a 64-bit integer, found '" + std::string(first, last) +
             "'");
      return value;
    }
  }

  T name() {
    size_t start = at;
    while (at < text.size() && isNameChar(text[at]))
      ++at;
    std::string_view word = text.substr(start, at - start);
    if (peek() == '(')
      return call(word);
    for (const Binding &binding : bindings) {
      if (binding.name != word)
        continue;
      if (!binding.isFloat)
        return static_cast<T>(binding.intValue);
      if constexpr (isReal)
        return binding.floatValue;
      stop("expected an integer, but '" + binding.name + "' is a float");
      return 0;
    }
    stop("unknown name '" + std::string(word) + "'");
    return 0;
  }

  T call(std::string_view word) {
    ++at; // the '('
    if (!enter())
      return 0;
    T value = arguments(word);
    expect(')');
    --depth;
    return value;
  }

  T arguments(std::string_view word) {
    if (word == "min" || word == "max") {
      T a = sum();
      expect(',');
      T b = sum();
      return (word == "min") == (a < b) ? a : b;
    }
    if (word == "abs")
      return Num::abs(sum());
    if constexpr (isReal) {
      using Function = float (*)(float);
      static constexpr std::pair<std::string_view, Function> functions[] = {
          {"exp", std::exp},   {"exp2", std::exp2}, {"log", std::log},
          {"log2", std::log2}, {"sqrt", std::sqrt}, {"tanh", std::tanh}};
      for (auto [known, function] : functions)
        if (known == word)
          return function(sum());
    } else if (word == "ceil") { // ceil(a / b) = -floor(-a / b)
      T a = unary();
      expect('/');
      return Num::neg(apply('/', Num::neg(a), unary()));
    }
    stop("unknown function '" + std::string(word) + "'");
    return 0;
  }

  /// The next character that is not a blank; '\0' at the end or after an error,
  /// so that every loop ends.
  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t'))
      ++at;
    return at < text.size() && message.empty() ? text[at] : '\0';
  }

  void expect(char wanted) {
    if (peek() == wanted)
      ++at;
    else
      fail(std::string("'") + wanted + "'");
  }

  bool enter() {
    if (++depth <= maxDepth)
      return true;
    stop("nested more than " + std::to_string(maxDepth) + " deep");
    return false;
  }

  void fail(const std::string &expected) {
    stop("expected " + expected + " at column " + std::to_string(at + 1) +
         ", found " +
         (at < text.size() ? "'" + std::string(1, text[at]) + "'" : "the end"));
  }

  void stop(std::string why) {
    if (message.empty())
      message = std::move(why);
  }

  std::string_view text;
  const std::vector<Binding> &bindings;
  size_t at = 0;
  int depth = 0;
  std::string message;
};

} // namespace

Result<int64_t>
fovea::runtime::evaluateInteger(std::string_view text,
                                const std::vector<Binding> &bindings) {
  return Evaluator<int64_t>(text, bindings).run();
}

Result<float>
fovea::runtime::evaluateReal(std::string_view text,
                             const std::vector<Binding> &bindings) {
  return Evaluator<float>(text, bindings).run();
}

bool fovea::runtime::mentions(std::string_view text, std::string_view name) {
  for (size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    size_t end = at + name.size();
    if ((at == 0 || !isNameChar(text[at - 1])) &&
        (end == text.size() || !isNameChar(text[end])))
      return true;
  }
  return false;
}
