/** What Node is told by those of our programs that are resident and small; whoever starts one from files, from a unit or from the one file says the same. */

/**
 * It holds little, lives long and computes seldom: a small heap is collected often, which costs nothing where nothing happens. Its code is
 * compiled once and optimized never: the optimizing compilers (TurboFan, Maglev) are 8 MB of Node's program that stay resident once they have
 * run, and a plan of 300 services takes as long without them.
 */
export const keeperFlags = ['--max-semi-space-size=1', '--expose-gc', '--no-opt', '--no-maglev'] as const

/** One arena of malloc(3) for all of its threads: each has its own otherwise, 4 MB together, which it never gives back. */
export const keeperAllocation = { MALLOC_ARENA_MAX: '1' } as const
