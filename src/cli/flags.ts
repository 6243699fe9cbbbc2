/** Command-line words → options and other words, by the rules of pflag, which docker's clients go by. */
import { nearest } from '../lib/problems.ts'
import { list } from '../lib/text.ts'
import { type OptionSpec, type OptionTable, usage } from './options.ts'

/** An option as it was found; `value` is what was written, "true" for a flag alone. */
export interface Found {
  readonly name: string
  readonly spec: OptionSpec
  readonly value: string
}

export interface Scanned {
  readonly options: readonly Found[]
  readonly words: readonly string[]
}

/**
 * Tells options and words apart. With `stopAtWord`, everything from the first word on is left as it stands, as
 * `exec web ls -l` hands `-l` to ls.
 *
 * @throws Failure invalid, in pflag's words where it is about the form
 */
export function scan(argv: readonly string[], table: OptionTable, stopAtWord = false): Scanned {
  const names = new Map<string, readonly [string, OptionSpec]>()
  for (const [name, spec] of Object.entries(table))
    for (const each of [name, ...(spec.also ?? [])]) names.set(each, [name, spec])
  const letters = new Map(Object.entries(table).flatMap(([name, spec]) => (spec.short ? [[spec.short, name]] : [])))
  const options: Found[] = []
  const words: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') {
      words.push(...argv.slice(i + 1))
      break
    }
    if (word === '-' || !word.startsWith('-')) {
      if (stopAtWord) return { options, words: argv.slice(i) }
      words.push(word)
      continue
    }
    // the value of an option is the next word unless it stands in the same one
    const next = () => argv[++i]
    if (word.startsWith('--')) options.push(long(word, names, next))
    else options.push(...short(word, { letters, table, next }))
  }
  return { options, words }
}

function long(
  word: string,
  names: ReadonlyMap<string, readonly [string, OptionSpec]>,
  next: () => string | undefined,
): Found {
  const equals = word.indexOf('=')
  const written = equals < 0 ? word.slice(2) : word.slice(2, equals)
  const found = names.get(written)
  if (!found) {
    const near = nearest(written, [...names.keys()])
    throw usage(`unknown flag: --${written}`, near ? `Did you mean --${near}?` : undefined)
  }
  const [name, spec] = found
  const value = equals >= 0 ? word.slice(equals + 1) : spec.kind === 'flag' ? 'true' : next()
  if (value === undefined) throw usage(`flag needs an argument: --${written}`)
  return checked({ name, spec, value })
}

interface Letters {
  readonly letters: ReadonlyMap<string, string>
  readonly table: OptionTable
  next(): string | undefined
}

/** `-dt5`, `-d=false`, `-t 5`: letters until one takes a value. */
function short(word: string, { letters, table, next }: Letters): Found[] {
  const found: Found[] = []
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!
    const name = letters.get(letter)
    if (name === undefined) throw usage(`unknown shorthand flag: '${letter}' in ${word}`)
    const spec = table[name]!
    if (word[at + 1] === '=') return [...found, checked({ name, spec, value: word.slice(at + 2) })]
    if (spec.kind === 'flag') {
      found.push({ name, spec, value: 'true' })
      continue
    }
    const value = at + 1 < word.length ? word.slice(at + 1) : next()
    if (value === undefined) throw usage(`flag needs an argument: '${letter}' in ${word}`)
    return [...found, checked({ name, spec, value })]
  }
  return found
}

export const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const untruths = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

function checked(found: Found): Found {
  const { name, spec, value } = found
  const refuse = (why: string) => {
    const written = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`
    return usage(`invalid argument ${JSON.stringify(value)} for "${written}" flag: ${why}`)
  }
  if (value.includes('\0')) throw refuse('it holds a NUL character')
  if (spec.kind === 'flag' && !truths.has(value) && !untruths.has(value)) throw refuse('it is true or false')
  if (spec.kind === 'number' && !/^[+-]?\d{1,15}$/.test(value)) throw refuse('it takes a whole number')
  if (spec.choices && !spec.lenient && !spec.choices.includes(value))
    // Compose's words for such a value, which scripts look for
    throw usage(`invalid value for --${name}: ${JSON.stringify(value)}: it is one of ${list(spec.choices, 'or')}`)
  return found
}
