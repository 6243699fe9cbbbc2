/** The way back to an earlier apply: which one, and its model with the images it had. */
import { Failure } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { imageName } from '../targets/engine/plan/names.ts'
import { type Entry, type KeptImage, outcomeOf, repairing } from './entry.ts'

/**
 * The apply before the newest that was carried out whole: what runs now came of the newest, be it done or not.
 * @throws Failure `not-found` when there is none.
 */
export function previous(project: string, entries: readonly Entry[]): Entry {
  // a repair has changed nothing of what was asked for
  const applies = entries.filter(({ command }) => command !== repairing)
  const found = applies.slice(0, -1).findLast(entry => entry.model !== undefined && outcomeOf(entry) === 'done')
  if (found) return found
  const hint = entries.length === 0 ? 'Its history is empty' : 'See "tscompose history"'
  throw new Failure('not-found', `Project "${project}" has no earlier apply to go back to`, { hint })
}

/** Image name → what it means at the engine now; absent: it is not there. */
export type ImagesNow = ReadonlyMap<string, string>

export interface Pinning {
  /** "3", "snapshot daily", for the message. */
  readonly what: string
  /** By the names that the model uses: as they were. */
  readonly images: Readonly<Record<string, KeptImage>>
  readonly now: ImagesNow
  /** Ids of those that were, and still are. */
  readonly here: ReadonlySet<string>
}

/**
 * The project with every image as it was: by its name where that means the same, otherwise by its digest or, for one
 * that no registry has, by its id. Nothing is built.
 * @throws Failure `not-found` naming each image that is gone for good.
 */
export function pinned(project: Project, pinning: Pinning): Project {
  const gone: string[] = []
  const services: Record<string, Service> = Object.create(null)
  for (const [key, service] of Object.entries(project.services)) {
    const name = imageName(project, service)
    const { build: _, ...rest } = service
    const image = name === undefined ? undefined : asItWas(name, pinning)
    if (name !== undefined && image === undefined) gone.push(`"${name}" of ${key}`)
    const preStart = rest.preStart.map(hook => {
      const own = hook.image === undefined ? undefined : asItWas(hook.image, pinning)
      if (hook.image !== undefined && own === undefined) gone.push(`"${hook.image}" of pre_start of ${key}`)
      return own === undefined ? hook : { ...hook, image: own }
    })
    const pullPolicy = { kind: 'missing' } as const
    services[key] = { ...rest, preStart, pullPolicy, ...(image === undefined ? {} : { image }) }
  }
  if (gone.length > 0)
    throw new Failure('not-found', `Cannot go back to ${pinning.what}: the image ${list(gone)} is gone`, {
      hint: 'It was built here, and has been removed since: build it again from the files of that time',
    })
  return { ...project, services }
}

/** Undefined: it cannot be had. What was not here at the time is left as it is named. */
function asItWas(name: string, { images, now, here }: Pinning): string | undefined {
  const then = Object.hasOwn(images, name) ? images[name] : undefined
  if (then === undefined || now.get(name) === then.id) return name
  if (here.has(then.id)) return then.digest === undefined || name.includes('@') ? then.id : `${name}@${then.digest}`
  if (then.digest === undefined) return undefined
  return name.includes('@') ? name : `${name}@${then.digest}`
}

/** What has changed beside the model: files and variables that configs and secrets are made from. */
export function changedSince(
  entry: Pick<Entry, 'files' | 'variables'>,
  now: { readonly files: ReadonlyMap<string, string>; readonly variables: Readonly<Record<string, string>> },
): readonly string[] {
  const files = Object.entries(entry.files)
    .filter(([path, hash]) => now.files.get(path) !== hash)
    .map(([path]) => `file ${path}`)
  const variables = Object.entries(entry.variables)
    .filter(([key, hash]) => now.variables[key] !== hash)
    .map(([key]) => `the variable behind ${key}`)
  return [...files, ...variables]
}
