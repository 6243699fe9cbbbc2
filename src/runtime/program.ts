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

/** Strings and bytes of a program, each once. */
class Pool {
  readonly #parts: Buffer[] = [Buffer.alloc(1)]
  readonly #places = new Map<string, number>([['', 0]])
  #size = 1

  add(bytes: Buffer): number {
    const at = this.#size
    this.#parts.push(bytes)
    this.#size += bytes.length
    return at
  }

  text(text: string): number {
    const known = this.#places.get(text)
    if (known !== undefined) return known
    const at = this.add(Buffer.from(`${withoutNul(text)}\0`))
    this.#places.set(text, at)
    return at
  }

  /** Ends with a NUL, so that no string can run past it. */
  finish(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.alloc(1)])
  }
}

/** It would end the string inside, or make two of a list's: images say what they like. */
function withoutNul(text: string): string {
  if (!text.includes('\0')) return text
  throw new Failure('invalid', `Cannot start with ${JSON.stringify(text.slice(0, 60))}: it holds a NUL character`)
}

function argumentWords(pool: Pool, kind: ArgumentKind, value: unknown): readonly number[] {
  switch (kind) {
    case 'number':
    case 'slot':
      return [value as number]
    case 'string':
      return [pool.text(value as string)]
    case 'bytes': {
      const bytes = Buffer.from(value as Uint8Array)
      return [pool.add(bytes), bytes.length]
    }
    case 'list': {
      const items = value as readonly string[]
      return [pool.add(Buffer.from(items.map(item => `${withoutNul(item)}\0`).join(''))), items.length]
    }
    default:
      return kind satisfies never
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
  const pool = new Pool()
  const undo = undoSteps(program)
  const all = [...[...program.host, ...program.child].map(step => ({ step, after: 0 })), ...undo]
  const table = Buffer.alloc(headerSize + all.length * stepSize)
  all.forEach(({ step, after }, index) => {
    const at = headerSize + index * stepSize
    const shape = steps[step.name]
    table.writeUInt32LE(shape.code, at)
    table.writeUInt32LE(after, at + 4)
    const args = step.args as Readonly<Record<string, unknown>>
    let word = 0
    for (const name in shape.args) {
      const kind = (shape.args as Readonly<Record<string, ArgumentKind>>)[name]!
      for (const value of argumentWords(pool, kind, args[name])) {
        if (word === words) throw new RangeError(`step ${step.name} has more than ${words} words`)
        writeNumber(table, value, at + 8 + word++ * 8)
      }
    }
  })
  const bytes = pool.finish()
  const header = [magic, version, program.host.length, program.child.length, undo.length, bytes.length]
  for (const [index, value] of header.entries()) table.writeUInt32LE(value, index * 4)
  return Buffer.concat([table, bytes])
}

/** The step with this number in a monitor's report, and its phase. */
export function stepAt(program: Program, index: number): Step | undefined {
  return [...program.host, ...program.child][index]
}
