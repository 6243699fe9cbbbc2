/** What follows an exit: it is recorded, everything the process held is given back, and the policy says what is next. */
import { messageOf } from '../../lib/failure.ts'
import type { Exit } from '../../runtime/runtime.ts'
import { delayLeft, failedRestarts, nextDelay, restartsAfterExit, restartTuning } from './config/restart-policy.ts'
import type { Container } from './container.ts'
import { releaseJoined, releaseNetwork } from './network.ts'
import { type Parts, tell, tellVolumes } from './parts.ts'

/** For the collection to do. */
export type AfterExit = { readonly restart: number } | { readonly remove: true } | { readonly nothing: true }

/** Records an exit. State is up to date before `die` is published and before anyone who waits is told. Never fails. */
export async function exited(parts: Parts, container: Container, exit: Exit): Promise<AfterExit> {
  const { record, state } = container
  container.health?.stop()
  container.health = undefined
  container.process = undefined
  const startedAt = state.startedAt ? Date.parse(state.startedAt) : exit.finishedAt.getTime()
  const ranFor = exit.finishedAt.getTime() - startedAt
  const policy = record.hostConfig.RestartPolicy
  const tuning = restartTuning(record.hostConfig.Annotations ?? {})
  const failed = failedRestarts(
    { restartCount: state.restartCount, failedRestarts: state.failedRestarts ?? 0 },
    ranFor,
    tuning,
  )
  const again =
    !container.restarting &&
    !container.staysDown &&
    restartsAfterExit(
      policy,
      {
        exitCode: exit.code,
        restartCount: state.restartCount,
        failedRestarts: failed,
        stoppedOnPurpose: state.stoppedOnPurpose,
      },
      tuning,
    )
  // a verb that starts it at once is no less a restart: so nobody takes it for the end
  container.move(again || container.restarting ? 'restarting' : 'exited', {
    pid: 0,
    exitCode: exit.code,
    oomKilled: exit.oomKilled,
    ...(failed > 0 ? { failedRestarts: failed } : {}),
    finishedAt: exit.finishedAt.toISOString(),
    // what does not run is not well, as with Docker; the log of its check stays
    health: state.health && { ...state.health, Status: 'unhealthy' },
  })
  container.backoff = again ? nextDelay(container.backoff, ranFor, tuning) : 0
  // before anything is given back: an engine that is killed in between knows how it ended, and gives the rest back
  const lasting = !again && !container.restarting
  await container.save({ lasting })
  // what is being mended is given back too
  await container.mending
  await release(parts, container, again || container.restarting)
  await container.save({ lasting })
  tellVolumes(parts, container, 'unmount')
  if (exit.oomKilled) tell(parts, container, 'oom')
  tell(parts, container, 'die', {
    exitCode: String(exit.code),
    execDuration: String(Math.max(0, Math.floor(ranFor / 1000))),
  })
  if (again) return { restart: delayLeft(container.backoff, ranFor, tuning) }
  return record.hostConfig.AutoRemove && !container.restarting ? { remove: true } : { nothing: true }
}

/** `keep`: a restart keeps its address, so that whoever shares the sandbox does not notice. */
async function release(parts: Parts, container: Container, keep: boolean): Promise<void> {
  const cgroup = { kind: 'delete-cgroup', path: container.cgroup } as const
  const released = await Promise.allSettled([
    keep ? parts.runtime.runHost({ kind: 'host', operations: [cgroup] }) : releaseNetwork(parts, container, [cgroup]),
    keep ? undefined : releaseJoined(parts, container),
  ])
  for (const result of released) {
    if (result.status === 'fulfilled') continue
    parts.say(`After the exit of "${container.name}": ${messageOf(result.reason)}`)
    container.note({ error: messageOf(result.reason) })
  }
}
