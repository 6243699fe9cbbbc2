/** The collection of execs: makes, starts and finds them, and runs the probes of health checks. */
import { mkdir, rm } from 'node:fs/promises'
import type { Session } from '../../../api/endpoint.ts'
import type { ExecCreate, ExecInspect, ExecStart } from '../../../api/exec.ts'
import { Failure, isFailure } from '../../../lib/failure.ts'
import { newId } from '../../../lib/ids.ts'
import type { Attachment, Supervised } from '../../../runtime/runtime.ts'
import type { ProbeOutcome } from '../../health/schedule.ts'
import { keptOutput } from '../../health/state.ts'
import type { Container } from '../container.ts'
import { type Parts, tell } from '../parts.ts'
import { session } from '../stdio/session.ts'
import { type Exec, type ExecStreams, execEnded, execSpec, inspectExec } from './exec.ts'
import { commandFailure, containerUser } from './start.ts'

/** How long an ended one can still be asked for its exit code. */
const keptFor = 5 * 60_000

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

  /** Undefined when detached: it runs, nobody listens. */
  async start(id: string, body: ExecStart = {}): Promise<Session | undefined> {
    const exec = this.#get(id)
    if (exec.process) throw new Failure('conflict', `exec command ${id} is already running`)
    if (exec.started) throw new Failure('conflict', `exec command has already run`)
    const { AttachStdin = false, AttachStdout = false, AttachStderr = false } = exec.body
    const streams = { stdin: AttachStdin, stdout: AttachStdout, stderr: AttachStderr }
    const detach = body.Detach ?? false
    const size = body.ConsoleSize ?? exec.body.ConsoleSize ?? []
    const tty = exec.body.Tty ?? false
    try {
      const process = await this.#start(exec, detach ? undefined : streams, [size[0] ?? 0, size[1] ?? 0])
      if (detach) return undefined
      return session(Promise.resolve(process.attached), { tty, ...streams, detachKeys: exec.body.DetachKeys })
    } catch (error) {
      // Docker has switched protocols by then: a command that cannot be run is told as output, and by the exit code.
      const text = isFailure(error) ? commandFailure(exec.body.Cmd?.[0] ?? '', error) : undefined
      if (text === undefined) throw error
      exec.exitCode = (error as Failure).exitCode ?? 126
      const message = `OCI runtime exec failed: exec failed: unable to start container process: ${text}`
      if (detach) throw new Failure('invalid', message, { cause: error, exitCode: exec.exitCode })
      return session(Promise.resolve(told(`${message}\r\n`)), { tty, stdin: false, stdout: true, stderr: true })
    }
  }

  async resize(id: string, { rows, columns }: { readonly rows: number; readonly columns: number }): Promise<void> {
    const { process } = this.#get(id)
    if (!process) throw new Failure('conflict', `exec command ${id} is not running`)
    process.resize(rows, columns)
  }

  inspect(id: string): ExecInspect {
    return inspectExec(this.#get(id))
  }

  /** Runs a health check's test; killed when `signal` fires. */
  async probe(container: Container, test: readonly string[], signal: AbortSignal): Promise<ProbeOutcome> {
    const shell = container.record.config.Shell ?? ['/bin/sh', '-c']
    const Cmd = test[0] === 'CMD-SHELL' ? [...shell, ...test.slice(1)] : test.slice(1)
    const exec = await this.#create(container, { Cmd, AttachStdout: true, AttachStderr: true }, container.name)
    try {
      const process = await this.#start(exec, { stdin: false, stdout: true, stderr: true }, [0, 0])
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
      const text = isFailure(error) ? commandFailure(Cmd[0] ?? '', error) : undefined
      if (text === undefined) throw error
      return { exitCode: -1, output: text }
    } finally {
      this.#forget(exec)
    }
  }

  /** Those of a container that is being removed. */
  forgetAll(container: Container): void {
    for (const id of container.execs) this.#execs.delete(id)
    container.execs.clear()
  }

  #get(id: string): Exec {
    const exec = this.#execs.get(id)
    if (!exec) throw new Failure('not-found', `No such exec instance: ${id}`)
    return exec
  }

  async #create(container: Container, body: ExecCreate, ref: string): Promise<Exec> {
    const { status } = container.state
    if (status === 'paused')
      throw new Failure('conflict', `Container ${ref} is paused, unpause the container before exec`)
    if (status === 'restarting')
      throw new Failure('conflict', `Container ${ref} is restarting, wait until the container is running`)
    if (!container.running) throw new Failure('conflict', `container ${container.id} is not running`)
    if (!body.Cmd?.length) throw new Failure('invalid', 'No exec command specified')
    if (body.WorkingDir && !body.WorkingDir.startsWith('/'))
      throw new Failure('invalid', `Cannot exec in "${body.WorkingDir}": the working directory must be absolute`)
    const { images } = this.#parts
    const image = images.find(container.record.imageId)
    const layers = image ? images.layers(image) : []
    const user = containerUser(this.#parts, container, layers, body.User || container.record.config.User)
    this.#forgetOld()
    const exec: Exec = {
      id: newId(),
      container,
      body,
      user,
      started: false,
      process: undefined,
      exitCode: null,
      pid: 0,
      endedAt: undefined,
    }
    this.#execs.set(exec.id, exec)
    container.execs.add(exec.id)
    tell(this.#parts, container, `exec_create: ${body.Cmd.join(' ')}`, { execID: exec.id })
    return exec
  }

  async #start(exec: Exec, attach: ExecStreams | undefined, size: readonly [number, number]): Promise<Supervised> {
    const { container } = exec
    if (container.state.status === 'paused')
      throw new Failure('conflict', `Container ${container.name} is paused, unpause the container before exec`)
    if (!container.running) throw new Failure('conflict', `container ${container.id} is not running`)
    exec.started = true
    const directory = this.#parts.paths.exec(container.id, exec.id)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    tell(this.#parts, container, `exec_start: ${(exec.body.Cmd ?? []).join(' ')}`, { execID: exec.id })
    let process: Supervised
    try {
      process = await this.#parts.runtime.start(execSpec(exec, { directory, attach, size }))
    } catch (error) {
      exec.endedAt = Date.now()
      await rm(directory, { recursive: true, force: true })
      throw error
    }
    exec.process = process
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

  #forget(exec: Exec): void {
    this.#execs.delete(exec.id)
    exec.container.execs.delete(exec.id)
  }

  #forgetOld(): void {
    const before = Date.now() - keptFor
    for (const exec of this.#execs.values()) if (exec.endedAt !== undefined && exec.endedAt < before) this.#forget(exec)
  }
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
