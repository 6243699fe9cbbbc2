/** What one apply wanted otherwise than another, service by service, each field with both values as a plan tells them. */
import type { Project } from '../model/project.ts'
import type { Service } from '../model/service.ts'
import { type Change, changesText } from '../plan/change.ts'
import { containerBody } from '../targets/engine/plan/container-body.ts'
import { fieldChanges } from '../targets/engine/plan/field-changes.ts'
import { differing, type Fields } from '../targets/engine/plan/fields.ts'
import { hashNetwork, hashService, hashVolume } from '../targets/engine/plan/hash.ts'
import { toBeMade } from '../targets/engine/plan/made.ts'
import { containerName, imageName } from '../targets/engine/plan/names.ts'
import { shortDigest } from '../targets/engine/plan/recreation.ts'
import type { Entry } from './entry.ts'

/** One of the two, its model thawed. */
export interface Side extends Pick<Entry, 'images' | 'files' | 'scale'> {
  readonly project: Project
}

export interface Difference {
  readonly kind: 'service' | 'network' | 'volume'
  readonly name: string
  readonly action: 'add' | 'change' | 'remove'
  readonly changes: readonly Change[]
}

/** In order of names, services first; empty when both want the same. */
export function compareApplies(from: Side, to: Side): readonly Difference[] {
  return [
    ...compareRecords('service', from.project.services, to.project.services, (old, now) =>
      serviceChanges(from, to, { old, now }),
    ),
    ...compareRecords('network', from.project.networks, to.project.networks, (old, now) =>
      resourceChanges(old, now, hashNetwork),
    ),
    ...compareRecords('volume', from.project.volumes, to.project.volumes, (old, now) =>
      resourceChanges(old, now, hashVolume),
    ),
  ]
}

function compareRecords<T>(
  kind: Difference['kind'],
  from: Readonly<Record<string, T>>,
  to: Readonly<Record<string, T>>,
  changesOf: (old: T, now: T) => readonly Change[],
): readonly Difference[] {
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].sort().flatMap((name): Difference[] => {
    const [old, now] = [from[name], to[name]]
    if (old === undefined) return [{ kind, name, action: 'add', changes: [] }]
    if (now === undefined) return [{ kind, name, action: 'remove', changes: [] }]
    const changes = changesOf(old, now)
    return changes.length === 0 ? [] : [{ kind, name, action: 'change', changes }]
  })
}

function serviceChanges(from: Side, to: Side, { old, now }: { readonly old: Service; readonly now: Service }) {
  const changes: Change[] = []
  const [imageBefore, imageAfter] = [imageOf(from, old), imageOf(to, now)]
  if (imageBefore !== undefined && imageAfter !== undefined && imageBefore !== imageAfter)
    changes.push({ path: 'image digest', from: shortDigest(imageBefore), to: shortDigest(imageAfter) })
  const [countBefore, countAfter] = [replicas(from, old), replicas(to, now)]
  if (countBefore !== countAfter) changes.push({ path: 'scale', from: String(countBefore), to: String(countAfter) })
  const [before, after] = [made(from, old), made(to, now)]
  const wanted = { made: before.made, wanted: after.made }
  return [...changes, ...fieldChanges({ before: before.fields, after: after.fields, ...wanted })]
}

function imageOf({ project, images }: Side, service: Service): string | undefined {
  const name = imageName(project, service)
  return name !== undefined && Object.hasOwn(images, name) ? images[name]!.id : undefined
}

function replicas({ scale = {} }: Side, service: Service): number {
  return Object.hasOwn(scale, service.name) ? scale[service.name]! : service.replicas
}

/** As its first replica would be made; containers of other services stand by their names. */
function made({ project, files: kept }: Side, service: Service) {
  const files = new Map(Object.entries(kept))
  const hashed = hashService(project, service, files)
  const name = containerName(project, service, 1)
  const nameOf = (other: string): string => {
    const found = project.services[other] ?? project.disabledServices[other]
    return found ? containerName(project, found, 1) : other
  }
  const { body } = containerBody({
    project,
    service,
    name,
    number: 1,
    files,
    hashed,
    image: undefined,
    container: nameOf,
    containerNames: other => [nameOf(other)],
  })
  return { fields: hashed.fields, made: toBeMade(name, body) }
}

function resourceChanges<T extends { readonly name: string }>(
  old: T,
  now: T,
  hash: (one: T) => { readonly fields: Fields },
): readonly Change[] {
  const renamed = old.name === now.name ? [] : [{ path: 'name', from: old.name, to: now.name }]
  return [...renamed, ...differing(hash(old).fields, hash(now).fields).map(path => ({ path }))]
}

const signs = { add: '+', change: '~', remove: '-' } as const

/** "~ web: image digest a→b · ports +8443:443", "+ network back". */
export function differenceText({ kind, name, action, changes }: Difference): string {
  const what = kind === 'service' ? name : `${kind} ${name}`
  return `${signs[action]} ${what}${changes.length > 0 ? `: ${changesText(changes)}` : ''}`
}
