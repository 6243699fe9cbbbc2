/** Threads that unpack, of all tests of a process: starting one takes longer than most tests. */
import { UnpackPool } from '../../src/engine/images/unpack-pool.ts'

export const threads = new UnpackPool()
