/** Platforms as registries and Docker name them: linux/amd64, linux/arm/v7, linux/arm64/v8. */
import { Failure } from '../../lib/failure.ts'

export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
}

const names: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x64: ['amd64'],
  arm64: ['arm64', 'v8'],
  arm: ['arm', 'v7'],
  ia32: ['386'],
  riscv64: ['riscv64'],
  ppc64: ['ppc64le'],
  s390x: ['s390x'],
  loong64: ['loong64'],
}

/** What this machine runs. */
export function machine(arch: string = process.arch): Platform {
  const [architecture, variant] = names[arch] ?? [arch]
  return { os: 'linux', architecture, variant }
}

const aliases: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
  armhf: 'arm/v7',
  armel: 'arm/v6',
}

/** "linux/arm64/v8", "linux", "arm64". @throws Failure `invalid`. */
export function parsePlatform(text: string): Platform {
  const here = machine()
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3) throw new Failure('invalid', `"${text}": cannot parse platform specifier: invalid argument`)
  if (parts.some(part => !/^[a-z0-9_]+(?:[.-][a-z0-9_]+)*$/.test(part))) {
    throw new Failure(
      'invalid',
      `"${text}" is an invalid OS component of "${text}": platform specifier should be OS[/architecture[/variant]]`,
    )
  }
  if (parts.length === 1) {
    if (parts[0] === 'linux') return here
    return split('linux', parts[0]!, undefined)
  }
  return split(parts[0]!, parts[1]!, parts[2])
}

function split(os: string, name: string, given: string | undefined): Platform {
  const [architecture, own] = (aliases[name] ?? name).split('/') as [string, string | undefined]
  return {
    os,
    architecture,
    variant: given ?? own ?? (architecture === 'arm64' ? 'v8' : architecture === 'arm' ? 'v7' : undefined),
  }
}

/** Whether this machine runs it; variants are not looked at, as newer ones run older ones. */
export function isOurs({ os, architecture }: Platform): boolean {
  const here = machine()
  return os === here.os && architecture === here.architecture
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}
