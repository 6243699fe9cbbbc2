/** Files with holes as GNU tar writes them, in its four forms: where the pieces that are stored belong. */
import { Failure } from '../../lib/failure.ts'

/** A stretch of the file that the archive has; what lies between is zeros. */
export interface Stretch {
  readonly offset: number
  readonly length: number
}

export interface SparseMap {
  readonly size: number
  readonly stretches: readonly Stretch[]
}

const mostStretches = 100_000

/** @throws Failure `invalid` when the stretches overlap, reach beyond the file, or are not what is stored. */
export function checkSparse(map: SparseMap, stored: number): SparseMap {
  let end = 0
  let sum = 0
  for (const { offset, length } of map.stretches) {
    if (offset < end || !Number.isSafeInteger(offset + length)) throw bad('its stretches overlap')
    end = offset + length
    sum += length
  }
  if (end > map.size) throw bad('its stretches reach beyond its end')
  if (sum !== stored) throw bad(`${stored} bytes are stored, its stretches have ${sum}`)
  if (map.stretches.length > mostStretches) throw bad(`it has more than ${mostStretches} stretches`)
  return map
}

/** Pairs of numbers; those without length only mark the end. */
export function stretches(numbers: readonly number[]): Stretch[] {
  const found: Stretch[] = []
  for (let i = 0; i + 1 < numbers.length; i += 2) found.push({ offset: numbers[i]!, length: numbers[i + 1]! })
  return found.filter(({ length }) => length > 0)
}

/** Of the extended headers of pax 0.0 and 0.1; in 1.0 the map leads the content instead. */
export interface PaxSparse {
  name?: string
  size?: number
  leads?: boolean
  numbers: number[]
}

/** A pax record `GNU.sparse.<key>`. */
export function setPaxSparse(sparse: PaxSparse, key: string, value: string): void {
  const number = () => {
    if (!/^\d{1,15}$/.test(value)) throw bad(`GNU.sparse.${key} is ${JSON.stringify(value.slice(0, 40))}`)
    return Number(value)
  }
  if (key === 'major') sparse.leads = number() === 1
  else if (key === 'size' || key === 'realsize') sparse.size = number()
  else if (key === 'offset' || key === 'numbytes') sparse.numbers.push(number())
  else if (key === 'map') {
    if (!/^\d{1,15}(?:,\d{1,15})*$/.test(value)) throw bad('GNU.sparse.map is no list of numbers')
    sparse.numbers = value.split(',').map(Number)
  }
}

/** The stored pieces, and zeros where nothing is stored. */
export async function* expand(map: SparseMap, stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let at = 0
  let index = 0
  for await (let piece of stored) {
    while (piece.length > 0) {
      const stretch = map.stretches[index]!
      yield* zeros(stretch.offset - at)
      at = Math.max(at, stretch.offset)
      const part = piece.subarray(0, stretch.offset + stretch.length - at)
      yield part
      at += part.length
      piece = piece.subarray(part.length)
      if (at === stretch.offset + stretch.length) index++
    }
  }
  yield* zeros(map.size - at)
}

export const zero = Buffer.alloc(64 * 1024)

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= zero.length) yield zero.subarray(0, left)
}

function bad(why: string): Failure {
  return new Failure('invalid', `Cannot read archive: a file with holes is damaged: ${why}`)
}
