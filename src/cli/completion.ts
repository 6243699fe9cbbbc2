/** The table of commands and their options → a script by which a shell completes them. */
import type { CommandRow } from './command.ts'
import type { WordKind } from './completion-words.ts'
import { globalOptions, type OptionSpec, type OptionTable, rootOptions } from './options.ts'

/** A command as the scripts need it. */
export interface Completed {
  /** One word or two. */
  readonly name: string
  readonly summary: string
  readonly options: OptionTable
  /** What its words are. */
  readonly words: Words
}

type Words = WordKind | 'file' | 'none'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Loads every command's page, as the help of all of them would. */
export async function completedOf(rows: readonly CommandRow[]): Promise<readonly Completed[]> {
  return await Promise.all(
    rows.map(async row => {
      const { options, usage } = await row.load()
      const taken = new Set(Object.values(options).map(spec => spec.short))
      const global = Object.entries(globalOptions).map(([name, spec]: [string, OptionSpec]) => [
        name,
        spec.short !== undefined && taken.has(spec.short) ? { ...spec, short: undefined } : spec,
      ])
      const { name, summary } = row
      const words = wordsIn(name, usage)
      return { name, summary, options: { ...Object.fromEntries(global), ...options } as OptionTable, words } as const
    }),
  )
}

/** Of commands that act on containers there are only those whose service has some. */
const onContainers = new Set(
  'attach commit cp exec explain export kill logs pause port restart rm start stats stop top unpause wait'.split(' '),
)

function wordsIn(name: string, usage: string): Words {
  if (/SERVICE/.test(usage)) return onContainers.has(name) ? 'container' : 'service'
  if (/\bIMAGE\b/.test(usage)) return 'image'
  return /FILE|SOURCE/.test(usage) ? 'file' : 'none'
}

/** What an option's value names. */
function namedBy([name, spec]: readonly [string, OptionSpec]): WordKind | undefined {
  return name === 'profile'
    ? 'profile'
    : name === 'project-name'
      ? 'project'
      : spec.names === 'service'
        ? 'service'
        : undefined
}

/** What the scripts call for names that are only known when they ask. */
const ask = 'completion words'

export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  return `${{ bash, zsh, fish }[shell](commands)}\n`
}

/** `-f` and `--file`, with the other names. */
function written([name, spec]: readonly [string, OptionSpec]): readonly string[] {
  return [...(spec.short ? [`-${spec.short}`] : []), ...[name, ...(spec.also ?? [])].map(each => `--${each}`)]
}

function valued(options: OptionTable): readonly (readonly [string, OptionSpec])[] {
  return Object.entries(options).filter(([, spec]) => spec.kind !== 'flag')
}

/** Names of one word, and the first words of those of two. */
function firstWords(commands: readonly Completed[]): readonly string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0]!))]
}

/** First word → second words. */
function families(commands: readonly Completed[]): readonly (readonly [string, readonly string[]])[] {
  const found = new Map<string, string[]>()
  for (const { name } of commands) {
    const [first, second] = name.split(' ') as [string, string?]
    if (second) found.set(first, [...(found.get(first) ?? []), second])
  }
  return [...found]
}

// bash ---------------------------------------------------------------------------------------------------------------

