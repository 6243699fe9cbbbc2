/* Decoding: bytes to a program that is whole and sound. */
#ifndef PROGRAM_H
#define PROGRAM_H
#include "steps.h"
#include "system.h"

#define MAGIC 0x50435354u /* "TSCP" */
#define VERSION 1u
#define MAX_PROGRAM (16u << 20)
#define SLOTS 256

struct header {
  uint32_t magic, version, host, child, undo, pool;
};

struct step {
  uint32_t code, after; /* after: an undo step's condition, the host step that must have been done */
  int64_t a[6];
};

struct program {
  const struct step *steps; /* host, then child, then undo */
  const char *pool;
  uint32_t host, child, undo, size;
};

int decode(const char *bytes, size_t length, struct program *program);

#endif
