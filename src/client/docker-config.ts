/** ~/.docker/config.json and the credential helpers it names: read, and changed by login and logout. Secrets go by stdin and files of mode 0600. */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { errnoOf, Failure } from '../lib/failure.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface StoredAuth {
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

export interface DockerConfig {
  readonly auths?: Readonly<Record<string, StoredAuth>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
  /** How `ps` prints where nothing else is asked. */
  readonly psFormat?: string
}

/** What a helper keeps; the name "<token>" marks an identity token. */
export interface Secret {
  readonly Username?: string
  readonly Secret?: string
}

/** Undefined when there is none. @throws Failure `invalid`, never with its content. */
export async function readConfig(env: Env): Promise<DockerConfig | undefined> {
  const file = configFile(env)
  if (file === undefined) return undefined
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw new Failure('invalid', `Cannot read "${file}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  return parse(content, `"${file}"`) as DockerConfig
}

/** The program that keeps the credentials of a registry, when it is not the file itself. */
export function helperOf(config: DockerConfig, registry: string): string | undefined {
  return own(config.credHelpers, registry) ?? (config.credsStore || undefined)
}

/** Keeps a login; whatever else the file holds stays. @returns where. */
export async function storeLogin(registry: string, login: Required<Secret>, env: Env): Promise<string> {
  const config = (await readConfig(env)) ?? {}
  const helper = helperOf(config, registry)
  if (helper !== undefined) {
    await callHelper(helper, 'store', JSON.stringify({ ServerURL: registry, ...login }), env)
    // as Docker does: the file says that there is one, and nothing of it
    await writeConfig({ ...config, auths: { ...config.auths, [registry]: {} } }, env)
    return helper
  }
  const isToken = login.Username === '<token>'
  const auth = isToken ? '' : Buffer.from(`${login.Username}:${login.Secret}`).toString('base64')
  const entry = isToken ? { auth, identitytoken: login.Secret } : { auth }
  return await writeConfig({ ...config, auths: { ...config.auths, [registry]: entry } }, env)
}

/** Forgets a login. @returns whether there was one. */
export async function eraseLogin(registry: string, env: Env): Promise<boolean> {
  const config = await readConfig(env)
  if (!config) return false
  const had = own(config.auths, registry) !== undefined
  const helper = helperOf(config, registry)
  if (helper !== undefined && had) await callHelper(helper, 'erase', registry, env)
  if (!had) return false
  const { [registry]: _, ...auths } = config.auths!
  await writeConfig({ ...config, auths }, env)
  return true
}

/** Asks `docker-credential-<name> get`; undefined when it has none. */
export async function askHelper(name: string, registry: string, env: Env): Promise<Secret | undefined> {
  const { answer, code } = await runHelper(name, 'get', registry, env)
  // every helper says so in the same words when it has none, with exit code 1
  if (code !== 0 && /credentials not found/i.test(answer)) return undefined
  if (code !== 0)
    throw new Failure(
      'unavailable',
      `Cannot get credentials for "${registry}" from "${programOf(name)}": it ended with ${code}`,
    )
  return parse(answer, `the answer of "${programOf(name)}"`) as Secret
}

async function callHelper(name: string, verb: 'store' | 'erase', input: string, env: Env): Promise<void> {
  const { answer, code } = await runHelper(name, verb, input, env)
  if (code === 0 || (verb === 'erase' && /credentials not found/i.test(answer))) return
  throw new Failure('unavailable', `Cannot ${verb} credentials by "${programOf(name)}": it ended with ${code}`)
}

/** Its input by stdin, never by arguments, which everybody on the machine can read. */
async function runHelper(name: string, verb: string, input: string, env: Env) {
  const program = programOf(name)
  const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'ignore'], env: env as NodeJS.ProcessEnv })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve(code ?? 1))
  })
  // a helper that never reads closes its end first; what it says on stdout counts
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  try {
    const [answer, code] = await Promise.all([text(child.stdout), ended])
    return { answer, code }
  } catch (cause) {
    throw new Failure('unavailable', `Cannot ask credential helper "${program}": ${errnoOf(cause) ?? 'it failed'}`, {
      hint: 'Install it, or take it out of ~/.docker/config.json',
      cause,
    })
  }
}

function programOf(name: string): string {
  if (!/^[\w.-]+$/.test(name))
    throw new Failure('invalid', `Cannot ask credential helper "${name}": that is no name of a program`)
  return `docker-credential-${name}`
}

function configFile(env: Env): string | undefined {
  const folder = env['DOCKER_CONFIG'] || (env['HOME'] && join(env['HOME'], '.docker'))
  return folder ? join(folder, 'config.json') : undefined
}

/** Beside it and renamed, 0600 from its first moment; a link keeps leading where it led. */
async function writeConfig(config: DockerConfig, env: Env): Promise<string> {
  const file = configFile(env)
  if (file === undefined) throw new Failure('invalid', 'Cannot keep credentials: neither HOME nor DOCKER_CONFIG is set')
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const target = await realpath(file).catch(() => file)
  const temporary = `${target}.${process.pid}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(`${JSON.stringify(config, null, '\t')}\n`)
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new Failure('internal', `Cannot write "${file}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  return file
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

export function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined
}
