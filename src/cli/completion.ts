/** The table of commands and their options → a script by which a shell completes them. */
import type { CommandRow } from './command.ts'
import { globalOptions, type OptionSpec, type OptionTable, rootOptions } from './options.ts'

/** A command as the scripts need it. */
export interface Completed {
  /** One word or two. */
  readonly name: string
  readonly summary: string
  readonly options: OptionTable
  /** What its words are. */
  readonly words: 'service' | 'file' | 'none'
}

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
      const words = /SERVICE/.test(usage) ? 'service' : /FILE|SOURCE/.test(usage) ? 'file' : 'none'
      const { name, summary } = row
      return { name, summary, options: { ...Object.fromEntries(global), ...options } as OptionTable, words } as const
    }),
  )
}

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
  const root = { name: '', summary: '', options: rootOptions as OptionTable, words: 'none' } as const
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
    '    service) COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "${given[@]}" config --services 2>/dev/null)" -- "$cur")) ;;',
    '    file) COMPREPLY=($(compgen -f -- "$cur")) ;;',
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
    '_tscompose_services() { local -a found; found=(${(f)"$(_call_program services tscompose config --services 2>/dev/null)"}); _describe service found }',
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
    '  local context state line; typeset -A opt_args',
    `  _arguments -C ${zshOptions(rootOptions).map(quoted).join(' ')} '1:command:_tscompose_commands' '*::arg:->args'`,
    '  [[ $state == args ]] || return',
    '  local cmd=$words[1]',
    ...families(commands).map(
      ([first, seconds]) =>
        `  if [[ $cmd == ${first} ]]; then if (( CURRENT == 2 )); then compadd ${seconds.join(' ')}; ${commands.some(({ name }) => name === first) ? '' : 'return; '}elif (( \${+words[2]} )) && [[ " ${seconds.join(' ')} " == *" $words[2] "* ]]; then cmd="$cmd $words[2]"; shift words; (( CURRENT-- )); fi; fi`,
    ),
    '  case $cmd in',
    ...commands.map(({ name, options, words }) => {
      const rest = { service: "'*:service:_tscompose_services'", file: "'*:file:_files'", none: '' }[words]
      return `    ${quoted(name)}) _arguments -s ${zshOptions(options).map(quoted).join(' ')} ${rest} ;;`
    }),
    '  esac',
    '}',
    'compdef _tscompose tscompose',
  ].join('\n')
}

function zshOptions(options: OptionTable): readonly string[] {
  return Object.entries(options).flatMap(option => {
    const [, spec] = option
    const about = spec.about.replace(/[[\]:\\]/g, c => `\\${c}`)
    const action =
      spec.kind === 'flag' ? '' : `:${(spec.value ?? 'value').replace(/[:\\[\]]/g, c => `\\${c}`)}:${zshAction(spec)}`
    return written(option).map(
      name => `*${name}${spec.kind === 'flag' ? '' : name.startsWith('--') ? '=' : '+'}[${about}]${action}`,
    )
  })
}

function zshAction(spec: OptionSpec): string {
  const choices = spec.choices ?? spec.suggested
  if (choices) return `(${choices.join(' ')})`
  return spec.names ? { file: '_files', folder: '_files -/', service: '_tscompose_services' }[spec.names] : ' '
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
        ...(what === 'service' ? [line(when, `-a ${quoted('(tscompose config --services 2>/dev/null)')}`)] : []),
        ...(what === 'file' ? [line(when, '-F')] : []),
      ]
    }),
  ].join('\n')
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
          : ' -x'
  const letters = spec.short ? `-s ${spec.short} ` : ''
  const long = [name, ...(spec.also ?? [])].map(each => `-l ${each}`).join(' ')
  return `${letters}${long} -d ${quoted(spec.about)}${value}`
}
