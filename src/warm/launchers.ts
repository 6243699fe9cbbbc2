/** The launchers that ask for a command to be run (native/launch.c): waits for them, and takes over what is theirs. */
import { closeSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { getSystemErrorName } from 'node:util'

/** What one of them wants. */
export interface Request {
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** Whether its standard input is one. */
  readonly onTerminal: boolean
}

export interface Launcher {
  /** The connection to it. */
  readonly connection: number
  readonly pid: number
}

/** WARM_MOST of native/warm.h. */
const most = 96 * 1024
const yes = Buffer.from('y')

const host = createRequire(import.meta.url)('koffi').load(
  fileURLToPath(new URL('../../native/build/libhost.so', import.meta.url)),
)
const listen = host.func('int host_warm_listen(const char *path, int instead, _Out_ uint64_t *inode)') as (
  path: string,
  instead: number,
  inode: BigUint64Array,
) => number
const accept = host.func('int host_warm_accept(int listener, int patience, _Out_ int *pid)') as (
  listener: number,
  patience: number,
  pid: [number],
) => number
const receive = host.func('int host_warm_receive(int fd, _Out_ uint8_t *body, _Out_ uint32_t *counts)') as (
  fd: number,
  body: Buffer,
  counts: Uint32Array,
) => number
const goAhead = host.func('int host_warm_go(int fd, _Out_ int *given)') as (fd: number, given: Int32Array) => number
const take = host.func('int host_warm_take(const int *given)') as (given: Int32Array) => number

export class Launchers implements Disposable {
  readonly #path: string
  readonly #listener: number
  readonly #inode: bigint

  private constructor(path: string, listener: number, inode: bigint) {
    this.#path = path
    this.#listener = listener
    this.#inode = inode
  }

  /** `instead`: of whoever waits at this path already, who is told to go; otherwise undefined where somebody does. */
  static at(path: string, { instead }: { readonly instead: boolean }): Launchers | undefined {
    const inode = new BigUint64Array(1)
    const listener = listen(path, Number(instead), inode)
    return listener < 0 ? undefined : new Launchers(path, listener, inode[0]!)
  }

  /** Whether launchers still find it: nobody has taken its place, or its name. */
  get isFound(): boolean {
    return lstatSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino === this.#inode
  }

  /** Blocks until there is one; undefined after `patience` ms without, or when the one that came is no good. */
  next(patience: number): Launcher | undefined {
    const pid: [number] = [0]
    const connection = accept(this.#listener, patience, pid)
    return connection < 0 ? undefined : { connection, pid: pid[0] }
  }

  /** Others start plainly from now on. */
  [Symbol.dispose](): void {
    if (this.isFound) rmSync(this.#path, { force: true })
    closeSync(this.#listener)
  }
}

/** @throws Error for what is no request */
export function requestOf({ connection }: Launcher): Request {
  const body = Buffer.alloc(most)
  const counts = new Uint32Array(3)
  const size = receive(connection, body, counts)
  if (size < 0) throw new Error(`Cannot read a request: ${getSystemErrorName(size)}`)
  const texts = body.toString('utf8', 0, size).split('\0').slice(0, -1)
  const [words = 0, variables = 0, terminal = 0] = counts
  if (texts.length !== words + variables) throw new Error('Cannot read a request: it is cut')
  const environment: Record<string, string> = Object.create(null)
  for (const text of texts.slice(words)) {
    const at = text.indexOf('=', 1)
    if (at > 0) environment[text.slice(0, at)] ??= text.slice(at + 1)
  }
  return { arguments: texts.slice(0, words), environment, onTerminal: terminal !== 0 }
}

/** Says yes, after which the command is run here or nowhere: its standard streams are this process's own. @throws Error when it has gone */
export function takeOver({ connection }: Launcher): void {
  writeSync(connection, yes)
  const given = new Int32Array(3)
  const result = goAhead(connection, given)
  if (result < 0) throw new Error(`Cannot take a command over: ${getSystemErrorName(result)}`)
  become(given)
}

/** What is written from now on is lost, and there is nothing to read. */
export function letGo(): void {
  const nothing = () => openSync('/dev/null', 'r+')
  become(Int32Array.of(nothing(), nothing(), nothing()))
}

function become(descriptors: Int32Array): void {
  const result = take(descriptors)
  if (result < 0) throw new Error(`Cannot take over standard streams: ${getSystemErrorName(result)}`)
}
