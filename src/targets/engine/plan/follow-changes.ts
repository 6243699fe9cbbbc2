/** Dependents follow: whoever shares a namespace with what is replaced is replaced, `restart: true` restarts. */
import { sharedNamespaces } from '../../../graph/services.ts'
import { list } from '../../../lib/text.ts'
import type { Service } from '../../../model/service.ts'
import type { ObservedContainer } from '../observed.ts'
import { changesOf } from './adjust.ts'
import { linksItself } from './container-body.ts'
import type { Holding } from './holding.ts'
import { type Decision, happens, isReplica, type Replica } from './replicas.ts'

export type Decisions = Map<string, readonly Decision[]>

/** Turns what was decided for `service` by what was decided for those it needs; those are decided before. */
export function followDependencies(
  service: Service,
  decisions: Decisions,
  { holding }: { readonly holding: Holding | undefined },
): void {
  const needed = new Set([
    ...Object.keys(service.dependsOn),
    ...sharedNamespaces(service),
    ...service.volumesFrom.flatMap(from => (from.kind === 'service' ? [from.name] : [])),
    ...service.links.map(link => link.service),
  ])
  // what a person has stopped is not started by following
  const left = (container: ObservedContainer) => holding?.leaves(container) ?? false
  const restart = (cause: string) => turn(service, decisions, { kind: 'restart', cause, left })
  for (const name of [...needed].sort()) {
    const replicas = (decisions.get(name) ?? []).filter(isReplica)
    const first = replicas[0] && happens(replicas[0])
    const shares = sharedNamespaces(service).includes(name)
    const mounts = service.volumesFrom.some(from => from.kind === 'service' && from.name === name)
    // a link of the engine's own bridge leads to one container, and not to who has its name later
    const linked = linksItself(service) && service.links.some(link => link.service === name)
    const anew = replicas.map(happens).find(word => word === 'recreated' || word === 'created')
    if ((shares || mounts) && (first === 'recreated' || first === 'created'))
      turn(service, decisions, { kind: 'recreate', cause: `${name} is ${first}`, left: () => false })
    else if (linked && anew !== undefined)
      turn(service, decisions, { kind: 'recreate', cause: `${name} is ${anew}`, left: () => false })
    else if (shares && first !== undefined) restart(`${name} is ${first}`)
    if (service.dependsOn[name]?.restart) {
      const word = restartWord(replicas, holding !== undefined)
      if (word) restart(`${name} is ${word}`)
    }
  }
}

/** What was updated is a reason to restart; a replica more is none, nor is one that only had to be started, unless it ran before. */
function restartWord(replicas: readonly Replica[], holding: boolean): string | undefined {
  return replicas
    .map(happens)
    .find(word => word === 'recreated' || word === 'restarted' || (holding && word === 'started'))
}

interface TurnTo {
  readonly kind: 'recreate' | 'restart'
  readonly cause: string
  /** Whether it stays as it is. */
  left(container: ObservedContainer): boolean
}

function turn(service: Service, decisions: Decisions, { kind, cause, left }: TurnTo): void {
  const turned = decisions.get(service.name)!.map((decision): Decision => {
    const { kind: decided } = decision
    if (decided !== 'keep' && !(kind === 'recreate' && (decided === 'start' || decided === 'restart'))) return decision
    const { number, container, adjustment } = decision
    if (left(container)) return decision
    if (kind === 'restart') return { kind, number, container, cause, adjustment }
    return { kind, number, container, cause, changes: changesOf({ forced: [], adjustment }) }
  })
  decisions.set(service.name, turned)
}

/** "web needs db healthy", "api and web need db healthy". */
export function needs(users: readonly string[], what: string): string {
  const sorted = [...users].sort()
  const shown = sorted.length <= 3 ? sorted : [...sorted.slice(0, 2), `${sorted.length - 2} more`]
  return `${list(shown)} ${users.length === 1 ? 'needs' : 'need'} ${what}`
}
