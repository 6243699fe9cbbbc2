/** The namespaces of a user's engine, made when nobody holds them: by native/rootless.c, with the user's ids mapped, and a way out. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { answers } from '../client/answers.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { delegation } from './delegation.ts'
import { mapWords, subordinateIds } from './ids.ts'
import type { UserPlaces } from './places.ts'
import { programPath } from './program-path.ts'
import { findWayOut, startWayOut, type WayOut } from './way-out.ts'

type Env = Readonly<Record<string, string | undefined>>

export const rootless = fileURLToPath(new URL('../../native/build/rootless', import.meta.url))

/** How long another command may take to make them, in rounds of 50 ms. */
const rounds = 200

export interface NamespacesOptions {
  readonly places: UserPlaces
  readonly env: Env
  /** Hears of what will not work. */
  readonly say: (line: string) => void
}

/** Resolves when somebody holds them. @throws Failure `unavailable` naming what this machine or this user lacks */
export async function ensureNamespaces(options: NamespacesOptions): Promise<void> {
  const { places, say, env } = options
  mkdirSync(places.run, { recursive: true, mode: 0o700 })
  for (let round = 0; round < rounds; round++) {
    if (await answers(places.namespaces)) return
    const way = findWayOut(env)
    const pid = await make(options, typeof way === 'string' ? undefined : way)
    if (pid === undefined) {
      // another command makes them
      await pause(50)
      continue
    }
    // what is known of the last ones
    rmSync(join(places.run, 'firewall'), { force: true })
    const lacking = typeof way === 'string' ? way : await leadOut(way, pid, places)
    if (lacking !== undefined) say(`Containers reach nothing outside: ${lacking}`)
    return
  }
  throw new Failure(
    'unavailable',
    `Cannot make the namespaces of the engine: another command has begun, and "${places.namespaces}" does not answer`,
  )
}

/** In a group that systemd gives away; where it gives none, in the one that we are in. */
async function make(options: NamespacesOptions, way: WayOut | undefined): Promise<number | undefined> {
  const first = delegation(options.env)
  try {
    return await makeIn(first, options, way)
  } catch (error) {
    if (first.length === 0) throw error
    const pid = await makeIn([], options, way)
    options.say(`No limit is in force: systemd gave no group (${messageOf(error)}), see "${logPath(options.places)}"`)
    return pid
  }
}

/** The process that holds them; undefined when another one is about to. */
async function makeIn(
  delegated: readonly string[],
  { places, env }: NamespacesOptions,
  way: WayOut | undefined,
): Promise<number | undefined> {
  const maps = idMaps(env)
  const resolv = way && resolvFor(way, places)
  const log = logOf(places)
  const words = [...delegated, rootless, 'hold', places.namespaces, places.ports, ...(resolv ? [resolv] : [])]
  const holder = spawn(words[0]!, words.slice(1), {
    detached: true,
    cwd: '/',
    env: { ...env },
    stdio: ['pipe', 'pipe', log],
  })
  closeSync(log)
  const lines = createInterface({ input: holder.stdout! })[Symbol.asyncIterator]()
  try {
    const first = await nextWord(holder, lines)
    if (first === undefined) return undefined
    for (const { program, map } of maps) await run(program, [String(holder.pid), ...map])
    holder.stdin!.write('\n')
    await nextWord(holder, lines)
    return holder.pid!
  } catch (error) {
    holder.kill('SIGKILL')
    throw error
  } finally {
    holder.stdin!.destroy()
    holder.stdout!.destroy()
    holder.unref()
  }
}

/** Undefined when another process has the lock. @throws Failure in words for what the kernel refuses */
async function nextWord(holder: ChildProcess, lines: AsyncIterator<string>): Promise<string | undefined> {
  const failed = new Promise<never>((_, reject) => holder.once('error', reject))
  const { value, done } = await Promise.race([lines.next(), failed])
  if (done)
    throw new Failure('unavailable', 'Cannot make the namespaces of the engine: the process that should has ended')
  const match = /^failed (\S+) (\d+)$/.exec(value)
  if (!match) return value
  const [, what, errno] = match
  // EAGAIN of flock(2)
  if (what === 'lock' && Number(errno) === 11) return undefined
  const { getSystemErrorMap } = process.getBuiltinModule('node:util')
  const [name, text] = getSystemErrorMap().get(-Number(errno)) ?? [`errno ${errno}`, '']
  throw new Failure('unavailable', `Cannot make the namespaces of the engine (${what}): ${name}, ${text}`, {
    hint:
      what === 'unshare'
        ? 'Let users make namespaces: sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns'
        : 'In a container of another engine this may not be possible',
  })
}

interface IdMap {
  /** newuidmap or newgidmap. */
  readonly program: string
  readonly map: readonly string[]
}

function idMaps(env: Env): readonly IdMap[] {
  const { username: name, uid, gid } = userInfo()
  return (['uid', 'gid'] as const).map(kind => {
    const program = programPath(`new${kind}map`, env)
    if (program === undefined)
      throw new Failure(
        'unavailable',
        `Cannot start an engine as user "${name}": the program new${kind}map is not there`,
        {
          hint: 'Install uidmap (Debian, Ubuntu) or shadow-utils (Fedora)',
        },
      )
    const file = `/etc/sub${kind}`
    const ranges = subordinateIds(textOf(file), { name, uid })
    return { program, map: mapWords(kind === 'uid' ? uid : gid, ranges, { file, name }) }
  })
}

async function run(program: string, words: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, [...words], { env: {} })
  } catch (cause) {
    throw new Failure('unavailable', `Cannot map the ids of this user: ${messageOf(cause).trim().split('\n').at(-1)}`, {
      cause,
    })
  }
}

/** A server on the loopback of the host cannot be asked from within, so that the way out is asked instead. */
function resolvFor({ dns, name }: WayOut, { run }: UserPlaces): string | undefined {
  const lines = textOf('/etc/resolv.conf').split('\n')
  const isServer = (line: string) => /^\s*nameserver\s/.test(line)
  const reachable = lines.some(line => isServer(line) && !/^\s*nameserver\s+(127\.|::1\b)/.test(line))
  if (reachable && name === 'pasta') return undefined
  const path = join(run, 'resolv.conf')
  writeFileSync(path, [`nameserver ${dns}`, ...lines.filter(line => !isServer(line))].join('\n'), { mode: 0o600 })
  return path
}

function leadOut(way: WayOut, pid: number, places: UserPlaces): Promise<string | undefined> {
  return startWayOut(way, { beside: [rootless, 'beside', places.namespaces], pid, mark: join(places.run, 'way-out') })
}

function logPath({ run }: UserPlaces): string {
  return join(run, 'rootless.log')
}

function logOf(places: UserPlaces): number {
  return openSync(
    logPath(places),
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  )
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // as good as an empty one, of which is told what is missing in it
    return ''
  }
}
