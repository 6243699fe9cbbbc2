/** Waits until a container does not run, until its next exit, or until it is removed. */
import type { ContainerWaited } from '../../../api/containers.ts'
import { Failure } from '../../../lib/failure.ts'
import type { Container } from '../container.ts'

export const conditions = ['not-running', 'next-exit', 'removed'] as const
export type Condition = (typeof conditions)[number]

/** @throws Failure `invalid` for what is no condition. */
export function checkCondition(text: string | undefined): Condition {
  const name = text || 'not-running'
  if (!(conditions as readonly string[]).includes(name)) throw new Failure('invalid', `invalid condition: "${name}"`)
  return name as Condition
}

/** Subscribes at once, so that an exit right after the call is not missed; the answer comes as one item. */
export function wait(container: Container, condition: Condition, signal: AbortSignal): AsyncIterable<ContainerWaited> {
  const answer = waitFor(container, condition)
  return (async function* () {
    const left = Promise.withResolvers<undefined>()
    const leave = () => left.resolve(undefined)
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      const reply = await Promise.race([answer, left.promise])
      yield reply ?? { StatusCode: -1, Error: { Message: 'context canceled' } }
    } finally {
      signal.removeEventListener('abort', leave)
    }
  })()
}

async function waitFor(container: Container, condition: Condition): Promise<ContainerWaited> {
  const status = container.state.status
  if (condition === 'removed') {
    await container.removed
    return { StatusCode: container.state.exitCode }
  }
  if (condition === 'not-running' && !container.running && status !== 'restarting' && status !== 'starting')
    return { StatusCode: container.state.exitCode }
  // its next exit, also when a restart follows it: so it is with Docker, though until then a restarting container counts as running
  const exit = await Promise.race([container.nextExit, container.removed.then(() => undefined)])
  return { StatusCode: exit ? exit.code : container.state.exitCode }
}
