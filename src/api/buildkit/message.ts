/**
 * Protocol Buffers messages as tables of their fields, typed by them: what is absent on the wire is its default here, as proto3 has it.
 *
 *     const vertex = message({ digest: field(1, 'string'), inputs: list(2, 'string'), started: field(5, timestamp) })
 *     vertex.encode({ digest: 'sha256:…' }); vertex.decode(bytes).inputs
 */
import type { Reader as WireReader, Writer as WireWriter } from 'protobufjs/minimal.js'
import protobuf from 'protobufjs/minimal.js'
import { Failure, messageOf } from '../../lib/failure.ts'

/** `int64` is a number, and one that it cannot hold is refused; `bigint` is the same on the wire without that limit. */
interface Scalars {
  readonly string: string
  readonly bytes: Uint8Array
  readonly bool: boolean
  readonly int32: number
  readonly uint32: number
  readonly int64: number
  readonly bigint: bigint
}
type ScalarName = keyof Scalars
type Kind = ScalarName | Message<Fields>
type Value<K extends Kind> = K extends ScalarName
  ? Scalars[K]
  : K extends Message<infer F extends Fields>
    ? Decoded<F>
    : never

export interface Field<K extends Kind = Kind, Form extends 'one' | 'list' | 'map' = 'one' | 'list' | 'map'> {
  readonly number: number
  readonly kind: K
  readonly form: Form
  /** Of a map; "string" but for few. */
  readonly keys: 'string' | 'int64'
}
export type Fields = Readonly<Record<string, Field>>

/** A message that is not there is undefined; lists and maps are empty. */
export type Decoded<F extends Fields> = {
  readonly [N in keyof F]: F[N] extends Field<infer K extends Kind, infer Form>
    ? Form extends 'list'
      ? readonly Value<K>[]
      : Form extends 'map'
        ? ReadonlyMap<string, Value<K>>
        : K extends ScalarName
          ? Value<K>
          : Value<K> | undefined
    : never
}
type Given<K extends Kind> = K extends ScalarName
  ? Scalars[K]
  : K extends Message<infer F extends Fields>
    ? Partially<F>
    : never
/** What is left out is the default. */
export type Partially<F extends Fields> = {
  readonly [N in keyof F]?: F[N] extends Field<infer K extends Kind, infer Form>
    ?
        | (Form extends 'list' ? readonly Given<K>[] : Form extends 'map' ? ReadonlyMap<string, Given<K>> : Given<K>)
        | undefined
    : never
}

export interface Message<F extends Fields> {
  readonly fields: F
  encode(value: Partially<F>): Uint8Array
  /** @throws Failure `invalid` for bytes that are no such message. */
  decode(bytes: Uint8Array): Decoded<F>
}
/** What a message holds once it is read. */
export type Of<M> = M extends Message<infer F extends Fields> ? Decoded<F> : never
/** What it is made from. */
export type From<M> = M extends Message<infer F extends Fields> ? Partially<F> : never

export function field<const K extends Kind>(number: number, kind: K): Field<K, 'one'> {
  return { number, kind, form: 'one', keys: 'string' }
}
export function list<const K extends Kind>(number: number, kind: K): Field<K, 'list'> {
  return { number, kind, form: 'list', keys: 'string' }
}
export function map<const K extends Kind>(
  number: number,
  kind: K,
  keys: 'string' | 'int64' = 'string',
): Field<K, 'map'> {
  return { number, kind, form: 'map', keys }
}

/** Messages within messages; beyond it nobody means well. */
const maxDepth = 64

export function message<const F extends Fields>(fields: F): Message<F> {
  return {
    fields,
    encode(value) {
      const writer = protobuf.Writer.create()
      write(writer, fields, value as Readonly<Record<string, unknown>>)
      return writer.finish()
    },
    decode(bytes) {
      try {
        const reader = protobuf.Reader.create(bytes)
        return read(reader, shapeOf(fields), reader.len, 0) as Decoded<F>
      } catch (cause) {
        throw new Failure('invalid', `Cannot read a message: ${messageOf(cause)}`, { cause })
      }
    },
  }
}

type Named = readonly [string, Field]

function write(writer: WireWriter, fields: Fields, value: Readonly<Record<string, unknown>>): void {
  for (const [name, { number, kind, form, keys }] of shapeOf(fields).fields) {
    const given = value[name]
    if (given === undefined) continue
    if (form === 'list') for (const item of given as readonly unknown[]) writeValue(writer, number, kind, item)
    else if (form === 'map')
      for (const [key, item] of given as ReadonlyMap<string, unknown>) {
        writer.uint32((number << 3) | 2).fork()
        writeValue(writer, 1, keys, keys === 'string' ? key : Number(key))
        writeValue(writer, 2, kind, item)
        writer.ldelim()
      }
    else if (typeof kind !== 'string' || !isDefault(given)) writeValue(writer, number, kind, given)
  }
}

