/** The merged tree as `config` prints it: the same data as `docker compose config`. */
import { Document, stringify, visit } from 'yaml'
import { formatDuration } from '../lib/units.ts'
import { textOf } from './fields/forms.ts'
import { stack } from './fields.ts'
import { longShape, type NumberShape, type ObjectShape, optionFor, type Shape } from './grammar.ts'
import type { LoadedStack } from './load.ts'
import { naturally } from './natural-order.ts'
import { formatTimestamp, resolvePlain } from './scalars.ts'
import { isNull, type MapNode, map, type Node, plain, type ScalarNode } from './tree.ts'

/** How it is printed: JSON has members that nobody set, YAML has extensions wherever they stand. */
type Format = 'json' | 'yaml'

/** `config --format json`, ends with a newline. */
export function configJson(loaded: LoadedStack): string {
  // as Go writes it: nothing that a web page would take for markup
  const text = JSON.stringify(configData(loaded), null, 2).replace(
    /[<>&\u2028\u2029]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `${text}\n`
}

/** `config --format yaml`, ends with a newline. */
export function configYaml(loaded: LoadedStack): string {
  const document = new Document(configData(loaded, 'yaml'), { aliasDuplicateObjects: false })
  visit(document, {
    // as Go writes them: in double quotes what would be no string without, in single quotes what would not be YAML
    Scalar: (_, node) => {
      if (typeof node.value !== 'string') return
      if (readsAsOther(node.value) || /^[^\n]*\t[^\n]*$|[\u{10000}-\u{10ffff}]/u.test(node.value))
        node.type = 'QUOTE_DOUBLE'
      else if (node.value.includes("'") && stringify(node.value).startsWith('"')) node.type = 'QUOTE_SINGLE'
    },
  })
  return escapeRare(document.toString({ lineWidth: 0, singleQuote: true }))
}

/** Characters beyond the first plane are escaped by the reference. */
function escapeRare(text: string): string {
  return text.replace(
    /[\u{10000}-\u{10ffff}]/gu,
    char => `\\U${char.codePointAt(0)!.toString(16).toUpperCase().padStart(8, '0')}`,
  )
}

const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const oldBoolean = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/

/** Whether text without quotes would be read as something else, by a reader of YAML 1.1 too. */
function readsAsOther(text: string): boolean {
  const { value, timestamp } = resolvePlain(text)
  return typeof value !== 'string' || timestamp === true || oldBoolean.test(text) || sexagesimal.test(text)
}

const sections = ['services', 'networks', 'volumes', 'secrets', 'configs', 'models']

/** The data of `config`, before it is text. */
export function configData(loaded: LoadedStack, format: Format = 'json'): Record<string, unknown> {
  if (!loaded.interpolated)
    return sorted({ ...(plain(loaded.tree) as object), name: loaded.project.name }) as Record<string, unknown>
  const encoder = new Encoder(format)
  const data: Record<string, unknown> = Object.create(null)
  data.name = loaded.project.name
  const encoded = encoder.encode(loaded.tree, stack) as Record<string, unknown>
  encoded.services ??= {}
  for (const key of sections) if (encoded[key] !== undefined) data[key] = encoded[key]
  for (const [key, member] of extensionsOf(loaded.tree)) data[key] = encoder.extension(member)
  return format === 'json' ? bySection(data) : data
}

/** JSON has the top in the order of the names. */
function bySection(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function extensionsOf(node: MapNode): ReadonlyArray<readonly [string, Node]> {
  return [...node.entries].filter(([key]) => key.startsWith('x-')).sort(([a], [b]) => (a < b ? -1 : 1))
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
  readonly #format: Format

  constructor(format: Format) {
    this.#format = format
  }

  /** Undefined for what is not printed. */
  encode(node: Node, shape: Shape): unknown {
    if (shape.hidden === true || shape.hidden === this.#format) return undefined
    const option = shape.kind === 'choice' ? optionFor(shape, node) : shape
    if (!option) return this.extension(node)
    if (node.kind === 'scalar') return this.#scalar(node, option)
    if (node.kind === 'list') return this.#list(node.items, option)
    if (option.kind === 'object') return this.#object(node, option)
    return option.kind === 'map' ? this.#map(node, option) : this.extension(node)
  }

  /** In the order of the grammar, which is that of the reference. */
  #object(node: MapNode, shape: ObjectShape): Record<string, unknown> {
    const record: Record<string, unknown> = Object.create(null)
    const always = this.#format === 'json' ? alwaysThere(shape) : {}
    for (const [key, surface] of Object.entries(shape.fields)) {
      const member = node.entries.get(key)
      const value = member && !isNull(member) ? this.#member(member, longShape(surface)) : undefined
      if (value !== undefined) record[key] = value
      else if (Object.hasOwn(always, key)) record[key] = always[key]
    }
    if (this.#format === 'yaml' && shape.extensions === true)
      for (const [key, member] of extensionsOf(node)) record[this.#text(key)] = this.extension(member)
    return isDevice(shape) && this.#format === 'json' ? capitalised(record) : record
  }

  #member(member: Node, field: Shape): unknown {
    const value = this.encode(member, field)
    return value === undefined || isZero(value, member, field) ? undefined : value
  }

  #map(node: MapNode, shape: Shape & { kind: 'map' }): Record<string, unknown> {
    const values = longShape(shape.values)
    const record: Record<string, unknown> = Object.create(null)
    for (const key of [...node.entries.keys()].sort(this.#format === 'yaml' ? naturally : undefined)) {
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
    return items.map(item => (inner ? this.encode(item, inner) : this.extension(item)))
  }

  #scalar(node: ScalarNode, shape: Shape): unknown {
    if (node.value === null) return null
    if (typeof node.value === 'string') return this.#text(node.value)
    if (shape.kind === 'text') return this.#text(textOf(node))
    const number = shape as NumberShape
    if (shape.kind === 'duration') return formatDuration(Number(node.value))
    if (number.octal && number.quoted) return `0${Number(node.value).toString(8)}`
    if (number.quoted) return node.text && node.value !== 0 ? node.text : String(node.value)
    return node.value
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
    const members = [...node.entries].sort(([a], [b]) => (a < b ? -1 : 1))
    return Object.fromEntries(members.map(([key, member]) => [this.#text(key), this.extension(member)]))
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

/** Members that JSON has even when nobody set them. */
function alwaysThere(shape: ObjectShape): Readonly<Record<string, unknown>> {
  const has = (...keys: string[]) => keys.every(key => Object.hasOwn(shape.fields, key))
  if (has('command', 'entrypoint')) return { command: null, entrypoint: null }
  if (has('command', 'working_dir')) return { command: null }
  if (has('endpoint_mode')) return { resources: {}, placement: {} }
  if (has('ipam')) return { ipam: {} }
  if (has('kind', 'value')) return { kind: '', value: 0 }
  if (has('action', 'initial_sync')) return { exec: { command: null } }
  if (isDevice(shape)) return has('rate') ? { path: '', rate: '0' } : { path: '', weight: 0 }
  return {}
}

/** Of block devices the reference prints the members of its own records. */
function isDevice(shape: ObjectShape): boolean {
  const { fields } = shape
  return (
    !shape.extensions && 'path' in fields && ('rate' in fields || ('weight' in fields && !('weight_device' in fields)))
  )
}

function capitalised(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]),
  )
}
