/** What a page can look at as it changes, by topic. */
import { Failure } from '../lib/failure.ts'
import { type Topics, until } from './live.ts'
import type { Stacks } from './stacks.ts'

export function topicsOf(stacks: Stacks): Topics {
  return {
    async board(_, send, signal) {
      const stop = stacks.board.watch(message => void send(message))
      await until(signal)
      stop()
    },
    async events({ stack }, send, signal) {
      const stop = stacks.timeline.follow(stack, entry => void send(entry))
      await until(signal)
      stop()
    },
    async job({ job }, send, signal) {
      const stop = stacks.jobs.follow(job, message => void send(message))
      await until(signal)
      stop()
    },
    async logs() {
      throw new Failure('unsupported', 'not yet')
    },
    async stats() {
      throw new Failure('unsupported', 'not yet')
    },
  }
}
