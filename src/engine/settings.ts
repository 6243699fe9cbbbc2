/** What is set once for an engine: /etc/tscompose/engine.json in the words of Docker's daemon.json, flags before it, proxies of the environment after it. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { errnoOf, Failure } from '../lib/failure.ts'
import { parseBytes } from '../lib/units.ts'
import { type StorageDriver, storageDrivers } from './base/storage-driver.ts'
import type { CacheSpace } from './build/cache-prune.ts'
import type { RegistrySettings } from './images/registry/settings.ts'
import type { ArchiveLimits } from './images/unpack-limits.ts'
import { checkLogDefaults, type LogDefaults, usualLog } from './logs/log-defaults.ts'
import { type UserSettings, usualUsers } from './users/user-ranges.ts'

/** Where settings are looked for when --config names no other file. */
export const defaultConfig = '/etc/tscompose/engine.json'

const wholeNumber = z.int().min(1)

const schema = z.strictObject({
  'registry-mirrors': z.array(z.string()).default([]),
  'insecure-registries': z.array(z.string()).default([]),
  /** Folders laid out as /etc/docker/certs.d, looked through before it. */
  'registry-certificates': z.array(z.string()).default([]),
  proxies: z
    .strictObject({ 'http-proxy': z.string(), 'https-proxy': z.string(), 'no-proxy': z.string() })
    .partial()
    .default({}),
  builder: z
    .strictObject({
      gc: z
        .strictObject({
          enabled: z.boolean(),
          defaultKeepStorage: z.string(),
          defaultMaxUsedSpace: z.string(),
          defaultMinFreeSpace: z.string(),
          defaultReservedSpace: z.string(),
        })
        .partial(),
    })
    .partial()
    .default({}),
  /** Of each layer, and of each archive that a build unpacks. */
  'archive-limits': z
    .strictObject({ size: z.string(), entries: wholeNumber, depth: wholeNumber, ratio: wholeNumber })
    .partial()
    .default({}),
  'userns-mode': z.enum(['host', 'auto']).optional(),
  'userns-user': z
    .string()
    .regex(/^[^:\s]+$/, 'it should be the name of a user')
    .optional(),
  'storage-driver': z.enum(storageDrivers).optional(),
  'log-driver': z.string().optional(),
  'log-opts': z.record(z.string(), z.string()).default({}),
})

export interface SettingFlags {
  readonly config?: string | undefined
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

/** @throws Failure `invalid` naming file and member. */
export function registrySettings(flags: SettingFlags, env: Env, defaults: RegistrySettings): RegistrySettings {
  const file = readConfig(flags.config)
  const mirrors = [...(flags['registry-mirror'] ?? []), ...file['registry-mirrors']]
  const insecure = [...(flags['insecure-registry'] ?? []), ...file['insecure-registries']]
  for (const each of mirrors) checkMirror(each)
  for (const each of insecure) checkInsecure(each)
  const proxy = (name: 'http' | 'https' | 'no') =>
    file.proxies[`${name}-proxy`] ?? (env[`${name}_proxy`] || env[`${name.toUpperCase()}_PROXY`] || undefined)
  return {
    ...defaults,
    mirrors,
    insecure,
    certificates: [...file['registry-certificates'], ...defaults.certificates],
    proxy: { http: proxy('http'), https: proxy('https'), no: proxy('no') },
  }
}

/** What the build cache may have. @throws Failure `invalid`. */
export function buildBudget(flags: SettingFlags): CacheSpace {
  const { gc = {} } = readConfig(flags.config).builder
  const bytes = (text: string | undefined) => bytesOf(text, 'Cannot keep the build cache to')
  const most = bytes(flags['build-cache'] ?? gc.defaultMaxUsedSpace ?? gc.defaultKeepStorage)
  return {
    most: most ?? (gc.enabled === false ? Infinity : undefined),
    minFree: bytes(gc.defaultMinFreeSpace),
    reserved: bytes(gc.defaultReservedSpace),
  }
}

/** What a layer, or an archive that a build unpacks, may bring; what nothing says of is not there. @throws Failure `invalid`. */
export function archiveLimits(flags: SettingFlags): Partial<ArchiveLimits> {
  const { size, ...counts } = readConfig(flags.config)['archive-limits']
  const bytes = bytesOf(size, 'Cannot hold archives to')
  return { ...counts, ...(bytes !== undefined && { bytes }) }
}

function bytesOf(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined
  const bytes = parseBytes(text)
  if (bytes === undefined) throw new Failure('invalid', `${what} "${text}": it should be an amount, such as 10GB`)
  return bytes
}

/** Undefined: what works. @throws Failure `invalid`. */
export function storageDriver(flags: SettingFlags): StorageDriver | undefined {
  const asked = flags['storage-driver']
  if (asked === undefined) return readConfig(flags.config)['storage-driver']
  const found = storageDrivers.find(each => each === asked)
  if (found === undefined)
    throw new Failure('invalid', `Cannot use storage driver "${asked}": it should be ${storageDrivers.join(' or ')}`)
  return found
}

/** The driver of containers that name none, and its options. @throws Failure `invalid` naming what is wrong. */
export function logDefaults(flags: SettingFlags): LogDefaults {
  const file = readConfig(flags.config)
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
export function userSettings(flags: SettingFlags): UserSettings {
  const file = readConfig(flags.config)
  const mode = flags['userns-mode'] ?? file['userns-mode'] ?? usualUsers.mode
  if (mode !== 'host' && mode !== 'auto')
    throw new Failure('invalid', `Cannot use user namespace mode "${mode}": it should be host or auto`)
  return { mode, user: file['userns-user'] }
}

function readConfig(named: string | undefined): z.infer<typeof schema> {
  const path = named ?? defaultConfig
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (named === undefined && errnoOf(cause) === 'ENOENT') return schema.parse({})
    throw new Failure('invalid', `Cannot read settings "${path}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw new Failure('invalid', `Cannot read settings "${path}": it is not JSON`, { cause })
  }
  const result = schema.safeParse(data)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const where = issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''
  throw new Failure('invalid', `Cannot use settings "${path}": ${where}${issue.message}`)
}

function checkMirror(text: string): void {
  const url = URL.parse(text.replace(/^[^=/]+=/, ''))
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash)
    throw new Failure('invalid', `Cannot use registry mirror "${text}": it should be a URL, or HOST=URL`)
}

function checkInsecure(text: string): void {
  if (!/^(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?$|^[0-9a-f.:]+\/\d{1,3}$/i.test(text))
    throw new Failure('invalid', `Cannot use insecure registry "${text}": it should be HOST, HOST:PORT or a range`)
}
