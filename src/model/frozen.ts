/**
 * A project as it was read, kept: for whoever holds it when its files have changed or gone. Plain JSON, so that records of
 * several kinds can carry it. Values of variables are among it, so it belongs in files that only their owner reads.
 */
import { Failure } from '../lib/failure.ts'
import type { Place } from '../lib/problems.ts'
import type { FileObject } from './file-object.ts'
import type { Project } from './project.ts'

const version = 1

/** Line and column of a path as deep as a field of a service; what lies deeper is told by the field it is in. */
const placeDepth = 3

/** Index into `files`, line, column, and index into `vias` when the file was not read by itself. */
type FrozenPlace = readonly [file: number, line: number, column: number, via?: number]

type Data = Omit<Project, 'place' | 'places' | 'locked'> & { readonly locked?: readonly string[] }

export interface FrozenProject {
  readonly version: typeof version
  readonly project: Data
  readonly places: {
    readonly files: readonly string[]
    readonly vias: readonly (readonly string[])[]
    /** By the path's keys as a JSON list. */
    readonly of: Readonly<Record<string, FrozenPlace>>
  }
}

export interface FreezeOptions {
  /** Contents of configs and secrets that come from variables are left out; `thaw` takes them from the variables of its own time. */
  readonly withoutVariables?: boolean
}

export function freeze(project: Project, { withoutVariables = false }: FreezeOptions = {}): FrozenProject {
  const { place: _place, places: _places, locked, ...data } = project
  return {
    version,
    project: {
      ...data,
      ...(locked && { locked: [...locked].sort() }),
      ...(withoutVariables && { configs: emptied(data.configs), secrets: emptied(data.secrets) }),
    },
    places: frozenPlaces(project),
  }
}

/**
 * What `freeze` gave, read again from JSON. `env`: values for what was frozen without variables.
 * @throws Failure `unsupported` for a newer version, `invalid` for what is no frozen project.
 */
export function thaw(value: unknown, env: Readonly<Record<string, string | undefined>> = {}): Project {
  checkFrozen(value)
  const { locked, ...data } = bare(value.project) as Data
  const { files, vias, of } = value.places
  const placeOf = ([file, line, column, via]: FrozenPlace): Place => ({
    file: files[file] ?? '',
    line,
    column,
    ...(via === undefined ? {} : { via: vias[via] ?? [] }),
  })
  return {
    ...data,
    configs: filled(data.configs, env),
    secrets: filled(data.secrets, env),
    ...(locked && { locked: new Set(locked) }),
    place(path) {
      for (let length = Math.min(path.length, placeDepth); length > 0; length--) {
        const key = JSON.stringify(path.slice(0, length))
        if (Object.hasOwn(of, key)) return placeOf(of[key]!)
      }
      return undefined
    },
    *places(depth) {
      for (const [key, place] of Object.entries(of)) {
        const path = JSON.parse(key) as string[]
        if (path.length <= depth) yield [path, placeOf(place)]
      }
    },
  }
}

function frozenPlaces(project: Project): FrozenProject['places'] {
  const files: string[] = []
  const vias: (readonly string[])[] = []
  const of: Record<string, FrozenPlace> = {}
  const viaTexts: string[] = []
  for (const [path, { file, line, column, via }] of project.places(placeDepth)) {
    const at = [indexIn(files, file), line, column] as const
    if (via === undefined) of[JSON.stringify(path)] = at
    else {
      const index = indexIn(viaTexts, JSON.stringify(via))
      vias[index] ??= via
      of[JSON.stringify(path)] = [...at, index]
    }
  }
  return { files, vias, of }
}

function indexIn(list: string[], item: string): number {
  const index = list.indexOf(item)
  return index >= 0 ? index : list.push(item) - 1
}

type FileObjects = Project['configs']

function changed(objects: FileObjects, change: (object: FileObject) => FileObject): FileObjects {
  const result: Record<string, FileObject> = Object.create(null)
  for (const [key, object] of Object.entries(objects)) result[key] = change(object)
  return result
}

function emptied(objects: FileObjects): FileObjects {
  return changed(objects, object =>
    object.source.kind === 'environment' ? { ...object, source: { ...object.source, value: undefined } } : object,
  )
}

function filled(objects: FileObjects, env: Readonly<Record<string, string | undefined>>): FileObjects {
  return changed(objects, object => {
    const { source } = object
    if (source.kind !== 'environment' || source.value !== undefined) return object
    return { ...object, source: { ...source, value: env[source.variable] } }
  })
}

/** Copies of all records without prototype, so that any name is only a name. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare)
  if (typeof value !== 'object' || value === null) return value
  const record: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value)) record[key] = bare(member)
  return record
}

const records = ['services', 'disabledServices', 'networks', 'volumes', 'configs', 'secrets'] as const

function checkFrozen(value: unknown): asserts value is FrozenProject {
  const bad = (why: string) => new Failure('invalid', `Cannot use the kept model of a stack: ${why}`)
  if (!isRecord(value)) throw bad('it is no object')
  if (typeof value['version'] === 'number' && value['version'] > version)
    throw new Failure('unsupported', `The kept model of a stack has version ${value['version']}, ${version} is known`, {
      hint: 'A newer tscompose made it; use that one',
    })
  if (value['version'] !== version) throw bad('it has no version')
  const { project, places } = value
  if (!isRecord(project) || typeof project['name'] !== 'string' || typeof project['directory'] !== 'string')
    throw bad('it has no project')
  for (const name of records) if (!isRecord(project[name])) throw bad(`it has no "${name}"`)
  if (!isRecord(places) || !Array.isArray(places['files']) || !Array.isArray(places['vias']) || !isRecord(places['of']))
    throw bad('it has no places')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
