/** Dependents follow: whoever shares a namespace with what is replaced is replaced, `restart: true` restarts. */
import { sharedNamespaces } from '../graph/services.ts'
import { list } from '../lib/text.ts'
import type { Service } from '../model/service.ts'
import { type Decision, happens, isReplica, type Replica } from './replicas.ts'

export type Decisions = Map<string, readonly Decision[]>

/** Turns what was decided for `service` by what was decided for those it needs; those are decided before. */
export function followDependencies(service: Service, decisions: Decisions): void {
  const needed = new Set([
    ...Object.keys(service.dependsOn),
    ...sharedNamespaces(service),
    ...service.volumesFrom.flatMap(from => (from.kind === 'service' ? [from.name] : [])),
  ])
  for (const name of [...needed].sort()) {
    const replicas = (decisions.get(name) ?? []).filter(isReplica)
    const first = replicas[0] && happens(replicas[0])
    const shares = sharedNamespaces(service).includes(name)
    const mounts = service.volumesFrom.some(from => from.kind === 'service' && from.name === name)
    if ((shares || mounts) && (first === 'recreated' || first === 'created'))
      turn(service, decisions, 'recreate', `${name} is ${first}`)
    else if (shares && first !== undefined) turn(service, decisions, 'restart', `${name} is ${first}`)
    if (service.dependsOn[name]?.restart) {
      const word = restartWord(replicas)
      if (word) turn(service, decisions, 'restart', `${name} is ${word}`)
    }
  }
}

/** A replica more is no reason to restart; a service that was not there at all is one. */
function restartWord(replicas: readonly Replica[]): string | undefined {
  const words = replicas.map(happens)
  if (words.every(word => word === 'created')) return words[0]
  return words.find(word => word !== undefined && word !== 'created')
}

function turn(service: Service, decisions: Decisions, kind: 'recreate' | 'restart', cause: string): void {
  const turned = decisions.get(service.name)!.map((decision): Decision => {
    if (decision.kind === 'keep') {
      if (kind === 'restart' && decision.done) return decision
      return { kind, number: decision.number, container: decision.container, cause }
    }
    if (
      kind === 'recreate' &&
      (decision.kind === 'start' || decision.kind === 'unpause' || decision.kind === 'restart')
    )
      return { kind, number: decision.number, container: decision.container, cause }
    return decision
  })
  decisions.set(service.name, turned)
}

/** A finished job runs again for those that wait for it and are about to be started. */
export function rerunJobs(services: readonly Service[], decisions: Decisions): void {
  // dependents first: a job may itself wait for another job
  for (const job of services.toReversed()) {
    const own = decisions.get(job.name)!
    if (!own.some(decision => decision.kind === 'keep' && decision.done)) continue
    const users = services.filter(
      user => user.dependsOn[job.name]?.condition === 'completed' && needsStart(decisions.get(user.name)!),
    )
    if (users.length === 0) continue
    const cause = needs(
      users.map(user => user.name),
      `${job.name} completed`,
    )
    decisions.set(
      job.name,
      own.map(decision =>
        decision.kind === 'keep' && decision.done
          ? { kind: 'start', number: decision.number, container: decision.container, cause }
          : decision,
      ),
    )
  }
}

export function needsStart(decisions: readonly Decision[]): boolean {
  return decisions.some(d => d.kind !== 'keep' && d.kind !== 'remove')
}

/** "web needs db healthy", "api and web need db healthy". */
export function needs(users: readonly string[], what: string): string {
  const sorted = [...users].sort()
  const shown = sorted.length <= 3 ? sorted : [...sorted.slice(0, 2), `${sorted.length - 2} more`]
  return `${list(shown)} ${users.length === 1 ? 'needs' : 'need'} ${what}`
}
