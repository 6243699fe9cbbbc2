/** Dockerfile instructions of `import --change` (and of commit, later) to an image configuration. */
import { Failure } from '../../lib/failure.ts'
import { parsePortKey, portsOf } from '../../lib/ports.ts'
import { parseDuration } from '../../lib/units.ts'
import type { ImageConfig } from './image.ts'

const shell = ['/bin/sh', '-c']

/** @throws Failure `invalid` naming the instruction. */
export function parseChanges(changes: readonly string[], base: ImageConfig = {}): ImageConfig {
  const config: ImageConfig = structuredClone(base)
  let cmdSet = false
  for (const line of changes.flatMap(change => change.split('\n'))) {
    const [, name, rest] = /^\s*([A-Za-z]+)(?:\s+(.*?))?\s*$/s.exec(line) ?? []
    if (name === undefined) {
      if (line.trim() === '') continue
      throw new Failure('invalid', `Cannot apply change ${JSON.stringify(line)}: it is not an instruction`)
    }
    const apply = instructions[name.toUpperCase()]
    if (apply === undefined) {
      throw new Failure('invalid', `${name} is not a valid change command`)
    }
    if (!rest) throw new Failure('invalid', `${name.toUpperCase()} requires at least one argument`)
    apply(config, rest)
    cmdSet ||= name.toUpperCase() === 'CMD'
    // the command was meant for the entrypoint it had
    if (name.toUpperCase() === 'ENTRYPOINT' && !cmdSet) config.Cmd = null
  }
  return config
}

const instructions: Readonly<Record<string, (config: ImageConfig, rest: string) => void>> = {
  CMD: (config, rest) => {
    config.Cmd = command(rest, config)
  },
  ENTRYPOINT: (config, rest) => {
    config.Entrypoint = command(rest, config)
  },
  ENV: (config, rest) => {
    const env = new Map((config.Env ?? []).map(each => [each.split('=')[0]!, each]))
    for (const [key, value] of pairs(rest, 'ENV')) env.set(key, `${key}=${value}`)
    config.Env = [...env.values()]
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest, 'LABEL')) }
  },
  EXPOSE: (config, rest) => {
    const ports = words(rest).flatMap(exposed)
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map(port => [port, {}])) }
  },
  VOLUME: (config, rest) => {
    const volumes = jsonStrings(rest) ?? words(rest)
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(volumes.map(volume => [volume, {}])) }
  },
  USER: (config, rest) => {
    config.User = rest
  },
  WORKDIR: (config, rest) => {
    config.WorkingDir = rest.startsWith('/') ? rest : `${(config.WorkingDir ?? '').replace(/\/$/, '')}/${rest}`
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = rest
  },
  SHELL: (config, rest) => {
    const words = jsonStrings(rest)
    if (!words) throw new Failure('invalid', 'SHELL requires the arguments to be in JSON form')
    config.Shell = words
  },
  HEALTHCHECK: (config, rest) => {
    config.Healthcheck = healthcheck(rest)
  },
  ONBUILD: (config, rest) => {
    config.OnBuild = [...(config.OnBuild ?? []), rest]
  },
}

/** JSON form runs as it is, anything else through the shell. */
function command(rest: string, config: ImageConfig): string[] {
  return jsonStrings(rest) ?? [...(config.Shell ?? shell), rest]
}

function jsonStrings(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const data: unknown = JSON.parse(text)
    return Array.isArray(data) && data.every(each => typeof each === 'string') ? data : undefined
  } catch {
    // "[ -f /x ] && run" is shell, not JSON
    return undefined
  }
}

/** `a=b "c d"=e`, or the old `key the rest`. */
function pairs(rest: string, name: string): readonly (readonly [string, string])[] {
  const all = words(rest)
  if (!all[0]!.includes('=')) {
    const [, key, value] = /^(\S+)\s+(.*)$/s.exec(rest) ?? []
    if (key === undefined) throw new Failure('invalid', `${name} must have two arguments`)
    return [[key, value!]]
  }
  return all.map(word => {
    const equals = word.indexOf('=')
    if (equals < 1) {
      throw new Failure('invalid', `Syntax error - can't find = in "${word}". Must be of the form: name=value`)
    }
    return [word.slice(0, equals), word.slice(equals + 1)]
  })
}

/** Split at blanks; quotes and backslashes as in a shell. */
function words(text: string): readonly string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs)) {
    found.push(
      word.replace(/\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_, escaped, double, single) =>
        escaped !== undefined ? escaped : double !== undefined ? double.replace(/\\(["\\$])/g, '$1') : single,
      ),
    )
  }
  return found
}

function exposed(word: string): string[] {
  const parsed = parsePortKey(word)
  if (!parsed || parsed.range[0] === 0) throw new Failure('invalid', `invalid containerPort: ${word}`)
  return portsOf(parsed.range).map(port => `${port}/${parsed.protocol}`)
}

function healthcheck(rest: string): NonNullable<ImageConfig['Healthcheck']> {
  const flags: Record<string, string> = {}
  let left = rest
  for (let m = /^--([a-z-]+)=(\S+)\s+/.exec(left); m; m = /^--([a-z-]+)=(\S+)\s+/.exec(left)) {
    flags[m[1]!] = m[2]!
    left = left.slice(m[0].length)
  }
  const [, kind, test] = /^(\S+)(?:\s+(.*))?$/s.exec(left) ?? []
  if (kind?.toUpperCase() === 'NONE') return { Test: ['NONE'] }
  if (kind?.toUpperCase() !== 'CMD' || !test)
    throw new Failure('invalid', `Unknown type "${kind ?? ''}" in HEALTHCHECK (try CMD)`)
  const duration = (flag: string) => {
    if (flags[flag] === undefined) return undefined
    const value = parseDuration(flags[flag])
    if (value === undefined || value < 0)
      throw new Failure('invalid', `Cannot read HEALTHCHECK --${flag}: "${flags[flag]}" is no duration`)
    return value
  }
  const unknown = Object.keys(flags).find(
    f => !['interval', 'timeout', 'start-period', 'start-interval', 'retries'].includes(f),
  )
  if (unknown) throw new Failure('invalid', `unknown flag: --${unknown}`)
  const json = jsonStrings(test)
  return {
    Test: json ? ['CMD', ...json] : ['CMD-SHELL', test],
    ...(flags['interval'] && { Interval: duration('interval') }),
    ...(flags['timeout'] && { Timeout: duration('timeout') }),
    ...(flags['start-period'] && { StartPeriod: duration('start-period') }),
    ...(flags['start-interval'] && { StartInterval: duration('start-interval') }),
    ...(flags['retries'] && { Retries: Number(flags['retries']) }),
  }
}
