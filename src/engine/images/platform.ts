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

/** What Go can build for: a word alone is one of these. */
const systems =
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(
    ' ',
  )
const architectures =
  `386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32
  mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm`.split(/\s+/)

/**
 * "linux/arm64/v8", "linux", "arm64"; a version of the system ("windows(10.0)/amd64") is read over.
 * @throws Failure `invalid` with the words of containerd's platforms, as Docker passes them on.
 */
export function parsePlatform(text: string): Platform {
  const bad = (what: string) => new Failure('invalid', `${what}: invalid argument`)
  if (text.includes('*')) throw bad(`"${text}": wildcards not yet supported`)
  const parts = text.split('/')
  const [, system] = /^([A-Za-z0-9_-]+)(?:\([A-Za-z0-9_.-]*\))?$/.exec(parts[0]!) ?? []
  if (system === undefined) throw bad(`"${parts[0]}" is an invalid OS component of "${text}"`)
  for (const part of parts.slice(1, 4))
    if (!/^[A-Za-z0-9_.-]+$/.test(part)) throw bad(`"${part}" is an invalid component of "${text}"`)
  if (parts.length > 3) throw bad(`"${text}": cannot parse platform specifier`)
  const word = system.toLowerCase()
  const os = word === 'macos' ? 'darwin' : word
  const [, architecture, variant] = parts.map(part => part.toLowerCase())
  if (architecture !== undefined) return split(os, architecture, variant)
  if (systems.includes(os)) return { ...machine(), os }
  const platform = split('linux', os, undefined)
  if (!architectures.includes(platform.architecture)) throw bad(`"${text}": unknown operating system or architecture`)
  return platform
}

/** Without the variant that goes without saying, as Docker notes it. */
export function plainPlatform(platform: Platform): Platform {
  const { architecture, variant } = platform
  const isPlain = { amd64: 'v1', arm64: 'v8', arm: 'v7' }[architecture] === variant
  return isPlain ? { ...platform, variant: undefined } : platform
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
