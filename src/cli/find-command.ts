/** From what was typed to the command that is meant. */
import { Failure } from '../lib/failure.ts'
import { nearest } from '../lib/problems.ts'
import type { CommandRow } from './command.ts'
import { commands } from './commands.ts'
import { usage } from './options.ts'

/** The command that `words` begin with, the longest name first, and the words after it; undefined for an unknown one. */
export function findCommand(
  words: readonly string[],
): { readonly row: CommandRow; readonly rest: readonly string[] } | undefined {
  const two = words.slice(0, 2).join(' ')
  const long = words.length > 1 ? commands.find(command => command.name === two) : undefined
  if (long) return { row: long, rest: words.slice(2) }
  const short = commands.find(command => command.name === words[0])
  if (short) return { row: short, rest: words.slice(1) }
  const other = words[0] !== undefined && Object.hasOwn(elsewhere, words[0]) ? elsewhere[words[0]] : undefined
  if (other) throw new Failure('unsupported', `Cannot use "${words[0]}": ${other.why}`, { hint: other.instead })
  const family = commands.filter(command => command.name.startsWith(`${words[0]} `))
  if (family.length === 0) return undefined
  const names = family.map(command => command.name)
  const near = words[1] === undefined ? undefined : nearest(two, names)
  throw usage(
    words[1] === undefined ? `"${words[0]}" needs to know what to do` : `unknown command: "${two}"`,
    near ? `Did you mean "${near}"?` : `It is one of: ${names.map(name => `"${name}"`).join(', ')}`,
  )
}

/** Commands of Docker Compose that are refused by name, each with what there is instead. */
const elsewhere: Readonly<Record<string, { readonly why: string; readonly instead: string }>> = {
  alpha: {
    why: 'there are no experimental commands',
    instead: 'Use "tscompose scale", "watch", "graph" in place of viz, and --dry-run with any command',
  },
  bridge: {
    why: 'a stack is not turned into files for another orchestrator',
    instead: 'Hand a converter the model: "tscompose config --format json"',
  },
  publish: {
    why: 'a stack is not kept in registries',
    instead:
      'Push its images by "tscompose push", and keep the file of "tscompose config --resolve-image-digests -o FILE"',
  },
}

/** A hint for a word that is no command. */
export function nearCommand(word: string): string | undefined {
  const near = synonyms[word] ?? nearest(word, new Set(commands.map(command => command.name)))
  return near ? `Did you mean "${near}"?` : undefined
}

/** Words other tools use for the same. */
const synonyms: Readonly<Record<string, string>> = {
  apply: 'up',
  diff: 'plan',
  help: '--help',
  list: 'ls',
  log: 'logs',
  status: 'ps',
  validate: 'config --quiet',
}
