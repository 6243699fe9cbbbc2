/** Secrets and configs of a stack: immutable in a swarm, so that one whose content changes is another, named by a hash of it. */
import { hash } from 'node:crypto'
import type { FileObject } from '../../../model/file-object.ts'
import type { Project } from '../../../model/project.ts'
import type { NodeId, Ref } from '../../../plan/operation.ts'
import { labels } from '../labels.ts'
import type { ObservedSwarm } from '../observed.ts'
import type { Content } from '../operation.ts'
import type { SwarmPlan } from '../swarm-plan.ts'

export const fileKinds = ['secret', 'config'] as const
export type FileKind = (typeof fileKinds)[number]

/** Absolute paths of the files behind configs and secrets, sorted, for `observe`. */
export function filesOf(project: Project): readonly string[] {
  const all = [...Object.values(project.configs), ...Object.values(project.secrets)]
  const files = all.flatMap(({ source }) => (source.kind === 'file' ? [source.file] : []))
  return [...new Set(files)].sort()
}

/** One of the stack, as it is called in the swarm. */
export interface PlannedFile {
  readonly name: string
  /** Its id, or the node that makes it. */
  readonly ref: Ref
}

export type PlannedFiles = Readonly<Record<FileKind, ReadonlyMap<string, PlannedFile>>>

/** Adds those that are missing; what cannot be had is refused at its place. */
export function planFiles(
  plan: SwarmPlan,
  {
    project,
    observed,
    used,
  }: {
    readonly project: Project
    readonly observed: ObservedSwarm
    readonly used: Used
  },
): PlannedFiles {
  const planned: Record<FileKind, Map<string, PlannedFile>> = {
    secret: new Map(),
    config: new Map(),
  }
  for (const kind of fileKinds)
    for (const key of [...used[kind]].sort()) {
      const object = project[`${kind}s`][key]
      const found = object && planFile(plan, { kind, object, project, observed })
      if (found) planned[kind].set(key, found)
    }
  return planned
}

/** Keys of those that services name. */
export type Used = Readonly<Record<FileKind, ReadonlySet<string>>>

interface One {
  readonly kind: FileKind
  readonly object: FileObject
  readonly project: Project
  readonly observed: ObservedSwarm
}

function planFile(plan: SwarmPlan, { kind, object, project, observed }: One): PlannedFile | undefined {
  const path = [`${kind}s`, object.key]
  const refuse = (code: string, why: string, hint: string): undefined => {
    plan.refuse(project, path, {
      code,
      message: `Cannot have ${kind} "${object.key}": ${why}`,
      hint,
    })
    return undefined
  }
  const there = observed[`${kind}s`]
  const { source } = object
  if (source.kind === 'external') {
    const found = there.get(object.name)
    if (found) return { name: object.name, ref: found.ID }
    return refuse('missing-object', `the swarm has no ${kind} "${object.name}"`, `Make it, or leave out "external"`)
  }
  let content: Content | undefined
  let sha256: string | undefined
  if (source.kind === 'file') {
    content = { file: source.file }
    sha256 = observed.files.get(source.file)
    if (sha256 === undefined)
      return refuse('missing-file', `there is no readable file "${source.file}"`, 'Create the file')
  } else if (source.kind !== 'driver') {
    const text = source.kind === 'content' ? source.content : source.value
    if (text === undefined)
      return refuse(
        'unset-variable',
        `variable "${source.kind === 'environment' ? source.variable : ''}" is not set`,
        'Set it',
      )
    content = { text }
    sha256 = hash('sha256', text)
  }
  const own = {
    ...object.labels,
    [labels.stack]: project.name,
    [labels.project]: project.name,
  }
  const driver = source.kind === 'driver' ? { Driver: { Name: source.driver, Options: source.driverOpts } } : {}
  const template = object.templateDriver === undefined ? {} : { Templating: { Name: object.templateDriver } }
  const labelled = { Labels: own, ...driver, ...template }
  const suffix = hash('sha256', `${sha256 ?? ''}\n${JSON.stringify(Object.entries(labelled).sort())}`).slice(0, 12)
  // a swarm takes 64 characters
  const name = `${object.name.slice(0, 51)}_${suffix}`
  const found = there.get(name)
  if (found) return { name, ref: found.ID }
  const before = [...there.values()].some(each => isOlder(each.Spec.Name, object.name))
  const node = plan.add({
    kind: `create-${kind}`,
    cause: before ? `the content of ${kind} "${object.key}" has changed` : `no ${kind} of this content`,
    name,
    file: { spec: { Name: name, ...labelled }, content, sha256 },
  })
  return { name, ref: { node } }
}

function isOlder(name: string, base: string): boolean {
  return name.startsWith(`${base.slice(0, 51)}_`) && /_[0-9a-f]{12}$/.test(name)
}

/** Removes those of the stack that nothing names any more, once all that come after them are done. */
export function planUnused(plan: SwarmPlan, { project, observed, named, after }: Unused): void {
  for (const kind of fileKinds)
    for (const [name, { ID, Spec }] of observed[`${kind}s`])
      if (Spec.Labels?.[labels.stack] === project && !named[kind].has(name))
        plan.add(
          {
            kind: `remove-${kind}`,
            cause: 'nothing uses it any more',
            name,
            id: ID,
          },
          after,
        )
}

export interface Unused {
  /** Its name. */
  readonly project: string
  readonly observed: ObservedSwarm
  readonly named: Readonly<Record<FileKind, ReadonlySet<string>>>
  readonly after: readonly NodeId[]
}
