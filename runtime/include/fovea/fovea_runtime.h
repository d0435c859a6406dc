/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The C ABI of Fovea's runtime: load a compiled attention kernel, launch it.
 *
 * The problem: a compiled kernel is useless to a program that would have to
 * link a compiler, or to know how the kernel wants its arguments. The idea: a
 * kernel travels with its manifest (docs/bundle.md), and everything a launch
 * needs (parameter order, grid, requirements) is read from there. This header
 * is plain C; the library behind it contains neither MLIR nor LLVM.
 *
 * Errors. Every function that can fail returns a status; the one-line text is
 * fovea_last_error(), kept per thread until that thread's next failure. No
 * exception crosses this border and the process never exits here.
 *
 * Threads. A loaded kernel is immutable: it may be launched from many threads
 * at once. Only fovea_kernel_release must come after the last use.
 */
#ifndef FOVEA_FOVEA_RUNTIME_H
#define FOVEA_FOVEA_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The values are the exit statuses of the command line. */
typedef enum fovea_status {
  FOVEA_OK = 0,
  FOVEA_WRONG_INPUT = 1,   /* a shape, type, parameter, file is not right */
  FOVEA_MACHINE_LACKS = 2, /* no driver, no such instruction set, no memory */
  FOVEA_INTERNAL = 3       /* our own fault */
} fovea_status;

typedef enum fovea_type {
  FOVEA_F32 = 0,
  FOVEA_F16 = 1,
  FOVEA_BF16 = 2
} fovea_type;

/* The calling thread's last error: one line, lower case, no full stop.
 * Never NULL; valid until the same thread's next failing call. */
const char *fovea_last_error(void);

/* The version of this library, for example "0.1.0". */
const char *fovea_runtime_version(void);

/* An array [batch, heads, rows, columns]. Strides count elements, may be any
 * value (0 broadcasts an input), except that the last dimension is contiguous:
 * strides[3] == 1 unless shape[3] <= 1. Where nothing is read or written (some
 * shape is 0) data may be NULL. */
typedef struct fovea_tensor {
  void *data;
  fovea_type type;
  int64_t shape[4];
  int64_t strides[4];
} fovea_tensor;

/* ---- Kernels ------------------------------------------------------------ */

typedef struct fovea_kernel fovea_kernel;

/* Loads a bundle: a folder with manifest.json and the files that it names.
 * Shared objects are opened at once; PTX and cubins at the first launch. */
fovea_status fovea_kernel_load(const char *path, fovea_kernel **out);

/* A host kernel, called once for each work item. params[i] points at the value
 * of parameter i (as cuLaunchKernel's kernelParams do), block is {x, y, z} of
 * the grid, scratch is the manifest's scratch_bytes of 64-byte-aligned memory
 * that no other item uses at the same time. */
typedef void (*fovea_host_entry)(void *const *params, const int32_t *block,
                                 void *scratch);
/* Adds to counts[0..2] the key tiles that the item visits, those of them for
 * which the mask is evaluated, and the pairs that it keeps. */
typedef void (*fovea_host_tiles)(void *const *params, const int32_t *block,
                                 int64_t *counts);

/* Wraps a host kernel that is already in memory (the JIT's). `manifest` is the
 * text of a manifest.json whose target is a host; no file it names is opened.
 * `tiles` may be NULL; so may `entry`, and then the kernel only counts tiles.
 * When the kernel is released, and also when this call fails, `release(owner)`
 * is called once, unless `release` is NULL. */
fovea_status fovea_kernel_from_functions(const char *manifest,
                                         fovea_host_entry entry,
                                         fovea_host_tiles tiles,
                                         void (*release)(void *owner),
                                         void *owner, fovea_kernel **out);

/* A file of a bundle that is in memory. */
typedef struct fovea_file {
  const char *name; /* as the manifest names it, for example "kernel.ptx" */
  const void *data;
  size_t size;
} fovea_file;

/* A GPU kernel whose PTX or cubin is in memory; the bytes are copied. */
fovea_status fovea_kernel_from_files(const char *manifest,
                                     const fovea_file *files, size_t num_files,
                                     fovea_kernel **out);

void fovea_kernel_release(fovea_kernel *kernel);

