/** Instructions that change what an image says of itself (ENV, CMD, EXPOSE, …), of a build as of `commit --change`. */
import { posix } from 'node:path'
import { signalNumber } from '../../lib/signals.ts'
import { formatDuration } from '../../lib/units.ts'
import { parseExposed } from '../dockerfile/expose.ts'
import type { CommandLine, Healthcheck, Instruction } from '../dockerfile/instruction.ts'
import { invalid } from '../dockerfile/source-failure.ts'
import { goQuote, goQuoteList, goQuoteRune } from '../dockerfile/text.ts'
import type { ImageConfig } from './image.ts'

export type ConfigInstruction = Exclude<Instruction, { name: 'from' | 'arg' | 'run' | 'copy' | 'add' | 'maintainer' }>

/** Fills variables in. */
export interface Expander {
  readonly word: (word: string) => string
  /** Several, when what is filled in has blanks. */
  readonly words: (word: string) => readonly string[]
}

export interface ConfigState {
  /** Changed in place; lists and maps are replaced. */
  readonly config: ImageConfig
  /** A CMD stood before: ENTRYPOINT takes away only one that was inherited. */
  commandSet: boolean
}

/**
 * @returns what the history says of it, undefined for nothing.
 * @throws Failure `invalid` in BuildKit's words.
 */
export function applyToConfig(
  state: ConfigState,
  instruction: ConfigInstruction,
  expand: Expander,
): string | undefined {
  const { config } = state
  switch (instruction.name) {
    case 'env': {
      const pairs = expandPairs(instruction.pairs, expand)
      for (const [key, value] of pairs) config.Env = withVariable(config.Env ?? [], key, value)
      return `ENV ${pairs.map(pair => pair.join('=')).join(' ')}`
    }
    case 'label': {
      const pairs = expandPairs(instruction.pairs, expand)
      config.Labels = { ...config.Labels, ...Object.fromEntries(pairs) }
      return `LABEL ${pairs.map(pair => pair.join('=')).join(' ')}`
    }
    case 'cmd': {
      const words = withShell(config, instruction.command)
      config.Cmd = words
      state.commandSet = true
      return `CMD ${goQuoteList(words)}`
    }
    case 'entrypoint': {
      const words = withShell(config, instruction.command)
      config.Entrypoint = words.length === 0 ? null : words
      // the command was meant for the entrypoint it had
      if (!state.commandSet) config.Cmd = null
      return `ENTRYPOINT ${goQuoteList(words)}`
    }
    case 'healthcheck':
      config.Healthcheck = healthcheckOf(instruction.healthcheck)
      return `HEALTHCHECK ${quotedHealthcheck(instruction.healthcheck)}`
    case 'expose': {
      const ports = instruction.values.flatMap(expand.words).flatMap(word => parseExposed(word).ports)
      config.ExposedPorts = { ...config.ExposedPorts, ...asSet(ports) }
      return `EXPOSE [${ports.join(' ')}]`
    }
    case 'volume': {
      const volumes = instruction.values.map(expand.word)
      if (volumes.includes('')) throw invalid('VOLUME specified can not be an empty string')
      config.Volumes = { ...config.Volumes, ...asSet(volumes) }
      return `VOLUME [${volumes.join(' ')}]`
    }
    case 'user':
      config.User = expand.word(instruction.value)
      return `USER ${config.User}`
    case 'workdir':
      config.WorkingDir = workdirOf(config.WorkingDir, expand.word(instruction.value))
      return `WORKDIR ${config.WorkingDir}`
    case 'stopsignal': {
      const signal = expand.word(instruction.value)
      // any number but 0 is taken, whether there is such a signal or not
      if (!/^[+-]?0*[1-9]\d*$/.test(signal) && signalNumber(signal) === undefined) {
        throw invalid(`invalid signal: ${signal}`)
      }
      config.StopSignal = signal
      return `STOPSIGNAL ${signal}`
    }
    case 'shell':
      config.Shell = [...instruction.values]
      return `SHELL [${instruction.values.join(' ')}]`
    case 'onbuild':
      config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger]
      return undefined
  }
}

/** A variable keeps the place it has in the list. */
export function withVariable(env: readonly string[], key: string, value: string): string[] {
  const at = env.findIndex(each => nameOf(each) === key)
  const pair = `${key}=${value}`
  return at < 0 ? [...env, pair] : env.with(at, pair)
}

export function nameOf(variable: string): string {
  const equals = variable.indexOf('=')
  return equals < 0 ? variable : variable.slice(0, equals)
}

/** As it runs: by the image's shell, where it is text. */
export function withShell(config: ImageConfig, { words, shell }: CommandLine): string[] {
  if (!shell) return [...words]
  return [...(config.Shell?.length ? config.Shell : ['/bin/sh', '-c']), words.join(' ')]
}

/** An absolute path stays as it is written, with a slash at its end and all; another goes on from where it was. */
export function workdirOf(before: string | null | undefined, path: string): string {
  const parent = before?.startsWith('/') ? before : posix.join('/', before ?? '')
  if (path === '') return parent
  return path.startsWith('/') ? path : posix.join(parent, path).replace(/(?<=.)\/$/, '')
}

const expandPairs = (pairs: readonly { readonly key: string; readonly value: string }[], expand: Expander) =>
  pairs.map(({ key, value }): readonly [string, string] => [expand.word(key), expand.word(value)])

const asSet = (names: readonly string[]): Record<string, object> => Object.fromEntries(names.map(name => [name, {}]))

function healthcheckOf(check: Healthcheck): NonNullable<ImageConfig['Healthcheck']> {
  return {
    Test: [...check.test],
    ...(check.interval > 0 && { Interval: check.interval }),
    ...(check.timeout > 0 && { Timeout: check.timeout }),
    ...(check.startPeriod > 0 && { StartPeriod: check.startPeriod }),
    ...(check.startInterval > 0 && { StartInterval: check.startInterval }),
    ...(check.retries > 0 && { Retries: check.retries }),
  }
}

/** As Go prints the structure with `%q`, which is how the history has it. */
function quotedHealthcheck(check: Healthcheck): string {
  const times = [check.interval, check.timeout, check.startPeriod, check.startInterval]
  const members = [goQuoteList(check.test), ...times.map(time => goQuote(formatDuration(time)))]
  return `&{${[...members, goQuoteRune(check.retries)].join(' ')}}`
}
