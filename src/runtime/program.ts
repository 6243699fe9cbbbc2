/** Program → Buffer: header, steps, string pool. native/decode.c reads it, and refuses anything it does not fully understand. */
import { Failure } from '../lib/failure.ts'
import { type ArgumentKind, type Step, steps } from './steps.ts'

/** Host steps end with `clone`, child steps with `exec`. Without child steps nothing is started. */
export interface Program {
  readonly host: readonly Step[]
  readonly child: readonly Step[]
}

/** What takes the host steps back, last first; each with the number of the step that must have been done. */
export function undoSteps(program: Program): readonly { readonly step: Step; readonly after: number }[] {
  return program.host.flatMap(({ undo }, after) => (undo === undefined ? [] : [{ step: undo, after }])).reverse()
}

const magic = 0x50435354
const version = 1
const headerSize = 24
const stepSize = 56
const words = 6

/** Strings and bytes of a program, each string once; it begins with an empty one. */
class Pool {
  #bytes = Buffer.alloc(32_768)
  #size = 1
  readonly #places = new Map<string, number>([['', 0]])

  add(bytes: Uint8Array): number {
    const at = this.#room(bytes.length)
    this.#bytes.set(bytes, at)
    this.#size += bytes.length
    return at
  }

  text(text: string): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    const at = this.#append(text)
    this.#places.set(text, at)
    return at
  }

  list(items: readonly string[]): number {
    const at = this.#size
    for (const item of items) this.#append(item)
    return at
  }

  /** Ends with a NUL, so that no string can run past it. */
  finish(): Buffer {
    this.add(Buffer.alloc(1))
    return this.#bytes.subarray(0, this.#size)
  }

  #append(text: string): number {
    // a UTF-16 unit takes three bytes at most
    const at = this.#room(text.length * 3 + 1)
    this.#size += this.#bytes.write(withoutNul(text), at)
    this.#bytes[this.#size++] = 0
    return at
  }

  /** Where the next bytes go. */
  #room(length: number): number {
    if (this.#size + length > this.#bytes.length) {
      const larger = Buffer.alloc(2 * (this.#size + length))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    return this.#size
  }
}

/** It would end the string inside, or make two of a list's: images say what they like. */
function withoutNul(text: string): string {
  if (!text.includes('\0')) return text
  throw new Failure('invalid', `Cannot start with ${JSON.stringify(text.slice(0, 60))}: it holds a NUL character`)
}

/** The arguments of each step in the order of the table. */
const shapes = new Map(
  Object.entries(steps).map(([name, { code, args }]) => [
    name,
    { code, args: Object.entries(args) as readonly (readonly [name: string, kind: ArgumentKind])[] },
  ]),
)

/** Steps as the monitor has them in memory, one behind the other. */
class Table {
  readonly #bytes: Buffer
  readonly #pool: Pool
  #at = headerSize

  constructor(count: number, pool: Pool) {
    this.#bytes = Buffer.alloc(headerSize + count * stepSize)
    this.#pool = pool
  }

  add(step: Step, after: number): void {
    const { code, args } = shapes.get(step.name)!
    const end = this.#at + stepSize
    this.#bytes.writeUInt32LE(code, this.#at)
    this.#bytes.writeUInt32LE(after, this.#at + 4)
    let at = this.#at + 8
    const word = (value: number): void => {
      if (at === end) throw new RangeError(`step ${step.name} has more than ${words} words`)
      writeNumber(this.#bytes, value, at)
      at += 8
    }
    for (const [name, kind] of args) {
      const value = (step.args as Readonly<Record<string, unknown>>)[name]
      switch (kind) {
        case 'number':
        case 'slot':
          word(value as number)
          break
        case 'string':
          word(this.#pool.text(value as string))
          break
        case 'bytes':
          word(this.#pool.add(value as Uint8Array))
          word((value as Uint8Array).length)
          break
        case 'list':
          word(this.#pool.list(value as readonly string[]))
          word((value as readonly string[]).length)
          break
        default:
          kind satisfies never
      }
    }
    this.#at = end
  }

  finish(header: readonly number[]): Buffer {
    for (const [index, value] of header.entries()) this.#bytes.writeUInt32LE(value, index * 4)
    return this.#bytes
  }
}

/** A 64-bit number, two's complement; exact up to 2^53. */
function writeNumber(table: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 2 ** 32)
  table.writeUInt32LE(value - high * 2 ** 32, at)
  table.writeInt32LE(high, at + 4)
}

/** The bytes of a program. @throws Failure `invalid` for a string with a NUL */
export function encode(program: Program): Buffer {
  const { host, child } = program
  const undo = undoSteps(program)
  const pool = new Pool()
  const table = new Table(host.length + child.length + undo.length, pool)
  for (const step of host) table.add(step, 0)
  for (const step of child) table.add(step, 0)
  for (const { step, after } of undo) table.add(step, after)
  const bytes = pool.finish()
  return Buffer.concat([table.finish([magic, version, host.length, child.length, undo.length, bytes.length]), bytes])
}

/** The step with this number in a monitor's report, and its phase. */
export function stepAt(program: Program, index: number): Step | undefined {
  return [...program.host, ...program.child][index]
}
