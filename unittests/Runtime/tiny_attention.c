/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A kernel by hand, as docs/bundle.md asks for one: window(w, 0) at f32, head
 * dimensions 5 and 3, query tiles of 4 rows, key tiles of 8, a softcap c. It
 * keeps the row's output in scratch, so that a wrong scratch shows. */
#include <math.h>
#include <stdint.h>

enum { DIM_QK = 5, DIM_V = 3, TILE_M = 4, TILE_N = 8, HEADS_PER_KV = 2 };

struct arguments {
  const float *q, *k, *v;
  float *o, *lse;
  int64_t strides[4][3]; /* of q, k, v, o by batch, head, row */
  int64_t nq, nk, w;
  float c;
};

static struct arguments unpack(void *const *params) {
  struct arguments a;
  a.q = *(const float **)params[0];
  a.k = *(const float **)params[1];
  a.v = *(const float **)params[2];
  a.o = *(float **)params[3];
  a.lse = *(float **)params[4];
  for (int i = 0; i < 12; ++i)
    a.strides[i / 3][i % 3] = *(int64_t *)params[5 + i];
  a.nq = *(int64_t *)params[17];
  a.nk = *(int64_t *)params[18];
  a.w = *(int64_t *)params[19];
  a.c = *(float *)params[20];
  return a;
}

static int keeps(const struct arguments *a, int64_t i, int64_t j) {
  int64_t q = i + a->nk - a->nq;
  return q - a->w <= j && j <= q;
}

static int64_t offset(const int64_t *strides, int64_t b, int64_t h, int64_t n) {
  return b * strides[0] + h * strides[1] + n * strides[2];
}

static void attend(const struct arguments *a, int64_t b, int64_t h, int64_t i,
                   int64_t heads, float *acc) {
  const float *q = a->q + offset(a->strides[0], b, h, i);
  float *o = a->o + offset(a->strides[3], b, h, i);
  float max = -INFINITY, sum = 0;
  for (int d = 0; d < DIM_V; ++d)
    acc[d] = 0;
  for (int64_t j = 0; j < a->nk; ++j) {
    if (!keeps(a, i, j))
      continue;
    const float *k = a->k + offset(a->strides[1], b, h / HEADS_PER_KV, j);
    const float *v = a->v + offset(a->strides[2], b, h / HEADS_PER_KV, j);
    float s = 0;
    for (int d = 0; d < DIM_QK; ++d)
      s += q[d] * k[d];
    s = a->c * tanhf(s / sqrtf(DIM_QK) / a->c);
    float next = fmaxf(max, s), rescale = expf(max - next), p = expf(s - next);
    sum = sum * rescale + p;
    for (int d = 0; d < DIM_V; ++d)
      acc[d] = acc[d] * rescale + p * v[d];
    max = next;
  }
  for (int d = 0; d < DIM_V; ++d)
    o[d] = sum > 0 ? acc[d] / sum : 0;
  if (a->lse)
    a->lse[(b * heads + h) * a->nq + i] = max + logf(sum);
}

void tiny_attention(void *const *params, const int32_t *block, void *scratch) {
  struct arguments a = unpack(params);
  int64_t begin = (int64_t)block[0] * TILE_M, end = begin + TILE_M;
  if ((uintptr_t)scratch % 64 != 0)
    return; /* the outputs stay unwritten and the test fails */
  for (int64_t i = begin; i < end && i < a.nq; ++i)
    attend(&a, block[2], block[1], i, 4, scratch);
}

void tiny_attention_tiles(void *const *params, const int32_t *block,
                          int64_t *counts) {
  struct arguments a = unpack(params);
  int64_t begin = (int64_t)block[0] * TILE_M, end = begin + TILE_M;
  for (int64_t j0 = 0; j0 < a.nk; j0 += TILE_N) {
    int64_t kept = 0, all = 0;
    for (int64_t i = begin; i < end && i < a.nq; ++i)
      for (int64_t j = j0; j < j0 + TILE_N && j < a.nk; ++j, ++all)
        kept += keeps(&a, i, j);
    counts[0] += kept > 0;
    counts[1] += kept > 0 && kept < all;
    counts[2] += kept;
  }
}
