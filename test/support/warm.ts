/**
 * Commands of tests without a start of Node each: handed to a process that has them loaded (src/warm/). A run of all tests has a folder for such
 * processes, in which each test file takes one for itself as long as it runs; a file that is run alone starts its commands plainly.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const variable = 'TSCOMPOSE_TEST_WARM'
/** Milliseconds that one waits without a command: of a run that was killed it is left so long. */
const patience = 120_000
const path = (name: string) => fileURLToPath(new URL(`../../src/${name}`, import.meta.url))

let taken: Readonly<Record<string, string>> | undefined

/** Variables of a command of ours that ends by itself. */
export function warmVariables(): Readonly<Record<string, string>> {
  const folder = process.env[variable]
  // of a run that was ended the folder is gone
  taken ??= folder !== undefined && existsSync(folder) ? takeOne(folder) : { TSCOMPOSE_WARM: '0' }
  return taken
}

/** Makes the folder for the processes of a run, and has test files find it; they end when it is disposed of. */
export function warmFolder(): Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'tsc-warm-'))
  process.env[variable] = folder
  const end = () => {
    for (const pid of waiting(`${folder}/`)) kill(pid)
    rmSync(folder, { recursive: true, force: true })
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const heard = (signal: NodeJS.Signals) => {
    stop()
    process.kill(process.pid, signal)
  }
  const stop = () => {
    process.off('exit', stop)
    for (const signal of signals) process.off(signal, heard)
    delete process.env[variable]
    end()
  }
  process.once('exit', stop)
  for (const signal of signals) process.on(signal, heard)
  return { [Symbol.dispose]: stop }
}

function takeOne(folder: string): Readonly<Record<string, string>> {
  for (let number = 0; ; number++) {
    // an abstract name is held as long as this process lives, whatever ends it
    const held = createServer()
      .on('error', () => undefined)
      .listen(`\0${folder}/${number}`)
      .unref()
    if (!held.listening) continue
    const own = join(folder, String(number))
    mkdirSync(own, { recursive: true, mode: 0o700 })
    if (waiting(`${own}/`).length === 0) start(own)
    // not "1": one that a command would start would stand where that command does, in its groups and namespaces
    return { TSCOMPOSE_WARM: '', TSCOMPOSE_WARM_FOLDER: own }
  }
}

function start(folder: string): void {
  const { dev, ino } = statSync(path('cli/start.cjs'))
  const socket = join(folder, `tscompose-warm-${dev.toString(16)}-${ino.toString(16)}`)
  const words = ['--disable-warning=ExperimentalWarning', '--', path('warm/start.cjs'), socket, String(patience)]
  const env = { ...process.env, TSCOMPOSE_WARM: '1' }
  spawn(process.execPath, words, { detached: true, cwd: '/', env, stdio: 'ignore' }).unref()
}

/** Pids of the processes that wait at sockets whose paths begin so. */
function waiting(begin: string): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          .split('\0')
          .some(word => word.startsWith(begin))
      } catch {
        // it has ended
        return false
      }
    })
    .map(Number)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}