function bash(commands: readonly Completed[]): string {
  const root: Completed = { name: '', summary: '', options: rootOptions, words: 'none' }
  return [
    '# bash completion of tscompose: source <(tscompose completion bash)',
    '_tscompose() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd="" i',
    '  local -a given=()',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    case ${COMP_WORDS[i]} in',
    `      ${valued(rootOptions).flatMap(written).join('|')}) given+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i+1]}"); ((i++)) ;;`,
    '      -*) ;;',
    '      *) cmd=${COMP_WORDS[i]}; break ;;',
    '    esac',
    '  done',
    `  words_of() { COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" "\${given[@]}" ${ask} "$1" 2>/dev/null)" -- "$cur")); }`,
    '  if [[ -z $cmd && $cur != -* ]]; then',
    '    case $prev in',
    ...bashValues(root).map(line => `    ${line}`),
    '    esac',
    `    COMPREPLY=($(compgen -W "${firstWords(commands).join(' ')}" -- "$cur")); return`,
    '  fi',
    '  case $cmd in',
    ...families(commands).map(
      ([first, seconds]) =>
        `    ${first}) if ((i + 1 == COMP_CWORD)) && [[ $cur != -* ]]; then COMPREPLY=($(compgen -W "${seconds.join(' ')}" -- "$cur")); return; fi; [[ " ${seconds.join(' ')} " == *" \${COMP_WORDS[i+1]} "* ]] && cmd="$cmd \${COMP_WORDS[i+1]}" ;;`,
    ),
    '  esac',
    '  local flags="" words=none',
    '  case $cmd in',
    ...[root, ...commands].map(command => bashCommand(command)),
    '  esac',
    '  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur")); return; fi',
    '  case $words in',
    '    file) COMPREPLY=($(compgen -f -- "$cur")) ;;',
    '    none) ;;',
    '    *) words_of $words ;;',
    '  esac',
    '}',
    'complete -F _tscompose tscompose',
  ].join('\n')
}

function bashCommand(command: Completed): string {
  const flags = Object.entries(command.options).flatMap(written)
  return [
    `    ${JSON.stringify(command.name)})`,
    `      flags="${flags.join(' ')}" words=${command.words}`,
    '      case $prev in',
    ...bashValues(command).map(line => `        ${line}`),
    '      esac ;;',
  ].join('\n')
}

/** What follows an option that takes a value. */
function bashValues({ options }: Pick<Completed, 'options'>): readonly string[] {
  return valued(options).map(option => {
    const [, spec] = option
    const choices = spec.choices ?? spec.suggested
    const reply = choices
      ? `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$cur")); `
      : spec.names === 'file' || spec.names === 'folder'
        ? `COMPREPLY=($(compgen -${spec.names === 'file' ? 'f' : 'd'} -- "$cur")); `
        : namedBy(option)
          ? `words_of ${namedBy(option)}; `
          : ''
    return `${written(option).join('|')}) ${reply}return ;;`
  })
}

// zsh ----------------------------------------------------------------------------------------------------------------

function zsh(commands: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  return [
    '#compdef tscompose',
    '# zsh completion of tscompose: source <(tscompose completion zsh), with compinit loaded',
    `_tscompose_words() { local -a found; found=(\${(f)"$(_call_program words tscompose \${(q)_tscompose_given} ${ask} $1 2>/dev/null)"}); compadd -a found }`,
    '_tscompose_commands() {',
    '  local -a found; found=(',
    ...firstWords(commands).map(word => {
      const own = commands.find(({ name }) => name === word)
      return `    ${quoted(`${word}:${own?.summary ?? `${word} …`}`)}`
    }),
    '  )',
    '  _describe command found',
    '}',
    '_tscompose() {',
    '  local context state line; typeset -A opt_args; local -a _tscompose_given',
    `  _arguments -C ${zshOptions(rootOptions).map(quoted).join(' ')} '1:command:_tscompose_commands' '*::arg:->args'`,
    '  [[ $state == args ]] || return',
    '  local each; for each in -f --file -p --project-name --project-directory --env-file --profile -H --host; do [[ -n ${opt_args[$each]} ]] && _tscompose_given+=($each ${opt_args[$each]}); done',
    '  local cmd=$words[1]',
    ...families(commands).map(
      ([first, seconds]) =>
        `  if [[ $cmd == ${first} ]]; then if (( CURRENT == 2 )); then compadd ${seconds.join(' ')}; ${commands.some(({ name }) => name === first) ? '' : 'return; '}elif (( \${+words[2]} )) && [[ " ${seconds.join(' ')} " == *" $words[2] "* ]]; then cmd="$cmd $words[2]"; shift words; (( CURRENT-- )); fi; fi`,
    ),
    '  case $cmd in',
    ...commands.map(({ name, options, words }) => {
      const rest =
        words === 'none' ? '' : words === 'file' ? "'*:file:_files'" : `'*:${words}: _tscompose_words ${words}'`
      return `    ${quoted(name)}) _arguments -s ${zshOptions(options).map(quoted).join(' ')} ${rest} ;;`
    }),
    '  esac',
    '}',
    // a file of the function path is the function itself at its first call
    'if [[ $funcstack[1] == _tscompose ]]; then _tscompose "$@"; else compdef _tscompose tscompose; fi',
  ].join('\n')
}

