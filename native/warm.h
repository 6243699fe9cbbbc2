/* What a launcher (launch.c) sends to the process that waits for a command (warm.c, src/warm/), over a unix socket. */
#pragma once
#include <stdint.h>

#define WARM_MAGIC 0x31575354u /* "TSW1" */
/* Bytes of arguments and environment at most; longer commands start plainly. Less than the send queue of a socket holds. */
#define WARM_MOST (96 * 1024)

/* Then `size` bytes: arguments and variables, each ended by NUL. */
struct warm_header {
  uint32_t magic;
  uint32_t size;
  uint32_t arguments;
  uint32_t variables;
  /* Whether its standard input is a terminal. */
  uint32_t terminal;
};

/*
 * The other takes it; the launcher's last word, and with it descriptors 0 to 2, which nobody holds before; then the other's exit code, one
 * byte.
 */
enum { WARM_YES = 'y', WARM_GO = 'g' };
