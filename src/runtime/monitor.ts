/** Starts monitors and follows them: a program in, a supervised process out. */
import { closeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { debug } from '../lib/debug.ts'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { Control } from './control.ts'
import { stepFailure } from './failure.ts'
import { openMonitor, requestMonitor, startNursery } from './native.ts'
import { encode, type Program } from './program.ts'
import { reach } from './reach.ts'
import type { Attachment, AttachStreams, Exit, LastSeen, Supervised } from './runtime.ts'

const log = debug('runtime')

/** The process that monitors are forked from, and the sealed copy of the program it runs. */
export class Nursery {
  readonly #executable: number
  readonly #title: string
  readonly #group: string | undefined
  #socket: number

  /** `group`: the file by which it enters a cgroup, its monitors with it; ours when undefined. */
  constructor(title: string, group?: string) {
    this.#title = title
    this.#group = group
    this.#executable = openMonitor()
    this.#socket = this.#start()
  }

  #start(): number {
    return startNursery(this.#executable, { title: this.#title, group: this.#group })
  }

  /** Our end of a new monitor's socket. A nursery that was killed is replaced. */
  request(): number {
    try {
      return requestMonitor(this.#socket)
    } catch (error) {
      if (errnoOf(error) !== 'EPIPE') throw error
      closeSync(this.#socket)
      this.#socket = this.#start()
      return requestMonitor(this.#socket)
    }
  }

  /** Its monitors live on. */
  close(): void {
    closeSync(this.#socket)
    closeSync(this.#executable)
  }
}

/**
 * Runs a program and returns its first report. `onYield`: called where it yields. @throws Failure of the step that failed, or what `onYield`
 * has thrown; the monitor has undone the rest.
 */
export async function launch(
  nursery: Nursery,
  program: Program,
  onYield: () => Promise<void> = async () => undefined,
): Promise<{ readonly control: Control; readonly pid: number; readonly at: Date }> {
  const control = Control.over(nursery.request())
  control.sendProgram(encode(program))
  if (await control.yielded)
    try {
      await onYield()
      control.goOn()
    } catch (error) {
      control.giveUp()
      await control.first
      control.close()
      throw error
    }
  const first = await control.first
  if (first.kind === 'started') return { control, pid: first.pid, at: first.at }
  control.close()
  if (first.kind === 'failed') throw stepFailure(program, first.step, first.errno)
  throw new Failure('internal', 'Cannot start: the monitor ended without a report')
}

/** `exit.json`, as the monitor wrote it; undefined when there is none. */
export async function readExit(directory: string): Promise<Exit | undefined> {
  let text: string
  try {
    text = await readFile(`${directory}/exit.json`, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined
    throw new Failure('internal', `Cannot read "${directory}/exit.json": ${messageOf(error)}`, { cause: error })
  }
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch (cause) {
    throw new Failure('internal', `Cannot read "${directory}/exit.json": it is not JSON`, { cause })
  }
  const { version, code, signal, oomKilled, finishedAt } = (record ?? {}) as Readonly<Record<string, unknown>>
  if (version !== 1 || typeof code !== 'number' || Number.isNaN(Date.parse(String(finishedAt))))
    throw new Failure('internal', `Cannot read "${directory}/exit.json": it is no exit record of version 1`)
  return {
    kind: 'exited',
    code,
    signal: typeof signal === 'number' && signal > 0 ? signal : undefined,
    oomKilled: oomKilled === true,
    finishedAt: new Date(String(finishedAt)),
  }
}

/** A monitor that was killed takes its process with it: the kernel sends that one SIGKILL. */
function lostExit(): Exit {
  return { kind: 'exited', code: 137, signal: 9, oomKilled: false, finishedAt: new Date() }
}

function attachmentOver(control: Control, finish: () => void): Attachment {
  return {
    output: control.output(),
    write: chunk => control.write(chunk),
    end: () => control.endInput(),
    close: finish,
  }
}

export interface RunningOptions {
  readonly pid: number
  readonly at: Date
  readonly directory: string
  /** The process's; undefined where it is not known. */
  readonly cgroup: string | undefined
  /** What the first connection, an attachment too, carries. */
  readonly attach: AttachStreams | undefined
  /** Hears of what was gone and is there again. */
  readonly say: (line: string) => void
}

/** A running process behind its monitor. */
export class Running implements Supervised {
  readonly kind = 'running'
  readonly pid: number
  readonly startedAt: Date
  readonly exited: Promise<Exit>
  readonly attached: Attachment | undefined
  readonly #control: Control
  readonly #options: RunningOptions
  #ended = false
  /** A connection for signals, where the first one carries input: they would wait behind what the process does not read. */
  #signals: Promise<Control | undefined> | undefined
  readonly #carriesInput: boolean

  constructor(control: Control, options: RunningOptions) {
    this.#control = control
    this.#options = options
    this.pid = options.pid
    this.startedAt = options.at
    this.#carriesInput = options.attach?.stdin ?? false
    this.attached = options.attach ? attachmentOver(control, () => control.detach()) : undefined
    this.exited = this.#follow()
  }

  async #follow(): Promise<Exit> {
    const exit = (await this.#control.exit) ?? (await readExit(this.#options.directory)) ?? lostExit()
    this.#ended = true
    void this.#signals?.then(control => control?.close())
    return exit
  }

  signal(number: number): void {
    if (this.#ended) throw new Failure('conflict', `Cannot signal process ${this.pid}: it has ended`)
    if (!this.#carriesInput) {
      this.#control.signal(number)
      return
    }
    this.#signals ??= this.#connect().catch(error => {
      log('no second connection to %d: %s', this.pid, messageOf(error))
      return undefined
    })
    void this.#signals.then(control => (control ?? this.#control).signal(number))
  }

  resize(rows: number, columns: number): void {
    if (!this.#ended) this.#control.resize(rows, columns)
  }

  async attach(streams: AttachStreams): Promise<Attachment> {
    const control = await this.#connect()
    if (control === undefined || (await control.first).kind !== 'started')
      throw new Failure('conflict', `Cannot attach to process ${this.pid}: it has ended`)
    control.attach(streams)
    return attachmentOver(control, () => control.leave())
  }

  #connect(): Promise<Control | undefined> {
    const { directory, cgroup, say } = this.#options
    return reach(directory, { last: cgroup === undefined ? undefined : { pid: this.pid, cgroup }, say })
  }

  /** Lets go of the connection; the process and its monitor stay. */
  release(): void {
    this.#control.close()
    void this.#signals?.then(control => control?.close())
  }
}

/** Connects to the monitor that works in `directory`, or reads what it left. */
export async function findMonitor(
  directory: string,
  { last, say }: { readonly last: LastSeen | undefined; readonly say: (line: string) => void },
): Promise<Running | Exit | undefined> {
  const control = await reach(directory, { last, say })
  const first = await control?.first
  if (control !== undefined && first?.kind === 'started')
    return new Running(control, {
      pid: first.pid,
      at: first.at,
      directory,
      cgroup: last?.cgroup,
      attach: undefined,
      say,
    })
  control?.close()
  return await readExit(directory)
}
