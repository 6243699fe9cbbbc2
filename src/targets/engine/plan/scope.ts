/** Which containers of a project a verb acts on: by service, and whether those of `run` and of other files count. */
import { Failure } from '../../../lib/failure.ts'
import type { Project } from '../../../model/project.ts'
import type { Service } from '../../../model/service.ts'
import { labels } from '../labels.ts'
import type { Observed, ObservedContainer } from '../observed.ts'
import { otherFilesTest } from './owner.ts'

/** By name alone when there is no stack file: then its containers tell of which services it is. */
export type Target = Project | { readonly name: string }

export interface ServicesOption {
  /** Undefined: all. */
  readonly services?: readonly string[] | undefined
}

export type Verb = 'down' | 'kill' | 'pause' | 'remove' | 'restart' | 'start' | 'stop' | 'unpause'

/** Docker Compose's rules. A service of another file, or of a profile that is not active, is none of the stack's. */
const takesOneOffs: Readonly<Record<Verb, boolean>> = {
  down: false,
  kill: true,
  pause: false,
  remove: false,
  restart: false,
  start: false,
  stop: false,
  unpause: false,
}

/** Those that are held against what there is, also where no stack tells of it. */
const mustExist: readonly Verb[] = ['start', 'restart']

/** @throws Failure `not-found` for a service that the stack does not have, or to start for one of which there is nothing. */
export function chosen(
  verb: Verb,
  target: Target,
  { observed, services }: { readonly observed: Observed } & ServicesOption,
): readonly ObservedContainer[] {
  const named = services === undefined ? undefined : new Set(services)
  for (const name of named ?? [])
    if (
      'services' in target
        ? serviceOf(target, name) === undefined
        : mustExist.includes(verb) && !observed.containers.some(({ service }) => service === name)
    )
      throw new Failure('not-found', `no such service: ${name}`)
  return observed.containers.filter(container => {
    // what is left of an init container goes with the rest, and so does the run of a job
    const isPart = [labels.hook, labels.job].some(label => container.labels[label] !== undefined)
    if (container.oneOff && !takesOneOffs[verb] && !(verb === 'down' && isPart)) return false
    if (named) return named.has(container.service)
    return !('services' in target) || Object.hasOwn(target.services, container.service)
  })
}

/** Of the stack, active or not. */
export function serviceOf(target: Target, name: string): Service | undefined {
  if (!('services' in target)) return undefined
  return Object.hasOwn(target.services, name) ? target.services[name] : target.disabledServices[name]
}

/** Tells containers of services that the stack does not have, and not of other files; one of `run` only when it has ended. */
export function orphanTest(target: Target, observed: Observed): (container: ObservedContainer) => boolean {
  if (!('services' in target)) return () => false
  const isOther = otherFilesTest(target, observed)
  return container => {
    const { service, oneOff, state } = container
    // what `run` has left behind is no part of a stack, and so of no other
    if (oneOff) return state === 'exited' || state === 'dead'
    return !isOther(container) && serviceOf(target, service) === undefined
  }
}

/** What --remove-orphans takes beside what the stack has: orphans, and with `all` every container of `run` of an active service. */
export function orphans(
  target: Target,
  observed: Observed,
  { all }: { readonly all: boolean },
): readonly ObservedContainer[] {
  const isOrphan = orphanTest(target, observed)
  const isOther = 'services' in target ? otherFilesTest(target, observed) : () => false
  const isActive = ({ service }: ObservedContainer) =>
    !('services' in target) || Object.hasOwn(target.services, service)
  return observed.containers.filter(each => isOrphan(each) || (all && each.oneOff && isActive(each) && !isOther(each)))
}
