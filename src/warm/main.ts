/**
 * A process that has loaded the command line and waits for commands, which launchers hand it (native/launch.c): what a person waits for in
 * `ps` or an `up` that changes nothing is Node's start and the loading of code, not the work. It serves its own user alone, one command
 * after the other, and only those that would do the same in a process of their own. It ends after a while without any, with the engine,
 * and when a source has changed.
 */
import { closeSync, readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'
import { runInProcess } from '../cli/main.ts'
import { isWelcome, keepWaiting } from '../cli/waiting.ts'
import { type Launcher, Launchers, letGo, type Request, requestOf, takeOver } from './launchers.ts'
import { type Environment, earlyVariables, isBrief, maskOf, standing } from './likeness.ts'
import { load } from './load.ts'
import { input, output } from './streams.ts'

/** How long it waits without a command, unless a second argument says so, and how often it looks whether it is still wanted: ms. */
const patience = Number(process.argv[3] ?? 10 * 60_000)
const round = Math.min(patience, 10_000)
/**
 * Commands in one process, and how long one may take until another process waits in this one's place, in ms: what that one loads is half a
 * second of work beside the command, and what it then runs it runs for the first time, so that it goes again when this one is back.
 */
const most = 500
const long = Number(process.argv[4] ?? 10_000)
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const project = fileURLToPath(new URL('../../', import.meta.url))
const { fresh, headerOf } = createRequire(import.meta.url)('../cli/start.cjs') as {
  fresh(inputs: Readonly<Record<string, string>>, folder: string): boolean
  headerOf(text: string): { readonly inputs: Readonly<Record<string, string>> }
}

export async function start(): Promise<never> {
  const path = process.argv[2]!
  // a command brings its own
  const environment = { ...process.env }
  const { inputs } = headerOf(readFileSync(`${project}build/warm.js`, 'latin1'))
  const own = { standing: standing('self'), early: earlyVariables(environment) }
  await load(`${project}examples/hello/compose.yaml`)
  await isIdle()
  const isCurrent = () => fresh(inputs, project)
  let launchers = Launchers.at(path, { instead: false })
  for (let run = 0; launchers && run < most; run++) {
    const taken = wait(launchers, environment, {
      isCurrent,
      isFitting: request => isFit(request, own),
    })
    // nobody needs it, or it is of another build than who asked, who has the next one started
    if (!taken) process.exit(0)
    launchers = await serve(taken, {
      succeed: () => keepWaiting(path, environment),
      // another one waits by now
      listen: () => Launchers.at(path, { instead: true }),
    })
    // what a command has left behind would be the next one's
    if (!(await isIdle())) break
  }
  // who has come meanwhile starts plainly
  launchers?.[Symbol.dispose]()
  if (launchers) keepWaiting(path, environment)
  process.exit(0)
}

/** Whether nothing is under way any more; what has just been closed takes a few turns of the loop. */
async function isIdle(): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    if (process.getActiveResourcesInfo().length === 0) return true
    await setImmediate()
  }
  return false
}

interface Taken {
  readonly launcher: Launcher
  readonly request: Request
}

interface Tests {
  /** Whether this process is what was built last. */
  isCurrent(): boolean
  isFitting(taken: Taken): boolean
}

/** Blocks until there is a command to run; undefined when there is nothing to wait for any more. Nobody else is served by then. */
function wait(launchers: Launchers, environment: Environment, { isCurrent, isFitting }: Tests): Taken | undefined {
  using _ = launchers
  const begin = Date.now()
  while (Date.now() - begin < patience && isWelcome(environment) && launchers.isFound) {
    const launcher = launchers.next(round)
    if (!launcher) continue
    if (!isCurrent()) return undefined
    try {
      const taken = { launcher, request: requestOf(launcher) }
      if (isFitting(taken)) return taken
    } catch {
      // not one of ours, or gone meanwhile: a launcher that hears nothing starts plainly
    }
    closeSync(launcher.connection)
  }
  return undefined
}

function isFit({ launcher, request }: Taken, own: { readonly standing: string; readonly early: string }): boolean {
  return (
    isBrief(request.arguments, request.onTerminal) &&
    earlyVariables(request.environment) === own.early &&
    standing(launcher.pid) === own.standing
  )
}

interface Serving {
  /** Has another process wait while this command takes long. */
  succeed(): void
  /** Launchers come from then on, and wait. */
  listen(): Launchers | undefined
}

/**
 * Runs it, once the launcher has said its last word. The next one is listened for before this one is told its end: a script's commands
 * follow each other faster than all is put away here.
 */
async function serve({ launcher, request }: Taken, { succeed, listen }: Serving): Promise<Launchers | undefined> {
  const { connection, pid } = launcher
  const mask = process.umask()
  // what comes from the first word to the launcher until it has been told the end kills nobody; it is heard by the command
  const patient = (): void => {}
  for (const name of signals) process.on(name, patient)
  try {
    process.chdir(`/proc/${pid}/cwd`)
    process.umask(maskOf(pid))
    takeOver(launcher)
  } catch {
    // it starts plainly
    for (const name of signals) process.off(name, patient)
    process.umask(mask)
    closeSync(connection)
    return listen()
  }
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, request.environment)
  const tell = (code: number): void => void writeSync(connection, Uint8Array.of(code))
  process.once('exit', tell)
  const link = new Socket({ fd: connection })
  // the launcher was killed: so is its command
  link.once('close', () => process.kill(process.pid, 'SIGKILL')).resume()
  const next = setTimeout(succeed, long).unref()
  const standard = standardStreams()
  const code = await runInProcess(request.arguments, {
    stdout: standard.stdout,
    stderr: standard.stderr,
    stdinIsTTY: isatty(0),
    get stdin() {
      return standard.stdin
    },
    env: process.env,
    cwd: process.cwd(),
  })
  clearTimeout(next)
  await standard.close()
  process.off('exit', tell)
  const launchers = listen()
  tell(code)
  await new Promise(done => link.removeAllListeners('close').once('close', done).destroy())
  for (const name of signals) process.off(name, patient)
  process.umask(mask)
  process.chdir('/')
  return launchers
}

function standardStreams() {
  const stdout = output(1)
  const stderr = output(2)
  let stdin: ReturnType<typeof input> | undefined
  return {
    stdout,
    stderr,
    get stdin() {
      stdin ??= input(0)
      return stdin
    },
    /** They are closed, and what comes later finds /dev/null. */
    async close(): Promise<void> {
      const open = [stdin, stdout, stderr].filter(stream => stream !== undefined && !stream.closed)
      await Promise.all(open.map(stream => new Promise(done => stream!.once('close', done).destroy())))
      letGo()
    },
  }
}