/* The text of the kernel's manifest, valid until the kernel is released. */
const char *fovea_kernel_manifest(const fovea_kernel *kernel);

/* The facts a caller needs to allocate arrays, from the manifest. Names are
 * valid until the kernel is released. */
typedef struct fovea_kernel_info {
  const char *name;   /* the pattern's name */
  const char *target; /* "host", "sm_80", … */
  const char *device; /* the device that runs it: "host" or "cuda" */
  fovea_type type;    /* of q, k, v and o */
  int64_t heads_q, heads_kv;
  int64_t dim_qk, dim_v;
  int64_t tile_m, tile_n; /* query rows of a work item, keys of a tile */
  int32_t counts_tiles;   /* 1 if fovea_count_tiles works */
} fovea_kernel_info;

fovea_status fovea_kernel_get_info(const fovea_kernel *kernel,
                                   fovea_kernel_info *out);

/* ---- Launching ---------------------------------------------------------- */

/* A run-time scalar of the pattern, by name. An int parameter takes an int; a
 * float parameter takes either. */
typedef enum fovea_param_kind {
  FOVEA_INT = 0,
  FOVEA_FLOAT = 1
} fovea_param_kind;

typedef struct fovea_param {
  const char *name;
  fovea_param_kind kind;
  int64_t int_value; /* if kind is FOVEA_INT */
  float float_value; /* if kind is FOVEA_FLOAT */
} fovea_param;

/* Everything one launch is given. Fill it with fovea_launch_init first, so that
 * a program built against this header runs on later versions of the library. */
typedef struct fovea_launch {
  size_t struct_size; /* set by fovea_launch_init */

  fovea_tensor q; /* [B, heads_q,  Nq, dim_qk] */
  fovea_tensor k; /* [B, heads_kv, Nk, dim_qk] */
  fovea_tensor v; /* [B, heads_kv, Nk, dim_v] */
  fovea_tensor o; /* [B, heads_q,  Nq, dim_v], written; must not overlap */
  float *lse;     /* [B, heads_q, Nq], packed, written; NULL if not wanted */

  const fovea_param *params; /* those without a default must be here */
  size_t num_params;

  /* "host", "cuda", or "sim": the PTX simulator for a GPU kernel, found by the
   * environment variable FOVEA_SIM_CUDA or beside the program
   * (docs/simulator-cuda.md). NULL: the one the kernel is for. */
  const char *device;
  int32_t threads; /* host: at most this many threads; 0: all cores */

  /* cuda and sim. 0: q, k, v, o, lse are host arrays, copied in and out, and
   * the call returns when o is written. 1: they are device pointers in the
   * primary context of device 0; the kernel is queued on `stream` (a CUstream,
   * NULL for the default one) and the call does not wait. */
  int32_t device_memory;
  void *stream;

  double seconds; /* out: the kernel's time, without copies; 0 if not waited */
} fovea_launch;

/* Zeroes all of it and sets struct_size. */
#define fovea_launch_init(launch)                                              \
  fovea_launch_init_sized((launch), sizeof(fovea_launch))
void fovea_launch_init_sized(fovea_launch *launch, size_t size);

/* Checks every argument against the manifest, then runs. Nothing is written if
 * a check fails. Batch, Nq and Nk may be 0: with Nk = 0 every row of o becomes
 * 0 and of lse -infinity (or what a sink logit gives). */
fovea_status fovea_kernel_launch(const fovea_kernel *kernel,
                                 fovea_launch *launch);

typedef struct fovea_tile_counts {
  int64_t visited;    /* key tiles loaded, over all work items */
  int64_t masked;     /* those of them in which the mask was evaluated */
  int64_t kept_pairs; /* (b, h, q, k) that the mask keeps */
} fovea_tile_counts;

/* What a launch with these arguments visits, without running it: reads shapes
 * and params only, so the data pointers may be NULL. Host kernels only. */
fovea_status fovea_count_tiles(const fovea_kernel *kernel,
                               const fovea_launch *launch,
                               fovea_tile_counts *out);

/* Whether a device can be used here: FOVEA_OK, or FOVEA_MACHINE_LACKS with the
 * reason as the last error. */
fovea_status fovea_device_available(const char *device);

#ifdef __cplusplus
}
#endif

#endif /* FOVEA_FOVEA_RUNTIME_H */
