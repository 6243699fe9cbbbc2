/** Flags of one instruction ("--link", "--from=web"), against those it knows. */
import { invalid } from './source-failure.ts'
import { didYouMean } from './suggest.ts'

export type FlagKind = 'boolean' | 'text' | 'texts'

export interface Flags {
  /** Undefined when it was not given. */
  boolean(name: string): boolean | undefined
  text(name: string): string | undefined
  texts(name: string): readonly string[]
}

/** @throws Failure `invalid` in BuildKit's words. */
export function parseFlags(given: readonly string[], known: Readonly<Record<string, FlagKind>>): Flags {
  const values = new Map<string, string[]>()
  for (const flag of given) {
    if (!flag.startsWith('--')) throw invalid(`arg should start with -- : ${flag}`)
    const equals = flag.indexOf('=')
    const name = equals < 0 ? flag.slice(2) : flag.slice(2, equals)
    const kind = Object.hasOwn(known, name) ? known[name] : undefined
    if (kind === undefined) throw invalid(`unknown flag: --${name}${didYouMean(name, Object.keys(known))}`)
    const before = values.get(name) ?? []
    if (before.length > 0 && kind !== 'texts') throw invalid(`duplicate flag specified: --${name}`)
    values.set(name, [...before, checkedValue(name, kind, equals < 0 ? undefined : flag.slice(equals + 1))])
  }
  return {
    boolean: name => (values.has(name) ? values.get(name)![0] === 'true' : undefined),
    text: name => values.get(name)?.[0],
    texts: name => values.get(name) ?? [],
  }
}

function checkedValue(name: string, kind: FlagKind, value: string | undefined): string {
  if (kind !== 'boolean') {
    if (value === undefined) throw invalid(`missing a value on flag: --${name}`)
    return value
  }
  if (value === '') throw invalid(`missing a value on flag: --${name}`)
  const word = (value ?? 'true').toLowerCase()
  if (word !== 'true' && word !== 'false') {
    throw invalid(`expecting boolean value for flag --${name}, not: ${value}`)
  }
  return word
}
