/** What a page can look at as it changes, by topic. */
import { type Topics, until } from './live.ts'
import { sendLogs } from './log-topic.ts'
import type { Stacks } from './stacks.ts'
import { sendStats } from './stats-topic.ts'

export function topicsOf(stacks: Stacks): Topics {
  return {
    async board(_, send, signal) {
      const stop = stacks.board.watch(message => void send(message))
      await until(signal)
      stop()
    },
    async builds({ stack }, send, signal) {
      stacks.check(stack)
      const { sendBuilds } = await import('./builds-topic.ts')
      await sendBuilds({ client: stacks.client, stack, signal }, send)
    },
    async build({ stack, ref }, send, signal) {
      stacks.check(stack)
      const { sendBuild } = await import('./builds-topic.ts')
      await sendBuild({ client: stacks.client, stack, ref, signal }, send)
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
    async logs({ topic: _, stack, ...wish }, send, signal) {
      stacks.check(stack)
      await sendLogs({ client: stacks.client, stack, wish, signal }, send)
    },
    async stats({ stack }, send, signal) {
      stacks.check(stack)
      await sendStats({ client: stacks.client, stack, signal }, send)
    },
  }
}