interface Long {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

function longOf(value: bigint): Long {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: false }
}

function bigintOf({ low, high }: Long): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function isDefault(value: unknown): boolean {
  return (
    value === 0 ||
    value === 0n ||
    value === '' ||
    value === false ||
    (value instanceof Uint8Array && value.length === 0)
  )
}

function writeValue(writer: WireWriter, number: number, kind: Kind, value: unknown): void {
  if (typeof kind === 'string') {
    writer.uint32((number << 3) | wireTypes[kind])
    if (kind === 'bigint') writer.int64(longOf(value as bigint))
    else writer[kind](value as never)
  } else {
    writer.uint32((number << 3) | 2).fork()
    write(writer, kind.fields, value as Readonly<Record<string, unknown>>)
    writer.ldelim()
  }
}

const wireTypes: Readonly<Record<ScalarName, 0 | 2>> = {
  string: 2,
  bytes: 2,
  bool: 0,
  int32: 0,
  uint32: 0,
  int64: 0,
  bigint: 0,
}
const defaults: Readonly<Record<ScalarName, unknown>> = {
  string: '',
  bytes: new Uint8Array(0),
  bool: false,
  int32: 0,
  uint32: 0,
  int64: 0,
  bigint: 0n,
}

interface Shape {
  readonly fields: readonly Named[]
  readonly byNumber: ReadonlyMap<number, Field & { readonly name: string }>
}

const shapes = new WeakMap<Fields, Shape>()

function shapeOf(fields: Fields): Shape {
  let shape = shapes.get(fields)
  if (shape === undefined) {
    const named = Object.entries(fields)
    shape = { fields: named, byNumber: new Map(named.map(([name, f]) => [f.number, { ...f, name }])) }
    shapes.set(fields, shape)
  }
  return shape
}

function read(reader: WireReader, shape: Shape, end: number, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw new RangeError('too many messages in one another')
  const found: Record<string, unknown> = {}
  for (const [name, { kind, form }] of shape.fields)
    found[name] =
      form === 'list' ? [] : form === 'map' ? new Map() : typeof kind === 'string' ? defaults[kind] : undefined
  while (reader.pos < end) {
    const tag = reader.uint32()
    const known = shape.byNumber.get(tag >>> 3)
    const wire = tag & 7
    if (known === undefined) {
      reader.skipType(wire, depth, tag >>> 3)
      continue
    }
    const { name, kind, form, keys } = known
    if (form === 'map') {
      const entry = readMessage(reader, entryShape(keys, kind), wire, depth)
      const value = entry['value'] ?? read(reader, shapeOf((kind as Message<Fields>).fields), reader.pos, depth + 1)
      ;(found[name] as Map<string, unknown>).set(String(entry['key']), value)
    } else if (form === 'list') {
      const values = found[name] as unknown[]
      // numbers of a list may come in one piece
      if (typeof kind === 'string' && wireTypes[kind] === 0 && wire === 2)
        for (const stop = pieceEnd(reader); reader.pos < stop; ) values.push(readValue(reader, kind, 0, depth))
      else values.push(readValue(reader, kind, wire, depth))
    } else found[name] = readValue(reader, kind, wire, depth)
  }
  if (reader.pos > end) throw new RangeError('a field reaches beyond its message')
  return found
}

function entryShape(keys: 'string' | 'int64', kind: Kind): Shape {
  const fields: readonly Named[] = [
    ['key', field(1, keys)],
    ['value', field(2, kind)],
  ]
  return { fields, byNumber: new Map(fields.map(([name, f]) => [f.number, { ...f, name }])) }
}

function readValue(reader: WireReader, kind: Kind, wire: number, depth: number): unknown {
  if (typeof kind !== 'string') return readMessage(reader, shapeOf(kind.fields), wire, depth)
  if (wire !== wireTypes[kind]) throw new RangeError(`wire type ${wire} where ${kind} stands`)
  if (kind === 'bigint') return bigintOf(reader.int64())
  if (kind !== 'int64') return reader[kind]()
  const value = Number(reader.int64())
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is too large`)
  return value
}

function readMessage(reader: WireReader, shape: Shape, wire: number, depth: number): Record<string, unknown> {
  if (wire !== 2) throw new RangeError(`wire type ${wire} where a message stands`)
  return read(reader, shape, pieceEnd(reader), depth + 1)
}

/** Where a piece of the length that comes next ends. */
function pieceEnd(reader: WireReader): number {
  const length = reader.uint32()
  if (length > reader.len - reader.pos) throw new RangeError('cut short')
  return reader.pos + length
}
