/** extends: a service over another of the same file or of a different one. */
import { dirname, relative } from 'node:path'
import { canonical } from './canonical.ts'
import { service as serviceShape, stack } from './fields.ts'
import { interpolate } from './interpolate.ts'
import { applyResets, merge } from './merge.ts'
import type { Layer } from './parse.ts'
import { absolute, resolvePaths } from './paths.ts'
import { whyMissing } from './read.ts'
import type { Reading } from './reading.ts'
import { checkServiceSyntax } from './syntax.ts'
import { clone, get, isNull, type MapNode, type Node, placeOf, showPlace, textAt } from './tree.ts'

interface Scope {
  /** Absolute path of the file, for cycles. */
  readonly file: string
  readonly services: MapNode | undefined
  readonly directory: string
  readonly resets: Layer['resets']
}

/** Resolves `extends` of every service of a layer in place; `file` and `directory` are where its paths begin. */
export function applyExtends(root: Node, layer: Layer, reading: Reading & { file: string; directory: string }): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  const scope: Scope = {
    file: reading.file,
    services,
    directory: reading.directory,
    resets: layer.resets,
  }
  const extender = new Extender(reading)
  for (const name of [...services.entries.keys()]) {
    const resolved = extender.resolve(name, scope, [])
    if (resolved) services.entries.set(name, resolved)
  }
}

class Extender {
  readonly #reading: Reading & { directory: string }
  readonly #files = new Map<string, Scope | undefined>()
  readonly #done = new Map<Node, Node>()

  constructor(reading: Reading & { directory: string }) {
    this.#reading = reading
  }

  resolve(name: string, scope: Scope, chain: readonly { file: string; name: string; node: Node }[]): Node | undefined {
    const node = scope.services?.entries.get(name)
    if (node?.kind !== 'map') return node
    const extending = node.entries.get('extends')
    if (!extending || isNull(extending)) return node
    const known = this.#done.get(node)
    if (known) return known
    const path = ['services', name, 'extends']
    const cycle = chain.findIndex(link => link.file === scope.file && link.name === name)
    if (cycle >= 0) {
      const names = [...chain.slice(cycle).map(link => link.name), name].join(' → ')
      this.#refuse(extending, path, { code: 'extends-cycle', message: `Cannot extend in a circle: ${names}` })
      return undefined
    }
    const reference = extending.kind === 'scalar' ? String(extending.value) : textAt(extending, 'service')
    const fileNode = get(extending, 'file')
    const file = fileNode?.kind === 'scalar' ? (fileNode.written ?? textAt(extending, 'file')) : undefined
    if (reference === undefined) return node
    const from = file === undefined ? scope : this.#open(file, { scope, node: get(extending, 'file')!, path })
    if (!from) return node
    if (!from.services?.entries.has(reference)) {
      const others = [...(from.services?.entries.keys() ?? [])].filter(other => other !== name)
      this.#refuse(extending, path, {
        code: 'undefined-service',
        message: `Cannot extend service "${reference}": ${file === undefined ? 'this file' : `"${file}"`} has ${others.length > 0 ? `services ${others.join(', ')}` : 'no other service'}`,
      })
      return node
    }
    const base = this.resolve(reference, from, [...chain, { file: scope.file, name, node: extending }])
    if (!base) return undefined
    // An empty base adds nothing; the reference then leaves `extends` where it stands.
    if (base.kind !== 'map') return node
    const origin = `extended by service "${name}" at ${showPlace(placeOf(extending, 'key'))}`
    const copy = clone(base, origin)
    if (file !== undefined) checkServiceSyntax(copy, reference, this.#reading.problems)
    applyResets(
      copy,
      scope.resets
        .filter(reset => reset[0] === 'services' && reset[1] === name && reset.length > 2)
        .map(reset => reset.slice(2)),
    )
    const own = new Map(node.entries)
    own.delete('extends')
    const merged = merge(copy, { ...node, entries: own }, serviceShape)
    this.#done.set(node, merged)
    return merged
  }

  /** The services of another file, in long form, its paths absolute; parsed once. */
  #open(file: string, at: { scope: Scope; node: Node; path: readonly string[] }): Scope | undefined {
    const reading = this.#reading
    if (/^(?:oci:\/\/|https?:\/\/|git@|git:\/\/|ssh:\/\/)/.test(file)) {
      this.#refuse(at.node, at.path, {
        code: 'unsupported',
        message: `Cannot extend from "${file}": files of other machines are not supported yet`,
      })
      return undefined
    }
    const path = absolute(file, { directory: at.scope.directory, home: reading.home })
    if (this.#files.has(path)) return this.#files.get(path)
    const text = reading.files.isDirectory(path) ? undefined : reading.files.read(path)
    if (text === undefined) {
      const message = `Cannot read "${file}": ${whyMissing(path, reading.files)}`
      this.#refuse(at.node, at.path, { code: 'missing-file', message })
      return undefined
    }
    const via = [`extended by ${showPlace(placeOf(at.node))}`, ...(at.node.source?.via ?? [])]
    const layers = reading.parse(path, text, via, reading.problems)
    let services: Node | undefined
    const resets: (readonly string[])[] = []
    for (const layer of layers) {
      if (reading.lookup) interpolate(layer.root, reading.lookup, reading)
      const long = canonical(
        layer.root,
        { ...stack, fields: { services: stack.fields.services! } },
        { problems: reading.problems, path: [] },
      )
      const found = get(long, 'services')
      if (found && services) services = merge(services, found, stack.fields.services!)
      else if (found) services = found
      resets.push(...layer.resets)
    }
    const scope: Scope = {
      file: path,
      services: services?.kind === 'map' ? services : undefined,
      directory: dirname(path),
      resets,
    }
    // Without path resolution they become relative to where the extending file is.
    if (services) {
      const directory = reading.resolvePaths ? scope.directory : relative(this.#reading.directory, scope.directory)
      resolvePaths(services, stack.fields.services!, { directory, home: reading.home })
    }
    this.#files.set(path, scope)
    return scope
  }

  #refuse(node: Node, path: readonly string[], problem: { code: string; message: string }): void {
    this.#reading.problems.add({ severity: 'error', place: placeOf(node), path, ...problem })
  }
}
