/** A statement → the instruction it is, with all that can be told without variables: how many arguments, which flags. */
import { parseFlags } from './flags.ts'
import { readHealthcheck } from './healthcheck.ts'
import { heredocMarkOf } from './heredoc.ts'
import type {
  AddInstruction,
  CommandLine,
  CopyInstruction,
  FromInstruction,
  Instruction,
  InstructionName,
  RunInstruction,
  TextInstruction,
} from './instruction.ts'
import type { Statement } from './parse.ts'
import { parseMount } from './run-mount.ts'
import { invalid } from './source-failure.ts'
import { didYouMean } from './suggest.ts'
import { goQuote, trim } from './text.ts'

/** @throws Failure `invalid` in BuildKit's words. */
export function readInstruction(statement: Statement): Instruction {
  const word = statement.keyword.toLowerCase()
  if (!Object.hasOwn(readers, word)) {
    const names = Object.keys(readers).map(name => name.toUpperCase())
    const suggestion = didYouMean(statement.keyword, names, { ignoreCase: true })
    throw invalid(`unknown instruction: ${statement.keyword}${suggestion}`)
  }
  return readers[word as InstructionName](statement)
}

const readers: Readonly<Record<InstructionName, (statement: Statement) => Instruction>> = {
  add: readAdd,
  arg: statement => {
    if (statement.args.length === 0) throw atLeastOne('ARG')
    const args = statement.args.map(arg => {
      const equals = arg.indexOf('=')
      if (equals === 0) throw blankName('ARG')
      return equals < 0 ? { key: arg, value: undefined } : { key: arg.slice(0, equals), value: arg.slice(equals + 1) }
    })
    return { ...common(statement), name: 'arg', args }
  },
  cmd: statement => {
    parseFlags(statement.flags, {})
    return { ...common(statement), name: 'cmd', command: commandOf(statement) }
  },
  copy: readCopy,
  entrypoint: statement => {
    parseFlags(statement.flags, {})
    return { ...common(statement), name: 'entrypoint', command: commandOf(statement) }
  },
  env: statement => ({ ...common(statement), name: 'env', pairs: pairsOf(statement, 'ENV') }),
  expose: statement => {
    if (statement.args.length === 0) throw atLeastOne('EXPOSE')
    parseFlags(statement.flags, {})
    return { ...common(statement), name: 'expose', values: statement.args.toSorted(byBytes) }
  },
  from: readFrom,
  healthcheck: readHealthcheckInstruction,
  label: statement => ({ ...common(statement), name: 'label', pairs: pairsOf(statement, 'LABEL') }),
  maintainer: statement => readText(statement, 'maintainer'),
  onbuild: readOnbuild,
  run: readRun,
  shell: statement => {
    parseFlags(statement.flags, {})
    if (statement.args.length === 0) throw atLeastOne('SHELL')
    if (!statement.json) throw invalid('SHELL requires the arguments to be in JSON form')
    return { ...common(statement), name: 'shell', values: statement.args }
  },
  // flags of it were never looked at
  stopsignal: statement => readText({ ...statement, flags: [] }, 'stopsignal'),
  user: statement => readText(statement, 'user'),
  volume: statement => {
    if (statement.args.length === 0) throw atLeastOne('VOLUME')
    parseFlags(statement.flags, {})
    const values = statement.args.map(trim)
    if (values.includes('')) throw invalid('VOLUME specified can not be an empty string')
    return { ...common(statement), name: 'volume', values }
  },
  workdir: statement => readText(statement, 'workdir'),
}

const common = ({ keyword, text, lines, comments }: Statement) => ({ keyword, text: trim(text), lines, comments })

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

const atLeastOne = (name: string) => invalid(`${name} requires at least one argument`)
const blankName = (name: string) => invalid(`${name} names can not be blank`)

function commandOf({ args, json }: Statement): CommandLine {
  return { words: args, shell: !json }
}

function readText<Name extends string>(statement: Statement, name: Name): TextInstruction<Name> {
  if (statement.args.length !== 1) throw invalid(`${name.toUpperCase()} requires exactly one argument`)
  parseFlags(statement.flags, {})
  return { ...common(statement), name, value: statement.args[0]! }
}

function pairsOf({ flags, pairs }: Statement, name: string): Statement['pairs'] {
  parseFlags(flags, {})
  if (pairs.length === 0) throw atLeastOne(name)
  if (pairs.some(({ key }) => key === '')) throw blankName(name)
  return pairs
}