function zshOptions(options: OptionTable): readonly string[] {
  return Object.entries(options).flatMap(option => {
    const [, spec] = option
    const about = spec.about.replace(/[[\]:\\]/g, c => `\\${c}`)
    const action =
      spec.kind === 'flag' ? '' : `:${(spec.value ?? 'value').replace(/[:\\[\]]/g, c => `\\${c}`)}:${zshAction(option)}`
    return written(option).map(
      name => `*${name}${spec.kind === 'flag' ? '' : name.startsWith('--') ? '=' : '+'}[${about}]${action}`,
    )
  })
}

function zshAction(option: readonly [string, OptionSpec]): string {
  const [, spec] = option
  const choices = spec.choices ?? spec.suggested
  if (choices) return `(${choices.join(' ')})`
  if (spec.names === 'file') return '_files'
  if (spec.names === 'folder') return '_files -/'
  const kind = namedBy(option)
  return kind ? ` _tscompose_words ${kind}` : ' '
}

// fish ---------------------------------------------------------------------------------------------------------------

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, c => `\\${c}`)}'`
  const words = firstWords(commands)
  const none = `not __fish_seen_subcommand_from ${words.join(' ')}`
  const line = (when: string, rest: string) => `complete -c tscompose -n ${quoted(when)} ${rest}`
  return [
    '# fish completion of tscompose: tscompose completion fish | source',
    'complete -c tscompose -f',
    'function __tscompose_words',
    '  set -l words (commandline -opc); set -l given',
    '  for i in (seq 2 (math (count $words) - 1))',
    '    if contains -- $words[$i] -f --file -p --project-name --project-directory --env-file --profile -H --host',
    '      set -a given $words[$i] $words[(math $i + 1)]',
    '    end',
    '  end',
    `  tscompose $given ${ask} $argv[1] 2>/dev/null`,
    'end',
    ...words.map(word =>
      line(none, `-a ${word} -d ${quoted(commands.find(({ name }) => name === word)?.summary ?? word)}`),
    ),
    // none is named twice: what every command takes is said once
    ...Object.entries(rootOptions).map(option => `complete -c tscompose ${fishOption(option, quoted)}`),
    ...commands.flatMap(({ name, summary, options, words: what }) => {
      const [first, second] = name.split(' ') as [string, string?]
      const seen = `__fish_seen_subcommand_from ${first}`
      const when = second ? `${seen}; and __fish_seen_subcommand_from ${second}` : seen
      return [
        ...(second ? [line(seen, `-a ${second} -d ${quoted(summary)}`)] : []),
        ...Object.entries(options)
          .filter(([name]) => !Object.hasOwn(globalOptions, name))
          .map(option => line(when, fishOption(option, quoted))),
        ...(what === 'none' ? [] : [line(when, what === 'file' ? '-F' : `-a ${quoted(fishWords(what))}`)]),
      ]
    }),
  ].join('\n')
}

/** With the file and project of the line so far. */
function fishWords(kind: WordKind): string {
  return `(__tscompose_words ${kind})`
}

function fishOption(option: readonly [string, OptionSpec], quoted: (text: string) => string): string {
  const [name, spec] = option
  const choices = spec.choices ?? spec.suggested
  const value =
    spec.kind === 'flag'
      ? ''
      : choices
        ? ` -x -a ${quoted(choices.join(' '))}`
        : spec.names === 'file' || spec.names === 'folder'
          ? ' -r -F'
          : ` -x${namedBy(option) ? ` -a ${quoted(fishWords(namedBy(option)!))}` : ''}`
  const letters = spec.short ? `-s ${spec.short} ` : ''
  const long = [name, ...(spec.also ?? [])].map(each => `-l ${each}`).join(' ')
  return `${letters}${long} -d ${quoted(spec.about)}${value}`
}
