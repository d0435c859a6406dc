// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole files or none. A temporary name beside the target keeps the rename on
// one file system, where it is atomic. Devices and pipes (/dev/null) are
// written in place: renaming over them would replace the device.

#include "fovea/Runtime/Files.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace fovea::runtime;
namespace fs = std::filesystem;

static Error systemError(const std::string &what, const std::string &path) {
  return wrongInput("cannot " + what + " '" + path +
                    "': " + std::strerror(errno));
}

/// A name beside `path` that no other thread or process uses.
static std::string temporaryName(const std::string &path) {
  static std::atomic<unsigned> counter{0};
  return path + ".tmp." + std::to_string(getpid()) + "." +
         std::to_string(counter++);
}

namespace {
/// Closes the descriptor when it goes out of scope.
struct Descriptor {
  int fd;
  explicit Descriptor(int fd) : fd(fd) {}
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  ~Descriptor() {
    if (fd >= 0)
      close(fd);
  }
};
} // namespace

Result<std::string> fovea::runtime::readFile(const std::string &path) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (file.fd < 0 || fstat(file.fd, &info) != 0)
    return systemError("read", path);
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return systemError("read", path);
  }
  std::string contents;
  size_t used = 0;
  contents.resize(std::max<off_t>(info.st_size, 0) + 1);
  while (true) {
    if (used == contents.size())
      contents.resize(2 * used);
    ssize_t got = read(file.fd, contents.data() + used, contents.size() - used);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return systemError("read", path);
    if (got == 0)
      break;
    used += got;
  }
  contents.resize(used);
  return contents;
}

static bool writeAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    bytes.remove_prefix(put);
  }
  return true;
}

/// Creates or opens `path`, which errors call `shown`, and writes to it. The
/// descriptor is closed here, so that an error that shows only then is seen.
static Status writeParts(const std::string &path, const std::string &shown,
                         int flags,
                         const std::vector<std::string_view> &parts) {
  int fd = open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0)
    return systemError("write", shown);
  bool good = true;
  for (std::string_view part : parts)
    good = good && writeAll(fd, part);
  int reason = errno;
  if (close(fd) != 0 && good) {
    good = false;
    reason = errno;
  }
  errno = reason;
  return good ? Status() : systemError("write", shown);
}

Status fovea::runtime::writeFileAtomically(
    const std::string &path, const std::vector<std::string_view> &parts) {
  std::string target = path;
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      errno = EISDIR;
      return systemError("write", path);
    }
    if (!S_ISREG(info.st_mode))
      return writeParts(path, path, 0, parts);
    std::error_code ignored; // write through a symbolic link, not over it
    fs::path real = fs::canonical(path, ignored);
    if (!ignored)
      target = real.string();
  }
  std::string temporary = temporaryName(target);
  Status written = writeParts(temporary, path, O_CREAT | O_EXCL, parts);
  if (written && rename(temporary.c_str(), target.c_str()) != 0)
    written = systemError("write", path);
  if (!written)
    unlink(temporary.c_str());
  return written;
}

/// Whether everything in the folder is a bundle's: nothing is lost with it.
static Status checkReplaceable(const std::string &path) {
  Error refusal =
      wrongInput("refusing to replace '" + path + "', which is not a bundle");
  std::error_code failed;
  if (!fs::is_directory(path, failed))
    return refusal;
  std::vector<std::string> known = {"manifest.json"};
  if (Result<std::string> text = readFile(path + "/manifest.json"))
    if (Result<Manifest> manifest = parseManifest(*text))
      for (const ManifestFile &file : manifest->files)
        known.push_back(file.name);
  bool isEmpty = true;
  for (const fs::directory_entry &entry :
       fs::directory_iterator(path, failed)) {
    isEmpty = false;
    std::string name = entry.path().filename().string();
    if (std::find(known.begin(), known.end(), name) == known.end())
      return wrongInput(std::string("refusing to replace '")
                            .append(path)
                            .append("', which holds '")
                            .append(name)
                            .append("', no part of a bundle"));
  }
  if (failed || (!isEmpty && !fs::exists(path + "/manifest.json", failed)))
    return refusal;
  return Status();
}

Status fovea::runtime::writeBundle(const std::string &path,
                                   const Manifest &manifest,
                                   const std::vector<BundleFile> &files) {
  std::string target = path;
  while (target.size() > 1 && target.back() == '/')
    target.pop_back();
  struct stat info{};
  bool exists = lstat(target.c_str(), &info) == 0;
  if (exists)
    if (Status replaceable = checkReplaceable(target); !replaceable)
      return replaceable;

  std::string temporary = temporaryName(target);
  if (mkdir(temporary.c_str(), 0777) != 0)
    return systemError("write", path);
  std::error_code ignored;
  auto giveUp = [&](Error error) {
    fs::remove_all(temporary, ignored);
    return error;
  };
  std::vector<BundleFile> all = files;
  all.push_back({"manifest.json", printManifest(manifest)});
  for (const BundleFile &file : all)
    if (Status written =
            writeParts(temporary + "/" + file.name, path + "/" + file.name,
                       O_CREAT | O_EXCL, {file.contents});
        !written)
      return giveUp(written.error());

  if (!exists) {
    if (rename(temporary.c_str(), target.c_str()) != 0)
      return giveUp(systemError("write", path));
    return Status();
  }
  // Swap old and new in one step where the file system can, else in two.
  if (renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(),
                RENAME_EXCHANGE) != 0) {
    std::string old = temporaryName(target);
    if (rename(target.c_str(), old.c_str()) != 0 ||
        rename(temporary.c_str(), target.c_str()) != 0)
      return giveUp(systemError("write", path));
    temporary = old;
  }
  fs::remove_all(temporary, ignored);
  return Status();
}
