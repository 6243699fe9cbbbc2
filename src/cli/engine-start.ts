/** Starts the engine in the background and waits until it listens; two that start it at once both end with the same one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { answers } from '../client/answers.ts'
import { rootSocket } from '../client/host.ts'
import { passedOn } from '../holding/environment.ts'
import { ownProgram } from '../installation/own-program.ts'
import { Failure, type FailureKind, failureKinds } from '../lib/failure.ts'

export interface EngineStart {
  readonly socket: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Program and arguments of the daemon; tests start another one. */
  readonly command?: readonly [string, ...string[]]
  /** Hears of what will not work. */
  readonly say?: (line: string) => void
}

/** How long an engine may take to come up, with all containers of the last one to take over, on a slow machine that has much else to do. */
const patience = 120_000

/** As the user who runs the command. @throws Failure what the engine says when it cannot start */
export async function startEngine({ socket, env, say, command }: EngineStart): Promise<void> {
  const isRoot = process.getuid?.() === 0
  const folder = dirname(socket)
  if (!isRoot && socket === rootSocket)
    throw new Failure('invalid', 'Cannot start an engine of this user: XDG_RUNTIME_DIR is not set', {
      hint: 'Log in as this user, set XDG_RUNTIME_DIR to a folder of its own, or name a running engine by --host or DOCKER_HOST',
    })
  mkdirSync(folder, { recursive: true, mode: isRoot ? 0o755 : 0o700 })
  const words = command ?? (isRoot ? ownProgram('engine') : await userEngine(env, say))
  const log = join(folder, 'engine.log')
  const file = openSync(log, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  let engine: ChildProcess
  try {
    const [path, ...args] = words
    engine = spawn(path, [...args, '--ready-fd', '3'], {
      // its own session: ^C in this terminal is not meant for it
      detached: true,
      cwd: '/',
      env: isRoot ? passedOn(env) : { ...passedOn(env), ...userWords(env) },
      stdio: ['ignore', file, file, 'pipe'],
    })
  } finally {
    closeSync(file)
  }
  const ready = engine.stdio[3] as Readable
  try {
    await reported(engine, ready, { socket, log })
  } finally {
    ready.destroy()
    engine.unref()
  }
}

async function userEngine(env: EngineStart['env'], say: EngineStart['say']): Promise<readonly [string, ...string[]]> {
  const { userEngineCommand } = await import('../rootless/engine-command.ts')
  return await userEngineCommand({ env, command: ownProgram('engine'), say: say ?? (() => undefined) })
}

/** What the user's systemd is found by. */
function userWords({ XDG_RUNTIME_DIR }: EngineStart['env']): Record<string, string> {
  return XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }
}

/** Waits for the one line the engine writes: "ready", or what is wrong as JSON; or for its end. */
async function reported(
  engine: ChildProcess,
  ready: Readable,
  { socket, log }: { socket: string; log: string },
): Promise<void> {
  const deadline = AbortSignal.timeout(patience)
  const line = await new Promise<string>((resolve, reject) => {
    let text = ''
    engine.once('error', reject)
    ready.setEncoding('utf8')
    ready.on('data', (piece: string) => {
      text += piece
      if (text.includes('\n')) resolve(text.trim())
    })
    // end without a line: it has died, or closed it by mistake; both are told apart by nothing but the log
    ready.once('close', () => resolve(text.trim()))
    deadline.addEventListener('abort', () => resolve('late'))
  })
  if (line === 'ready') return
  const failure = failureIn(line)
  if (failure?.kind === 'conflict') return await otherEngine(socket, deadline, failure)
  if (failure) throw failure
  const what = line === 'late' ? `it is not ready after ${patience / 1000} seconds` : 'it ended before it was ready'
  throw new Failure('unavailable', `Cannot start the engine: ${what}${tail(log)}`, { hint: `See "${log}"` })
}

/** Another command was faster and its engine holds the lock: wait until that one listens. */
async function otherEngine(socket: string, deadline: AbortSignal, failure: Failure): Promise<void> {
  const watcher = watch(dirname(socket))
  let changed = Promise.withResolvers<void>()
  // for good, and not once a round: what happens while we ask must not be missed
  watcher.on('change', () => changed.resolve())
  watcher.on('error', error => changed.reject(error))
  deadline.addEventListener('abort', () => changed.reject(failure))
  try {
    while (!(await answers(socket))) {
      if (deadline.aborted) throw failure
      // The folder tells when the socket is made, by bind; that it listens, an instant later, nothing tells. Neither does
      // it when the engine before it has left its socket behind. So with a socket there, look again soon.
      const again = existsSync(socket) ? setTimeout(changed.resolve, 10) : undefined
      await changed.promise
      clearTimeout(again)
      changed = Promise.withResolvers()
    }
  } finally {
    changed.promise.catch(() => undefined)
    watcher.close()
  }
}

/** `{"kind":"denied","message":"Cannot …","hint":"…"}` as a Failure. */
function failureIn(line: string): Failure | undefined {
  if (!line.startsWith('{')) return undefined
  let data: { kind?: unknown; message?: unknown; hint?: unknown }
  try {
    data = JSON.parse(line)
  } catch {
    // cut off in the middle: as good as nothing, the log has it whole
    return undefined
  }
  const kind: FailureKind = failureKinds.find(each => each === data.kind) ?? 'internal'
  return typeof data.message === 'string'
    ? new Failure(kind, data.message, typeof data.hint === 'string' ? { hint: data.hint } : {})
    : undefined
}

function tail(log: string): string {
  try {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5)
    return lines.join('') === '' ? '' : `\n${lines.map(line => `  ${line}`).join('\n')}`
  } catch {
    // no log, no tail; the message stands without it
    return ''
  }
}