function readFrom(statement: Statement): FromInstruction {
  const { args } = statement
  const named = args.length === 3 && args[1]!.toLowerCase() === 'as'
  if (named && !/^[a-z][a-z0-9\-_.]*$/.test(args[2]!.toLowerCase())) {
    throw invalid(
      `invalid name for build stage: ${goQuote(args[2]!)}, name can't start with a number or contain symbols`,
    )
  }
  if (!named && args.length !== 1) throw invalid('FROM requires either one or three arguments')
  const platform = parseFlags(statement.flags, { platform: 'text' }).text('platform')
  return {
    ...common(statement),
    name: 'from',
    base: args[0]!,
    stage: named ? args[2]!.toLowerCase() : undefined,
    platform: platform || undefined,
    as: named ? [args[1]!, args[2]!] : undefined,
  }
}

const filesFlags = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'texts' } as const

function readCopy(statement: Statement): CopyInstruction {
  checkDestination(statement, 'COPY')
  const flags = parseFlags(statement.flags, { parents: 'boolean', from: 'text', ...filesFlags })
  return {
    ...common(statement),
    ...filesOf(statement, 'COPY'),
    ...filesFlagsOf(flags),
    name: 'copy',
    from: flags.text('from') || undefined,
    parents: flags.boolean('parents') ?? false,
  }
}

function readAdd(statement: Statement): AddInstruction {
  checkDestination(statement, 'ADD')
  const own = { 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' } as const
  const flags = parseFlags(statement.flags, { ...own, ...filesFlags })
  return {
    ...common(statement),
    ...filesOf(statement, 'ADD'),
    ...filesFlagsOf(flags),
    name: 'add',
    checksum: flags.text('checksum') || undefined,
    keepGitDir: flags.boolean('keep-git-dir'),
    unpack: flags.boolean('unpack'),
  }
}

function filesFlagsOf(flags: ReturnType<typeof parseFlags>) {
  return {
    chown: flags.text('chown') || undefined,
    chmod: flags.text('chmod') || undefined,
    link: flags.boolean('link') ?? false,
    exclude: flags.texts('exclude'),
  }
}

function checkDestination({ args }: Statement, name: string): void {
  if (args.length >= 2) return
  throw invalid(
    `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
  )
}

function filesOf({ args, heredocs }: Statement, name: string) {
  const destination = args.at(-1)!
  if (heredocMarkOf(destination)) throw invalid(`${name} cannot accept a heredoc as a destination`)
  const words = args.slice(0, -1).map(word => ({ word, mark: heredocMarkOf(word) }))
  return {
    destination,
    sources: words.filter(({ mark }) => mark === undefined).map(({ word }) => word),
    files: words.flatMap(({ mark }) => {
      if (mark === undefined) return []
      // of two with one name the last one is both
      return { ...mark, content: heredocs.findLast(({ name }) => name === mark.name)?.content ?? '' }
    }),
  }
}

function readRun(statement: Statement): RunInstruction {
  const flags = parseFlags(statement.flags, { mount: 'texts', network: 'text', security: 'text', device: 'texts' })
  const mounts = flags.texts('mount')
  for (const mount of mounts) parseMount(mount, undefined)
  return {
    ...common(statement),
    name: 'run',
    command: commandOf(statement),
    heredocs: statement.heredocs,
    mounts,
    network: oneOf(flags.text('network') ?? 'default', ['default', 'none', 'host'], v => `invalid network mode ${v}`),
    security: oneOf(flags.text('security') ?? 'sandbox', ['sandbox', 'insecure'], v => `security ${v} is not valid`),
    devices: flags.texts('device'),
  }
}

function oneOf<T extends string>(value: string, known: readonly T[], message: (quoted: string) => string): T {
  const found = known.find(each => each === value)
  if (found === undefined) throw invalid(message(goQuote(value)))
  return found
}

function readHealthcheckInstruction(statement: Statement): Instruction {
  return { ...common(statement), name: 'healthcheck', healthcheck: readHealthcheck(statement) }
}

function readOnbuild(statement: Statement): Instruction {
  const { trigger } = statement
  if (!trigger) throw atLeastOne('ONBUILD')
  parseFlags(statement.flags, {})
  const name = trigger.keyword.toUpperCase()
  if (name === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (name === 'MAINTAINER' || name === 'FROM') throw invalid(`${name} isn't allowed as an ONBUILD trigger`)
  const files = statement.heredocs.map(({ name, content }) => `\n${content}${name}`)
  const text = statement.text.replace(/^\s*ONBUILD\s*/i, '')
  return { ...common(statement), name: 'onbuild', trigger: text + files.join('') }
}
