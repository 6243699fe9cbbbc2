/** The merged tree as `config` prints it: the same data as `docker compose config`. */
import { stringify } from 'yaml'
import { formatDuration } from '../lib/units.ts'
import { textOf } from './fields/forms.ts'
import { stack } from './fields.ts'
import { longShape, type NumberShape, type ObjectShape, optionFor, type Shape } from './grammar.ts'
import type { LoadedStack } from './load.ts'
import { formatTimestamp } from './scalars.ts'
import { isNull, type MapNode, map, type Node, plain, type ScalarNode } from './tree.ts'

/** `config --format json`, ends with a newline. */
export function configJson(loaded: LoadedStack): string {
  return `${JSON.stringify(configData(loaded), null, 2)}\n`
}

/** `config --format yaml`, ends with a newline. */
export function configYaml(loaded: LoadedStack): string {
  return stringify(configData(loaded), { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' })
}

/** The data of `config`, before it is text. */
export function configData(loaded: LoadedStack): Record<string, unknown> {
  if (!loaded.interpolated) return { name: loaded.project.name, ...(sorted(plain(loaded.tree)) as object) }
  const encoder = new Encoder()
  const data: Record<string, unknown> = Object.create(null)
  data.name = loaded.project.name
  const encoded = encoder.encode(loaded.tree, stack) as Record<string, unknown>
  delete encoded.name
  for (const key of Object.keys(encoded).sort()) data[key] = encoded[key]
  data.services ??= {}
  for (const [key, member] of loaded.tree.entries) if (key.startsWith('x-')) data[key] = encoder.extension(member)
  return data
}

/** A tree whose variables were left is printed as it is, keys sorted. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const record: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) record[key] = sorted(member)
  return record
}

class Encoder {
  /** Undefined for what is not printed. */
  encode(node: Node, shape: Shape): unknown {
    if (shape.hidden) return undefined
    const option = shape.kind === 'choice' ? optionFor(shape, node) : shape
    if (!option) return this.escape(plain(node))
    if (node.kind === 'scalar') return this.#scalar(node, option, shape)
    if (node.kind === 'list') return this.#list(node.items, option)
    if (option.kind === 'object') return this.#object(node, option)
    if (option.kind === 'map') return this.#map(node, option)
    return this.escape(plain(node))
  }

  #object(node: MapNode, shape: ObjectShape): Record<string, unknown> {
    const record: Record<string, unknown> = Object.create(null)
    for (const key of [...node.entries.keys()].sort()) {
      const field = Object.hasOwn(shape.fields, key) ? longShape(shape.fields[key]!) : undefined
      if (!field) continue
      const member = node.entries.get(key)!
      if (isNull(member)) continue
      const value = this.encode(member, field)
      if (value === undefined || isZero(value, member, field)) continue
      record[key] = value
    }
    return always(record, shape)
  }

  #map(node: MapNode, shape: Shape & { kind: 'map' }): Record<string, unknown> {
    const values = longShape(shape.values)
    const record: Record<string, unknown> = Object.create(null)
    for (const key of [...node.entries.keys()].sort()) {
      const member = node.entries.get(key)!
      if (key.startsWith('x-') && shape.names?.test(key) && values.kind === 'object' && values.fields.image) continue
      record[this.#text(key)] = isZeroLimit(member, values)
        ? {}
        : isNull(member)
          ? this.#nothing(shape)
          : this.encode(member, values)
    }
    return record
  }

  /** What an empty value of a map is printed as. */
  #nothing(shape: Shape & { kind: 'map' }): unknown {
    const values = longShape(shape.values)
    if (shape.printNull) return null
    return values.kind === 'choice' ? this.encode(map(new Map()), values) : ''
  }

  #list(items: readonly Node[], shape: Shape): unknown[] {
    const inner = shape.kind === 'list' ? longShape(shape.items) : undefined
    return items.map(item => (inner ? this.encode(item, inner) : this.escape(plain(item))))
  }

  #scalar(node: ScalarNode, shape: Shape, outer: Shape): unknown {
    if (node.value === null) return null
    if (typeof node.value === 'string') return this.#text(node.value)
    if (shape.kind === 'text') return this.#text(textOf(node))
    const number = shape as NumberShape
    if (shape.kind === 'duration') return formatDuration(Number(node.value))
    if (number.octal && number.quoted) return `0${Number(node.value).toString(8)}`
    if (number.quoted) return node.text && node.value !== 0 ? node.text : String(node.value)
    return outer.kind === 'any' ? this.escape(node.value) : node.value
  }

  #text(text: string): string {
    return text.replaceAll('$', '$$$$')
  }

  /** What the format does not know, as it stands; empty lists are null in the reference, and dates have a time. */
  extension(node: Node): unknown {
    if (node.kind === 'scalar')
      return node.timestamp
        ? formatTimestamp(node.text ?? '')
        : typeof node.value === 'string'
          ? this.#text(node.value)
          : node.value
    if (node.kind === 'list') return node.items.length === 0 ? null : node.items.map(item => this.extension(item))
    return Object.fromEntries([...node.entries].map(([key, member]) => [this.#text(key), this.extension(member)]))
  }

  escape(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value)
    if (Array.isArray(value)) return value.map(item => this.escape(item))
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [this.#text(key), this.escape(member)]))
  }
}

/** A limit of zero is the empty record of the reference. */
function isZeroLimit(node: Node, shape: Shape): boolean {
  return (
    node.kind === 'scalar' &&
    node.value === 0 &&
    shape.kind === 'choice' &&
    shape.options.some(option => option.kind === 'int')
  )
}

/** Zero, false, empty text and empty lists and maps are not printed, unless they say something by being there. */
function isZero(value: unknown, node: Node, shape: Shape): boolean {
  if (shape.keep) return false
  if (Array.isArray(value)) return value.length === 0 && !isCommand(shape)
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 && shape.kind === 'map'
  if (node.kind === 'scalar' && node.value === 0 && shape.kind !== 'choice') return true
  return value === '' || value === false || value === 0
}

function isCommand(shape: Shape): boolean {
  return shape.kind === 'choice' && shape.options.length === 3 && shape.options[0]!.kind === 'null'
}

/** Members that are printed even when nobody set them. */
function always(record: Record<string, unknown>, shape: ObjectShape): Record<string, unknown> {
  const has = (...keys: string[]) => keys.every(key => Object.hasOwn(shape.fields, key))
  if (has('command', 'entrypoint')) {
    record.command ??= null
    record.entrypoint ??= null
  } else if (has('command', 'working_dir')) record.command ??= null
  if (has('endpoint_mode')) {
    record.resources ??= {}
    record.placement ??= {}
  }
  if (has('ipam')) record.ipam ??= {}
  if (has('kind', 'value')) {
    record.kind ??= ''
    record.value ??= 0
  }
  if (has('action', 'initial_sync')) record.exec ??= { command: null }
  // Of block devices the reference prints the members of its own records, set or not.
  const device =
    !shape.extensions && has('path')
      ? has('rate')
        ? { path: '', rate: '0', ...record }
        : has('weight')
          ? { path: '', weight: 0, ...record }
          : undefined
      : undefined
  if (device)
    return Object.fromEntries(
      Object.entries(device).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]),
    )
  return record
}
