// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loading: the manifest first, then the code that it names. A host's shared
// object is opened at once, so that a bad bundle shows here; a GPU's files are
// only read, because a driver may be missing where bundles are inspected.

#include "Kernel.h"

#include "CudaDevice.h"

#include <dlfcn.h>
#include <filesystem>

using namespace fovea::runtime;
using KernelPtr = std::unique_ptr<fovea_kernel>;

const char *fovea::runtime::deviceOf(const Manifest &manifest) {
  return manifest.isHost() ? "host" : "cuda";
}

static Result<KernelPtr> makeKernel(std::string text) {
  Result<Manifest> manifest = parseManifest(text);
  if (!manifest)
    return manifest.error();
  auto kernel = std::make_unique<fovea_kernel>();
  kernel->manifest = std::move(*manifest);
  kernel->text = std::move(text);
  kernel->cuda = makeCudaModuleCache();
  kernel->sim = makeCudaModuleCache();
  return kernel;
}

static const char *dlError() {
  const char *text = dlerror();
  return text ? text : "unknown reason";
}

/// Opens the first shared object of the bundle and finds every entry in it.
static Status openSharedObject(fovea_kernel &kernel,
                               const std::string &folder) {
  const ManifestFile *object = nullptr;
  for (const ManifestFile &file : kernel.manifest.files)
    if (file.kind == FileKind::SharedObject && !object)
      object = &file;
  if (!object)
    return wrongInput("the manifest names no file of kind 'shared_object'");
  // An absolute path: a bare name would be searched in the library path.
  std::error_code failed;
  std::string path =
      std::filesystem::absolute(folder + "/" + object->name, failed).string();
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return wrongInput(std::string("cannot open the kernel: ") + dlError());
  kernel.owner = std::shared_ptr<void>(library, [](void *l) { dlclose(l); });
  for (const ManifestEntry &entry : kernel.manifest.entries) {
    HostFunctions functions;
    functions.entry =
        reinterpret_cast<fovea_host_entry>(dlsym(library, entry.name.c_str()));
    if (!functions.entry)
      return wrongInput("'" + path + "' has no function '" + entry.name + "'");
    if (!entry.tiles.empty()) {
      functions.tiles = reinterpret_cast<fovea_host_tiles>(
          dlsym(library, entry.tiles.c_str()));
      if (!functions.tiles)
        return wrongInput("'" + path + "' has no function '" + entry.tiles +
                          "'");
    }
    kernel.functions.push_back(functions);
  }
  return Status();
}

static bool isImage(const ManifestFile &file) {
  return file.kind == FileKind::Cubin || file.kind == FileKind::PTX;
}

Result<KernelPtr> fovea::runtime::loadBundle(const std::string &path) {
  auto inBundle = [&](const Error &error) {
    return Error{error.status,
                 "in the bundle '" + path + "': " + error.message};
  };
  Result<std::string> text = readFile(path + "/manifest.json");
  if (!text)
    return text.error();
  Result<KernelPtr> kernel = makeKernel(std::move(*text));
  if (!kernel)
    return inBundle(kernel.error());
  if ((*kernel)->manifest.isHost()) {
    if (Status opened = openSharedObject(**kernel, path); !opened)
      return inBundle(opened.error());
    return kernel;
  }
  for (const ManifestFile &file : (*kernel)->manifest.files) {
    if (!isImage(file))
      continue;
    Result<std::string> contents = readFile(path + "/" + file.name);
    if (!contents)
      return inBundle(contents.error());
    (*kernel)->images.push_back({file.name, std::move(*contents)});
  }
  if ((*kernel)->images.empty())
    return inBundle(
        wrongInput("the manifest names no file of kind 'cubin' or 'ptx'"));
  return kernel;
}

Result<KernelPtr> fovea::runtime::wrapFunctions(const char *manifest,
                                                HostFunctions functions,
                                                std::shared_ptr<void> owner) {
  Result<KernelPtr> kernel = makeKernel(manifest);
  if (!kernel)
    return kernel;
  const Manifest &m = (*kernel)->manifest;
  if (!m.isHost())
    return wrongInput("expected a manifest for 'host', found the target '" +
                      m.target + "'");
  if (m.entries.size() != 1)
    return wrongInput("expected a manifest with one entry, found " +
                      std::to_string(m.entries.size()));
  (*kernel)->functions.push_back(functions);
  (*kernel)->owner = std::move(owner);
  return kernel;
}

Result<KernelPtr> fovea::runtime::loadFiles(const char *manifest,
                                            std::vector<BundleFile> files) {
  Result<KernelPtr> kernel = makeKernel(manifest);
  if (!kernel)
    return kernel;
  const Manifest &m = (*kernel)->manifest;
  if (m.isHost())
    return wrongInput("expected a manifest for a GPU, found the target 'host'");
  for (const ManifestFile &named : m.files)
    for (BundleFile &file : files)
      if (isImage(named) && file.name == named.name)
        (*kernel)->images.push_back(std::move(file));
  if ((*kernel)->images.empty())
    return wrongInput(
        "none of the files is a 'cubin' or 'ptx' of the manifest");
  return kernel;
}
