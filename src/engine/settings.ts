/** What is set once for an engine: /etc/tscompose/engine.json in the words of Docker's daemon.json, flags before it, proxies of the environment after it. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { errnoOf, Failure } from '../lib/failure.ts'
import { parseBytes } from '../lib/units.ts'
import type { RegistrySettings } from './images/registry/settings.ts'

/** Where settings are looked for when --config names no other file. */
export const defaultConfig = '/etc/tscompose/engine.json'

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
    .strictObject({ gc: z.strictObject({ enabled: z.boolean(), defaultKeepStorage: z.string() }).partial() })
    .partial()
    .default({}),
})

export interface SettingFlags {
  readonly config?: string | undefined
  readonly 'registry-mirror'?: readonly string[] | undefined
  readonly 'insecure-registry'?: readonly string[] | undefined
  readonly 'build-cache'?: string | undefined
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

/** Bytes that the build cache may have; undefined where nothing says. @throws Failure `invalid`. */
export function buildBudget(flags: SettingFlags): number | undefined {
  const { gc = {} } = readConfig(flags.config).builder
  const text = flags['build-cache'] ?? gc.defaultKeepStorage
  if (text === undefined) return gc.enabled === false ? Infinity : undefined
  const bytes = parseBytes(text)
  if (bytes === undefined)
    throw new Failure('invalid', `Cannot keep "${text}" of the build cache: it should be an amount, such as 10GB`)
  return bytes
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
