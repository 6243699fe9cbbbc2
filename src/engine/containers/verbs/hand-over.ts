/** One container takes over from another while both run: its ports on the host, and its names for others. */
import { Failure } from '../../../lib/failure.ts'
import type { PublishedPort } from '../../networks/published-port.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'

export interface Pair {
  readonly from: Container
  readonly to: Container
}

/** In whose order they are locked, so that two hand-overs never wait for each other. @throws Failure `invalid` for one container. */
export function inOrder({ from, to }: Pair): readonly [Container, Container] {
  if (from.id === to.id) throw new Failure('invalid', `Cannot hand over from "${from.name}" to itself`)
  return from.id < to.id ? [from, to] : [to, from]
}

/**
 * The next engine finds it done or not begun where this one is killed in between: who takes over is written down first, with the time.
 * @throws Failure `conflict` when the one that is to take over does not run; `internal` when a port that it wants besides is taken.
 */
export async function handOver(parts: Parts, { from, to }: Pair): Promise<void> {
  if (!to.running || to.state.sandbox === undefined)
    throw new Failure('conflict', `Cannot hand over to "${to.name}": it does not run, or has no network of its own`)
  const { config, hostConfig } = to.record
  const since = Math.max(Date.now(), (from.state.portsSince ?? 0) + 1)
  let left: readonly PublishedPort[] = from.state.ports
  await parts.networks.takeOver(to.id, hostConfig.PortBindings, {
    exposed: Object.keys(config.ExposedPorts ?? {}),
    all: hostConfig.PublishAllPorts,
    from: from.id,
    record: async (taken, others) => {
      left = others
      to.note({ ports: [...taken], portsSince: since })
      await to.save()
    },
  })
  to.note({ stepsBack: undefined })
  from.note({ ports: [...left], stepsBack: true })
  parts.networks.stepBack(to.id, false)
  parts.networks.stepBack(from.id, true)
  await Promise.all([to.save(), from.save()])
}

/** Of two records that say they have the same place the later one has it: an engine was killed in the middle of a take-over. */
export function settlePorts(containers: Iterable<Container>): void {
  const placeOf = ({ protocol, hostIp, hostPort }: PublishedPort) => `${protocol} ${hostIp} ${hostPort}`
  const latest = new Map<string, Container>()
  const all = [...containers]
  for (const container of all)
    for (const port of container.state.ports) {
      const other = latest.get(placeOf(port))
      if (!other || (other.state.portsSince ?? 0) < (container.state.portsSince ?? 0))
        latest.set(placeOf(port), container)
    }
  for (const container of all) {
    const ports = container.state.ports.filter(port => latest.get(placeOf(port)) === container)
    if (ports.length < container.state.ports.length) container.note({ ports, stepsBack: true })
  }
}
