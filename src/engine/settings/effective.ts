/** What holds for an engine: flags before the settings of the file, proxies of the environment after them. */
import { readFileSync } from 'node:fs'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { parseBytes } from '../../lib/units.ts'
import { type StorageDriver, storageDrivers } from '../base/storage-driver.ts'
import type { CacheSpace } from '../build/cache-prune.ts'
import { checkCapabilities } from '../containers/config/capabilities.ts'
import type { ContainerDefaults } from '../containers/config/container-defaults.ts'
import { checkInsecure, checkMirror, type RegistrySettings } from '../images/registry/settings.ts'
import type { ArchiveLimits } from '../images/unpack-limits.ts'
import { checkLogDefaults, type LogDefaults, usualLog } from '../logs/log-defaults.ts'
import { type AddressPool, parsePool } from '../networks/ipam.ts'
import { type UserSettings, usualUsers } from '../users/user-ranges.ts'
import type { Settings } from './schema.ts'

/** As the command line of the engine has them. */
export interface SettingFlags {
  readonly pool?: readonly string[] | undefined
  readonly 'registry-mirror'?: readonly string[] | undefined
  readonly 'insecure-registry'?: readonly string[] | undefined
  readonly 'build-cache'?: string | undefined
  readonly 'userns-mode'?: string | undefined
  readonly 'storage-driver'?: string | undefined
  readonly 'log-driver'?: string | undefined
  /** "max-size=10m". */
  readonly 'log-opt'?: readonly string[] | undefined
}

type Env = Readonly<Record<string, string | undefined>>

/** What the parts of an engine are told. @throws Failure `invalid` naming what is wrong. */
export function partsOf(
  flags: SettingFlags,
  file: Settings,
  surroundings: { readonly env: Env; readonly defaults: RegistrySettings },
) {
  return {
    pools: addressPools(flags, file),
    binding: file.ip,
    registries: registrySettings(flags, file, surroundings),
    buildBudget: buildBudget(flags, file),
    archiveLimits: archiveLimits(file),
    storage: storageDriver(flags, file),
    logs: logDefaults(flags, file),
    users: userSettings(flags, file),
    containerDefaults: containerDefaults(file),
    deviceFolders: file['cdi-spec-dirs'],
  }
}

/** @throws Failure `invalid` naming the flag's value. */
export function registrySettings(
  flags: SettingFlags,
  file: Settings,
  { env, defaults }: { readonly env: Env; readonly defaults: RegistrySettings },
): RegistrySettings {
  for (const each of flags['registry-mirror'] ?? []) checkMirror(each)
  for (const each of flags['insecure-registry'] ?? []) checkInsecure(each)
  const proxy = (name: 'http' | 'https' | 'no') =>
    file.proxies?.[`${name}-proxy`] ?? (env[`${name}_proxy`] || env[`${name.toUpperCase()}_PROXY`] || undefined)
  return {
    ...defaults,
    mirrors: [...(flags['registry-mirror'] ?? []), ...(file['registry-mirrors'] ?? [])],
    insecure: [...(flags['insecure-registry'] ?? []), ...(file['insecure-registries'] ?? [])],
    certificates: [...(file['registry-certificates'] ?? []), ...defaults.certificates],
    proxy: { http: proxy('http'), https: proxy('https'), no: proxy('no') },
  }
}

/** Those of the flags alone, where there are any. @throws Failure `invalid`. */
function addressPools(flags: SettingFlags, file: Settings): readonly AddressPool[] | undefined {
  return flags.pool?.map(text => parsePool(text)) ?? file['default-address-pools']
}

/** What the build cache may have. @throws Failure `invalid`. */
export function buildBudget(flags: SettingFlags, { builder }: Settings): CacheSpace {
  const gc = builder?.gc ?? {}
  const asked = flags['build-cache']
  const flagged = asked === undefined ? undefined : parseBytes(asked)
  if (asked !== undefined && flagged === undefined)
    throw new Failure('invalid', `Cannot keep the build cache to "${asked}": it should be an amount, such as 10GB`)
  const most = flagged ?? gc.defaultMaxUsedSpace ?? gc.defaultKeepStorage
  return {
    most: most ?? (gc.enabled === false ? Infinity : undefined),
    minFree: gc.defaultMinFreeSpace,
    reserved: gc.defaultReservedSpace,
  }
}

/** What a layer, or an archive that a build unpacks, may bring; what nothing says of is not there. */
export function archiveLimits(file: Settings): Partial<ArchiveLimits> {
  const { size, ...counts } = file['archive-limits'] ?? {}
  return { ...counts, ...(size !== undefined && { bytes: size }) }
}

/** Undefined: what works. @throws Failure `invalid`. */
export function storageDriver(flags: SettingFlags, file: Settings): StorageDriver | undefined {
  const asked = flags['storage-driver']
  if (asked === undefined) return file['storage-driver']
  const found = storageDrivers.find(each => each === asked)
  if (found === undefined)
    throw new Failure('invalid', `Cannot use storage driver "${asked}": it should be ${storageDrivers.join(' or ')}`)
  return found
}

/** The driver of containers that name none, and its options. @throws Failure `invalid` naming what is wrong. */
export function logDefaults(flags: SettingFlags, file: Settings): LogDefaults {
  const options = (flags['log-opt'] ?? []).map(text => {
    const at = text.indexOf('=')
    if (at < 1) throw new Failure('invalid', `Cannot use log option "${text}": it should be NAME=VALUE`)
    return [text.slice(0, at), text.slice(at + 1)]
  })
  const driver = flags['log-driver'] ?? file['log-driver'] ?? usualLog.driver
  // those of the file are for the driver that the file names
  const kept = driver === (file['log-driver'] ?? usualLog.driver) ? file['log-opts'] : {}
  const defaults = { driver, options: { ...kept, ...Object.fromEntries(options) } }
  checkLogDefaults(defaults)
  return defaults
}

/** The user namespace of containers that say nothing, and whose ids such have. @throws Failure `invalid`. */
export function userSettings(flags: SettingFlags, file: Settings): UserSettings {
  const mode = flags['userns-mode'] ?? file['userns-mode'] ?? usualUsers.mode
  if (mode !== 'host' && mode !== 'auto')
    throw new Failure('invalid', `Cannot use user namespace mode "${mode}": it should be host or auto`)
  return { mode, user: file['userns-user'] }
}

/** What containers have that do not speak of it. @throws Failure `invalid` for a profile that cannot be read. */
export function containerDefaults(file: Settings): ContainerDefaults {
  return {
    noNewPrivileges: file['no-new-privileges'] ?? false,
    seccomp: seccompProfile(file['seccomp-profile']),
    capDrop: checkCapabilities('CapDrop', file['default-cap-drop'] ?? []),
    pidsLimit: file['default-pids-limit'],
    ulimits: file['default-ulimits'] ?? [],
    shmSize: file['default-shm-size'],
  }
}

/** Its text, as a container's own comes. */
function seccompProfile(named: string | undefined): string | undefined {
  if (named === undefined || named === 'unconfined' || named === 'builtin') return named
  try {
    const text = readFileSync(named, 'utf8')
    JSON.parse(text)
    return text
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'it is not JSON' : (errnoOf(cause) ?? 'it failed')
    throw new Failure('invalid', `Cannot use seccomp profile "${named}": ${why}`, { cause })
  }
}
