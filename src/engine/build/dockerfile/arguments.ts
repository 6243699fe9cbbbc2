/** Variables that stand before the first stage: ARG there, and those that every build has (TARGETPLATFORM, …). */
import type { ArgInstruction } from '../../dockerfile/instruction.ts'
import { atLines } from '../../dockerfile/source-failure.ts'
import { expandWord } from '../../dockerfile/words.ts'
import { formatPlatform, type Platform } from '../../images/platform.ts'

export interface GlobalArguments {
  /** In the order they were set last. */
  readonly values: ReadonlyMap<string, string>
  /** Names that are declared, with a value or without. */
  readonly declared: ReadonlySet<string>
}

/** The usual variant of a processor is not named. */
export function plain(platform: Platform): Platform {
  return platform.architecture === 'arm64' && platform.variant === 'v8' ? { ...platform, variant: undefined } : platform
}

/** @param target the stage by name; "" is the last one. */
export function predefined(
  { build, target }: { readonly build: Platform; readonly target: Platform },
  stage: string,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const values = {
    BUILDPLATFORM: formatPlatform(build),
    BUILDOS: build.os,
    BUILDOSVERSION: '',
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? '',
    TARGETPLATFORM: formatPlatform(target),
    TARGETOS: target.os,
    TARGETOSVERSION: '',
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? '',
    TARGETSTAGE: stage || 'default',
  }
  return new Map(Object.entries(values).map(([key, value]) => [key, given.get(key) ?? value]))
}

/** @throws SourceFailure of a default that cannot be expanded. */
export function globalArguments(
  before: ReadonlyMap<string, string>,
  instructions: readonly ArgInstruction[],
  given: ReadonlyMap<string, string>,
  escapeSign: string,
): GlobalArguments {
  const values = new Map(before)
  const declared = new Set<string>()
  for (const { args, lines } of instructions) {
    for (const { key, value } of args) {
      declared.add(key)
      const result =
        given.get(key) ??
        (value === undefined
          ? undefined
          : atLines(lines, () => expandWord(value, name => values.get(name), { escapeSign }).text))
      if (result === undefined) continue
      values.delete(key)
      values.set(key, result)
    }
  }
  return { values, declared }
}

const proxies = ['http_proxy', 'https_proxy', 'ftp_proxy', 'no_proxy', 'all_proxy'] as const

/** Arguments that every build takes, whether or not its Dockerfile declares them. */
export function isProxy(name: string): boolean {
  return (proxies as readonly string[]).includes(name.toLowerCase())
}

/** KEY=value for the commands of a build, in both cases of each name. */
export function proxyEnv(given: ReadonlyMap<string, string>): readonly string[] {
  return proxies.flatMap(name => {
    const value = [...given].findLast(([key]) => key.toLowerCase() === name)?.[1]
    return value ? [`${name.toUpperCase()}=${value}`, `${name}=${value}`] : []
  })
}
