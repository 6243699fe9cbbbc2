/** Who to be at a registry: ~/.docker/config.json and its credential helpers → the X-Registry-Auth header. Never in arguments or logs. */
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { RegistryAuth } from '../api/images.ts'
import { errnoOf, Failure } from '../lib/failure.ts'

type Env = Readonly<Record<string, string | undefined>>

interface DockerConfig {
  readonly auths?: Readonly<
    Record<string, { readonly auth?: string; readonly identitytoken?: string; readonly registrytoken?: string }>
  >
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

/** Docker's own registry has always been stored under this key. */
const hubKey = 'https://index.docker.io/v1/'

/** The header for pulling `reference`; undefined when there are no credentials for its registry. */
export async function registryAuth(reference: string, env: Env): Promise<string | undefined> {
  const config = await readConfig(env)
  if (!config) return undefined
  const registry = registryOf(reference)
  const auth = await credentials(config, registry, env)
  return auth && Buffer.from(JSON.stringify({ ...auth, serveraddress: registry })).toString('base64url')
}

/** The registry a reference names: its first part when that has a dot or colon or is localhost, otherwise Docker's. */
export function registryOf(reference: string): string {
  const first = reference.split('/')[0]!
  const named = reference.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return !named || first === 'docker.io' || first === 'index.docker.io' ? hubKey : first
}

async function credentials(config: DockerConfig, registry: string, env: Env): Promise<RegistryAuth | undefined> {
  const helper = own(config.credHelpers, registry) ?? config.credsStore
  const helped = helper ? await askHelper(helper, registry, env) : undefined
  if (helped) return helped
  // Keys are written with and without scheme and path: compare what stands between.
  const found =
    own(config.auths, registry) ?? Object.entries(config.auths ?? {}).find(([key]) => bare(key) === bare(registry))?.[1]
  if (!found) return undefined
  if (found.identitytoken) return { identitytoken: found.identitytoken }
  if (found.registrytoken) return { registrytoken: found.registrytoken }
  const pair = Buffer.from(found.auth ?? '', 'base64')
    .toString('utf8')
    .replace(/\0+$/, '')
  const colon = pair.indexOf(':')
  return colon > 0 ? { username: pair.slice(0, colon), password: pair.slice(colon + 1) } : undefined
}

/** Asks `docker-credential-<name> get`: the registry on its stdin, JSON on its stdout. */
async function askHelper(name: string, registry: string, env: Env): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${name}`
  if (!/^[\w.-]+$/.test(name))
    throw new Failure('invalid', `Cannot ask credential helper "${name}": that is no name of a program`)
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], env: env as NodeJS.ProcessEnv })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? 1))
  })
  // a helper that never reads closes its end first; what it says on stdout counts
  child.stdin.on('error', () => undefined)
  child.stdin.end(registry)
  let answer: string
  let code: number
  try {
    ;[answer, code] = await Promise.all([text(child.stdout), ended])
  } catch (cause) {
    throw new Failure('unavailable', `Cannot ask credential helper "${program}": ${errnoOf(cause) ?? 'it failed'}`, {
      hint: 'Install it, or take it out of ~/.docker/config.json',
      cause,
    })
  }
  // every helper says so in the same words when it has none, with exit code 1
  if (code !== 0) {
    if (/credentials not found/i.test(answer)) return undefined
    throw new Failure(
      'unavailable',
      `Cannot get credentials for "${registry}" from "${program}": it ended with ${code}`,
    )
  }
  const { Username, Secret } = parse(answer, `the answer of "${program}"`) as { Username?: string; Secret?: string }
  if (!Secret) return undefined
  return Username === '<token>' ? { identitytoken: Secret } : { username: Username ?? '', password: Secret }
}

async function readConfig(env: Env): Promise<DockerConfig | undefined> {
  const folder = env['DOCKER_CONFIG'] || (env['HOME'] && join(env['HOME'], '.docker'))
  if (!folder) return undefined
  const file = join(folder, 'config.json')
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('invalid', `Cannot read "${file}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  return parse(content, `"${file}"`) as DockerConfig
}

/** JSON whose text is never quoted in the message, as it holds what is secret. */
function parse(content: string, what: string): object {
  let data: unknown
  try {
    data = JSON.parse(content)
  } catch {
    throw new Failure('invalid', `Cannot read ${what}: it is not JSON`)
  }
  if (typeof data !== 'object' || data === null)
    throw new Failure('invalid', `Cannot read ${what}: it is no JSON object`)
  return data
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined
}

function bare(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
}
