/** Configs, secrets and files of this machine as ConfigMaps and Secrets: immutable, and named by a hash of their content. */
import { hash } from 'node:crypto'
import type { FileObject, FileReference } from '../../../model/file-object.ts'
import type { Project } from '../../../model/project.ts'
import { given } from '../../members.ts'
import { annotations, labelsOf } from '../labels.ts'
import { type JsonMap, manifest } from '../manifest.ts'
import { contentName, objectName, partName } from '../names.ts'
import type { Input, Wanted } from './given-input.ts'

/** Bytes of a ConfigMap or Secret; a cluster takes 1 MiB, with all that is around them. */
export const mostBytes = 900 * 1024

/** The key of the one file that most of ours have. */
const only = 'content'

/** Absolute paths that objects are made of, sorted, for whoever reads them. */
export function pathsOf(project: Project): readonly string[] {
  const objects = [...Object.values(project.configs), ...Object.values(project.secrets)]
  const files = objects.flatMap(({ source }) => (source.kind === 'file' ? [source.file] : []))
  const binds = Object.values(project.services).flatMap(({ mounts, hostPaths }) =>
    hostPaths ? [] : mounts.flatMap(mount => (mount.kind === 'bind' ? [mount.source] : [])),
  )
  return [...new Set([...files, ...binds])].sort()
}

/** A volume of a pod that is one of these objects, and how it is mounted. */
export interface FileVolume {
  readonly wanted?: Wanted
  readonly volume: JsonMap
  readonly subPath: string | undefined
}

/** Undefined where it was refused. */
export function fileVolume(input: Input, kind: 'config' | 'secret', reference: FileReference): FileVolume | undefined {
  const object = input.project[`${kind}s`][reference.source]
  if (!object) return undefined
  const external = object.source.kind === 'external'
  const found = external ? undefined : ofContent(input, kind, object)
  if (!found && !external) return undefined
  const name = found?.manifest.metadata.name ?? object.name
  const items = [given({ key: found ? only : object.key, path: only, mode: reference.mode ?? 0o444 })]
  return given({
    wanted: found,
    volume: kind === 'secret' ? { secret: { secretName: name, items } } : { configMap: { name, items } },
    subPath: only,
  })
}

function ofContent(input: Input, kind: 'config' | 'secret', object: FileObject): Wanted | undefined {
  const path = [`${kind}s`, object.key]
  const refuse = (code: string, why: string, hint: string): undefined => {
    input.refuse(path, { code, message: `Cannot have ${kind} "${object.key}": ${why}`, hint })
    return undefined
  }
  const { source } = object
  switch (source.kind) {
    case 'file': {
      const seen = input.files.get(source.file)
      const bytes = seen?.kind === 'file' ? seen.contents.get('') : undefined
      if (bytes)
        return contentObject(input, {
          kind,
          name: nameOf(input.project, object),
          path,
          contents: new Map([[only, bytes]]),
        })
      const why = seen?.kind === 'none' ? seen.why : 'it is no file'
      return refuse('missing-file', `"${source.file}": ${why}`, 'Create the file')
    }
    case 'driver':
      return refuse(
        'secret-driver',
        `a cluster has no driver "${source.driver}"`,
        'Make it there, and say "external: true"',
      )
    case 'external':
      return undefined
    default: {
      const text = source.kind === 'content' ? source.content : source.value
      if (text === undefined)
        return refuse(
          'unset-variable',
          `variable "${source.kind === 'environment' ? source.variable : ''}" is not set`,
          'Set it',
        )
      return contentObject(input, {
        kind,
        name: nameOf(input.project, object),
        path,
        contents: new Map([[only, Buffer.from(text)]]),
      })
    }
  }
}

function nameOf({ name }: Project, object: FileObject): string {
  return partName(name, object)
}

interface Content {
  readonly kind: 'config' | 'secret'
  readonly name: string
  readonly path: readonly string[]
  readonly contents: ReadonlyMap<string, Uint8Array>
  readonly service?: string
}

function contentObject(input: Input, { kind, name, path, contents, service }: Content): Wanted {
  const isText = (bytes: Uint8Array) => Buffer.from(bytes.toString()).equals(bytes)
  const sorted = [...contents]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, bytes]) => [key, Buffer.from(bytes)] as const)
  const digest = hash('sha256', sorted.map(([key, bytes]) => `${key}\n${hash('sha256', bytes)}\n`).join(''))
  const metadata = {
    name: contentName(name, digest),
    namespace: input.home.namespace,
    labels: labelsOf(input.home, service),
    annotations: { [annotations.name]: service ?? name },
  }
  const base64 = (which: typeof sorted) =>
    Object.fromEntries(which.map(([key, bytes]) => [key, bytes.toString('base64')]))
  const rest =
    kind === 'secret'
      ? { immutable: true, type: 'Opaque', data: base64(sorted) }
      : given({
          immutable: true,
          data: some(Object.fromEntries(sorted.filter(([, b]) => isText(b)).map(([key, b]) => [key, b.toString()]))),
          binaryData: some(base64(sorted.filter(([, b]) => !isText(b)))),
        })
  return given({
    manifest: manifest(kind === 'secret' ? 'Secret' : 'ConfigMap', metadata, rest),
    service,
    path,
  })
}

function some(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  return Object.keys(map).length === 0 ? undefined : map
}

/** A bound file or folder as a ConfigMap; a path below a folder becomes a key, which knows no "/". */
export function boundVolume(
  input: Input,
  { service, source, path }: { readonly service: string; readonly source: string; readonly path: readonly string[] },
): FileVolume | undefined {
  const seen = input.files.get(source)
  if (!seen || seen.kind === 'none') {
    input.refuse(path, {
      code: 'host-path',
      message: `Cannot mount "${source}" of this machine: ${seen?.why ?? 'it was not looked at'}`,
      hint: 'Use a volume, a config, or say "x-host-path: true" in the service for a path of the nodes',
    })
    return undefined
  }
  const places = [...seen.contents.keys()].sort()
  const keyOf = (place: string) => (place === '' ? only : place.replace(/[^-._a-zA-Z0-9]/g, '_'))
  const keys = new Map(
    places.map((place, i) => [
      place,
      places.findIndex(each => keyOf(each) === keyOf(place)) === i ? keyOf(place) : `${i}-${keyOf(place)}`,
    ]),
  )
  const name = `${input.project.name}-${service}-${objectName(source.slice(source.lastIndexOf('/') + 1) || 'root')}`
  const wanted = contentObject(input, {
    kind: 'config',
    name,
    path,
    service,
    contents: new Map(places.map(place => [keys.get(place)!, seen.contents.get(place)!])),
  })
  const items = places.map(place => ({ key: keys.get(place)!, path: place === '' ? only : place }))
  return {
    wanted,
    volume: { configMap: { name: wanted.manifest.metadata.name, items } },
    subPath: seen.kind === 'file' ? only : undefined,
  }
}
