/* What the engine and a monitor say to each other: frames of a type, a length and that many bytes. src/runtime/control.ts has the same. */
#ifndef FRAMES_H
#define FRAMES_H

enum frame { TO_PROGRAM = 1, TO_SIGNAL, TO_RESIZE, TO_ATTACH, TO_STDIN, TO_STDIN_END, TO_GO_ON };
enum report { FROM_STARTED = 1, FROM_FAILED, FROM_STDOUT, FROM_STDERR, FROM_EXITED, FROM_YIELDED };

#define FRAME_HEAD 5

#endif
