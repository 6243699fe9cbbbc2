/** ulimits: one number, or soft and hard. */
import { choice, int, mapTo, object, type Shape } from '../grammar.ts'
import { get, type Node } from '../tree.ts'
import { rlimits, word } from './values.ts'

const both = object(
  { soft: int('The limit.', { keep: true }), hard: int('How far the process may raise it.', { keep: true }) },
  undefined,
  { required: ['soft', 'hard'], extensions: 'unprinted' },
)

export const ulimits: Shape = mapTo(
  choice([int(undefined, { keep: true }), both], undefined, { merge }),
  'Limits of each process: nofile, nproc, …',
  {
    names: /^[a-z]+$/,
    open: true,
    judgeEntry: word(rlimits),
    examples: [{ nofile: { soft: 20000, hard: 40000 }, nproc: 65535 }],
  },
)

function merge(base: Node, over: Node): Node {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map(base.entries)
  for (const key of ['soft', 'hard']) {
    const value = get(over, key)
    if (value) entries.set(key, value)
  }
  return { ...over, entries }
}
