/** What the engine before left → what this one manages: each container for itself, so that one that fails keeps nobody else. */
import { errnoOf, messageOf } from '../../lib/failure.ts'
import { adopt, adoptNetwork, endLost, type FoundProcess, findProcess } from './adopt.ts'
import type { Container } from './container.ts'
import type { Life } from './life.ts'
import { mend } from './mend.ts'
import type { Parts } from './parts.ts'
import { tendLog } from './stdio/tend-log.ts'
import { leaveUntold } from './verbs/connect.ts'
import { settlePorts } from './verbs/hand-over.ts'

export interface TakeOverOptions {
  /** Ids of those whose record is lost. */
  readonly lost: readonly string[]
  readonly life: Life
  /** Whether those of these labels start with the engine by their policy. */
  readonly isMeant: (labels: Readonly<Record<string, string>>) => boolean
  /** With its anonymous volumes. */
  readonly remove: (container: Container) => Promise<void>
}

export async function takeOver(parts: Parts, options: TakeOverOptions): Promise<void> {
  const orSay = async (what: string, work: Promise<void>): Promise<void> => {
    try {
      await work
    } catch (error) {
      parts.say(`${what}: ${messageOf(error)}`)
    }
  }
  const all = [...parts.all()]
  settlePorts(all.filter(({ state }) => state.boot === parts.boot))
  const found = new Map(await Promise.all(all.map(async each => [each, await findProcess(parts, each)] as const)))
  // All addresses are taken before the first container can be started, which would be given one of them.
  await Promise.all([
    ...all.map(container => adoptNetwork(parts, container)),
    ...options.lost.map(id => orSay(`Cannot end what is left of container "${id}"`, endLost(parts, id))),
  ])
  await Promise.all(
    all.map(container =>
      orSay(
        `Cannot take over "${container.name}"`,
        takeOne(parts, container, { ...options, found: found.get(container) }),
      ),
    ),
  )
  await orSay('Cannot look for what runs without a record', tellUnknown(parts, options.lost))
}

/**
 * Processes in our groups of which there is no record at all, its whole folder being gone. They may be those of another data root, so
 * they are left alone; but nothing runs that nobody hears of.
 */
async function tellUnknown({ all, paths, runtime, say }: Parts, lost: readonly string[]): Promise<void> {
  const known = new Set([...[...all()].map(({ id }) => id), ...lost])
  const parent = paths.name.full
  for (const id of runtime.cgroups.below(parent)) {
    if (known.has(id)) continue
    const pids = await runtime.cgroups.processes(`${parent}/${id}`).catch(error => {
      // a group of one hierarchy alone has no processes that this one counts, and one may go while we look
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return []
      throw error
    })
    if (pids.length > 0)
      say(`Processes ${pids.join(', ')} run as container "${id}", of which "${paths.containers}" has no record`)
  }
}

async function takeOne(
  parts: Parts,
  container: Container,
  { life, isMeant, remove, found }: TakeOverOptions & { readonly found: FoundProcess },
): Promise<void> {
  const adopted = await adopt(parts, container, found)
  switch (adopted.kind) {
    case 'running':
      container.process = adopted.process
      tendLog(parts, container, { ended: adopted.process.exited })
      life.started(container, adopted.process)
      await leaveUntold(parts, container)
      await mend(parts, container)
      return
    case 'exited':
      // it has ended while nobody was there: whoever starts it otherwise starts it after that too
      container.staysDown = !isMeant(container.record.config.Labels ?? {})
      tendLog(parts, container, { ended: Promise.resolve() })
      life.ended(container, Promise.resolve(adopted.exit))
      await container.settled
      container.staysDown = false
      return
    case 'idle':
      // what the engine before did not live to send
      if (container.state.startedAt) tendLog(parts, container, { ended: Promise.resolve() })
      if (container.record.hostConfig.AutoRemove && container.state.startedAt) await remove(container)
      return
    default:
      adopted satisfies never
  }
}
