/** The collection of execs: makes, starts and finds them, and runs the probes of health checks. */
import { mkdir, rm } from 'node:fs/promises'
import type { Session } from '../../../api/endpoint.ts'
import type { ExecCreate, ExecInspect, ExecStart } from '../../../api/exec.ts'
import { parseDetachKeys } from '../../../lib/detach-keys.ts'
import { Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import { newId } from '../../../lib/ids.ts'
import type { Attachment, Supervised } from '../../../runtime/runtime.ts'
import { spaceFailure } from '../../base/space.ts'
import type { ProbeHold, ProbeOutcome } from '../../health/schedule.ts'
import { keptOutput } from '../../health/state.ts'
import { linkEnvironment } from '../config/links.ts'
import type { Container } from '../container.ts'
import { reachableLinks } from '../linked.ts'
import { mend } from '../mend.ts'
import { type Parts, tell } from '../parts.ts'
import { session } from '../stdio/session.ts'
import { type Exec, type ExecStreams, execEnded, execFailure, execSpec, inspectExec } from './exec.ts'
import { containerUser } from './start.ts'

/** How long an ended one can still be asked for its exit code. */
const keptFor = 5 * 60_000
/** How long a resize waits for the start, in milliseconds. */
const readyWithin = 10_000

export class Execs {
  readonly #parts: Parts
  readonly #execs = new Map<string, Exec>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** @throws Failure `conflict` when the container does not run or is paused, `invalid` for an unknown user. */
  async create(ref: string, body: ExecCreate): Promise<{ Id: string }> {
    return { Id: (await this.#create(this.#parts.get(ref), body, ref)).id }
  }

  /**
   * Undefined when detached: it runs, nobody listens. Otherwise it starts by the session's `begin`, when the client has switched
   * protocols: what goes wrong from then on is told as output, and by the exit code.
   */
  async start(id: string, body: ExecStart = {}): Promise<Session | undefined> {
    const exec = this.#get(id)
    const { container } = exec
    requireRunning(container)
    exec.asked = true
    const { AttachStdin = false, AttachStdout = false, AttachStderr = false } = exec.body
    const streams = { stdin: AttachStdin, stdout: AttachStdout, stderr: AttachStderr }
    const [rows = 0, columns = 0] = body.ConsoleSize ?? exec.body.ConsoleSize ?? []
    if (body.Detach) {
      await this.#start(exec, undefined, [rows, columns])
      return undefined
    }
    const attached = Promise.withResolvers<Attachment | undefined>()
    const joined = session(attached.promise, {
      // the client says how it reads, the exec whether there is a terminal
      tty: body.Tty ?? false,
      ...streams,
      ...(exec.body.Tty && { detachKeys: exec.body.DetachKeys ?? '' }),
      onDetach: () => tell(this.#parts, container, 'exec_detach', { execID: id }),
    })
    return {
      ...joined,
      begin: () =>
        this.#start(exec, streams, [rows, columns]).then(
          process => attached.resolve(process.attached),
          error => attached.resolve(told(`${messageOf(error)}\r\n`)),
        ),
    }
  }

  /** Of one that has not started yet: when it has, as a client does not know which of its two requests comes first. */
  async resize(id: string, { rows, columns }: { readonly rows: number; readonly columns: number }): Promise<void> {
    const exec = this.#get(id)
    // said before what became of the exec, which has ended with it
    requireRunning(exec.container)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const failure = new Failure('internal', 'timeout waiting for exec session ready')
      timer = setTimeout(() => reject(failure), readyWithin)
    })
    const process = await Promise.race([exec.ready.promise, late]).finally(() => clearTimeout(timer))
    if (!process) throw new Failure('invalid', 'exec process is not started')
    if (exec.endedAt !== undefined) throw new Failure('not-found', `process does not exist ${id}: not found`)
    process.resize(rows, columns)
  }

  inspect(id: string): ExecInspect {
    return inspectExec(this.#get(id))
  }

  /** Runs a health check's test. */
  async probe(container: Container, test: readonly string[], { signal, begun }: ProbeHold): Promise<ProbeOutcome> {
    const shell = container.record.config.Shell ?? ['/bin/sh', '-c']
    const Cmd = test[0] === 'CMD-SHELL' ? [...shell, ...test.slice(1)] : test.slice(1)
    const exec = await this.#create(container, { Cmd, AttachStdout: true, AttachStderr: true }, container.name)
    try {
      const process = await this.#start(exec, { stdin: false, stdout: true, stderr: true }, [0, 0])
      begun()
      const kill = () => killQuietly(process)
      signal.addEventListener('abort', kill, { once: true })
      if (signal.aborted) kill()
      try {
        const output = process.attached ? await collect(process.attached) : ''
        return { exitCode: (await process.exited).code, output }
      } finally {
        signal.removeEventListener('abort', kill)
      }
    } catch (error) {
      if (!isFailure(error) || error.exitCode === undefined) throw error
      return { exitCode: -1, output: error.message }
    } finally {
      this.#forget(exec)
    }
  }

  /** Those of a container that is being removed. */
  forgetAll(container: Container): void {
    for (const exec of this.#execs.values()) if (exec.container === container) this.#execs.delete(exec.id)
    container.execs.clear()
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id)
    // one that was never started ends with the run of the container it was made for
    if (!exec || (!exec.started && exec.container.process !== exec.host))
      throw new Failure('not-found', `No such exec instance: ${id}`)
    return exec
  }

  async #create(container: Container, body: ExecCreate, ref: string): Promise<Exec> {
    requireRunning(container, ref)
    if (!body.Cmd?.length) throw new Failure('invalid', 'No exec command specified')
    if (body.DetachKeys) parseDetachKeys(body.DetachKeys)
    const { images } = this.#parts
    const image = images.find(container.record.imageId)
    const layers = image ? images.layers(image) : []
    const user = containerUser(this.#parts, container, layers, body.User || container.record.config.User)
    const links = linkEnvironment(container.name, reachableLinks(this.#parts, container))
    this.#forgetOld()
    const exec: Exec = {
      id: newId(),
      container,
      body,
      user,
      links,
      host: container.process,
      asked: false,
      started: false,
      ready: Promise.withResolvers(),
      process: undefined,
      exitCode: null,
      pid: 0,
      endedAt: undefined,
    }
    this.#execs.set(exec.id, exec)
    container.execs.add(exec.id)
    tell(this.#parts, container, `exec_create: ${shown(body.Cmd)}`, { execID: exec.id })
    return exec
  }

  async #start(exec: Exec, attach: ExecStreams | undefined, size: readonly [number, number]): Promise<Supervised> {
    const { container, body } = exec
    if (exec.process) throw new Failure('conflict', `exec command ${exec.id} is already running`)
    if (exec.started) throw new Failure('conflict', `exec command ${exec.id} has already run`)
    if (!container.running) throw new Failure('conflict', `container ${container.id} is not running`)
    exec.started = true
    if (body.WorkingDir && !body.WorkingDir.startsWith('/')) {
      this.#failed(exec)
      exec.exitCode = 128
      throw new Failure('invalid', 'OCI runtime exec failed: exec failed: Cwd must be an absolute path', {
        exitCode: exec.exitCode,
      })
    }
    const directory = this.#parts.paths.exec(container.id, exec.id)
    let process: Supervised
    try {
      await mend(this.#parts, container)
      tell(this.#parts, container, `exec_start: ${shown(body.Cmd ?? [])}`, { execID: exec.id })
      await mkdir(directory, { recursive: true, mode: 0o700 })
      process = await this.#parts.runtime.start(
        execSpec(exec, { directory, attach, size, defaults: this.#parts.defaults }),
      )
    } catch (thrown) {
      const error = spaceFailure(thrown)
      this.#failed(exec)
      await rm(directory, { recursive: true, force: true })
      if (!isFailure(error)) throw error
      const failure = execFailure(error)
      exec.exitCode = failure.exitCode ?? 126
      throw failure
    }
    exec.process = process
    exec.ready.resolve(process)
    exec.pid = process.pid
    process.exited.then(
      exit => {
        execEnded(exec, exit)
        tell(this.#parts, container, 'exec_die', { execID: exec.id, exitCode: String(exit.code) })
        return rm(directory, { recursive: true, force: true })
      },
      () => {
        // The monitor is gone without a word, as when someone killed it: the exec has ended, how is unknown.
        execEnded(exec, { kind: 'exited', code: 255, signal: undefined, oomKilled: false, finishedAt: new Date() })
      },
    )
    return process
  }

  /** Its start has: whoever waits for it hears of that. */
  #failed(exec: Exec): void {
    exec.endedAt = Date.now()
    exec.container.execs.delete(exec.id)
    exec.ready.resolve(undefined)
  }

  #forget(exec: Exec): void {
    this.#execs.delete(exec.id)
    exec.container.execs.delete(exec.id)
  }

  #forgetOld(): void {
    const before = Date.now() - keptFor
    for (const exec of this.#execs.values()) if (exec.endedAt !== undefined && exec.endedAt < before) this.#forget(exec)
  }
}

/** @param ref what it was called, for the message. */
function requireRunning(container: Container, ref = container.id): void {
  const { status } = container.state
  if (status === 'paused')
    throw new Failure('conflict', `Container ${ref} is paused, unpause the container before exec`)
  if (status === 'restarting')
    throw new Failure('conflict', `Container ${ref} is restarting, wait until the container is running`)
  if (!container.running) throw new Failure('conflict', `container ${container.id} is not running`)
}

function killQuietly(process: Supervised): void {
  try {
    process.signal(9)
  } catch (error) {
    // it ended by itself a moment ago
    if (!isFailure(error, 'conflict')) throw error
  }
}

/** The beginning of the output; the rest is read and dropped, so that the probe is not held back. */
async function collect(attachment: Attachment): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const { data } of attachment.output) {
    if (size > keptOutput) continue
    pieces.push(data)
    size += data.byteLength
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** An attachment that says one thing and ends. */
function told(text: string): Attachment {
  return {
    output: (async function* () {
      yield { stream: 'stdout' as const, data: Buffer.from(text) }
    })(),
    write: () => Promise.resolve(),
    end: () => undefined,
    close: () => undefined,
  }
}

/** In an event, as Docker has it: the program, a blank, and its arguments, be there any or none. */
function shown([program = '', ...args]: readonly string[]): string {
  return `${program} ${args.join(' ')}`
}
