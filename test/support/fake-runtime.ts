/** A Runtime without a kernel: processes are objects a test writes with and ends. */
import { Failure } from '../../src/lib/failure.ts'
import type {
  Attachment,
  CgroupStats,
  Exit,
  OutputChunk,
  ProgramLine,
  Runtime,
  StartOptions,
  Supervised,
} from '../../src/runtime/runtime.ts'
import type { ContainerSpec, ExecSpec, HostOperation, HostSpec } from '../../src/runtime/spec.ts'

/** A process that a test plays. */
export class FakeProcess implements Supervised {
  readonly kind = 'running'
  readonly pid: number
  readonly startedAt = new Date()
  readonly exited: Promise<Exit>
  readonly attached: Attachment | undefined
  readonly spec: ContainerSpec | ExecSpec
  /** What it was sent. */
  readonly signals: number[] = []
  readonly input: string[] = []
  inputEnded = false
  size: readonly [number, number] | undefined
  /** Signals that it dies of; SIGKILL always is one. */
  deadly: readonly number[] = [15, 9]
  readonly #exit = Promise.withResolvers<Exit>()
  readonly #outputs = new Set<Output>()
  #ended = false

  constructor(spec: ContainerSpec | ExecSpec, pid: number) {
    this.spec = spec
    this.pid = pid
    this.exited = this.#exit.promise
    this.attached = spec.stdio.attach ? this.#attachment() : undefined
  }

  write(text: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    for (const output of this.#outputs) output.push({ stream, data: Buffer.from(text) })
  }

  end(code: number, more: Partial<Exit> = {}): void {
    if (this.#ended) return
    this.#ended = true
    for (const output of this.#outputs) output.end()
    this.#exit.resolve({ kind: 'exited', code, signal: undefined, oomKilled: false, finishedAt: new Date(), ...more })
  }

  signal(number: number): void {
    if (this.#ended) throw new Failure('conflict', `Cannot signal process ${this.pid}: it has ended`)
    this.signals.push(number)
    if (number === 9 || this.deadly.includes(number)) this.end(128 + number, { signal: number })
  }

  resize(rows: number, columns: number): void {
    this.size = [rows, columns]
  }

  async attach(): Promise<Attachment> {
    return this.#attachment()
  }

  #attachment(): Attachment {
    const output = new Output()
    this.#outputs.add(output)
    return {
      output,
      write: async chunk => {
        this.input.push(Buffer.from(chunk).toString())
      },
      end: () => {
        this.inputEnded = true
      },
      close: () => {
        this.#outputs.delete(output)
        output.end()
      },
    }
  }
}

class Output implements AsyncIterable<OutputChunk> {
  readonly #chunks: OutputChunk[] = []
  #ended = false
  #wake = Promise.withResolvers<void>()

  push(chunk: OutputChunk): void {
    this.#chunks.push(chunk)
    this.#wake.resolve()
  }

  end(): void {
    this.#ended = true
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) yield chunk
      else if (this.#ended) return
      else {
        this.#wake = Promise.withResolvers()
        await this.#wake.promise
      }
    }
  }
}

export class FakeRuntime implements Runtime {
  /** In the order they were started. */
  readonly processes: FakeProcess[] = []
  readonly operations: HostOperation[] = []
  readonly frozen = new Set<string>()
  readonly unthrottled = new Set<string>()
  readonly updates: object[] = []
  /** What `adopt` finds, by folder. */
  readonly found = new Map<string, FakeProcess | Exit>()
  /** Called for each start; what it throws is the start's failure. */
  onOperation: (operation: HostOperation) => void = () => undefined
  onStart: (process: FakeProcess) => void = () => undefined
  #pid = 1000

  get last(): FakeProcess {
    return this.processes.at(-1)!
  }

  async start(spec: ContainerSpec | ExecSpec, { signal, onSandbox }: StartOptions = {}): Promise<Supervised> {
    signal?.throwIfAborted()
    if (spec.kind === 'container' && spec.network.kind === 'create') {
      const { path, interfaces } = spec.network
      this.onOperation({ kind: 'create-sandbox', path, interfaces })
      if (spec.network.yields) await onSandbox?.()
    }
    const process = new FakeProcess(spec, ++this.#pid)
    this.onStart(process)
    this.processes.push(process)
    this.found.set(spec.supervise.directory, process)
    void process.exited.then(exit => this.found.set(spec.supervise.directory, exit))
    return process
  }

  async adopt(directory: string): Promise<Supervised | Exit | undefined> {
    return this.found.get(directory)
  }

  /** Kernel objects that are to be gone. */
  readonly gone = new Set<string>()

  hasSandbox(path: string): boolean {
    return !this.gone.has(path)
  }

  async runHost(spec: HostSpec): Promise<void> {
    this.operations.push(...spec.operations)
    for (const operation of spec.operations) this.onOperation(operation)
  }

  explain(spec: ContainerSpec | ExecSpec): readonly ProgramLine[] {
    const { args } = spec.process
    return [{ phase: 'child', text: `exec ${args.join(' ')}`, cause: 'Cmd', name: 'exec', args: { argv: args } }]
  }

  /** Groups that are said to be left over. */
  readonly groups = new Set<string>()
  /** Limits that this machine is said to lack, each with the reason. */
  readonly lacks = new Map<string, string>()
  readonly cgroups: Runtime['cgroups'] = {
    driver: 'cgroupfs',
    lacking: limit => this.lacks.get(limit),
    none: undefined,
    exists: path => this.groups.has(path),
    below: path =>
      [...this.groups].filter(group => group.startsWith(`${path}/`)).map(group => group.slice(path.length + 1)),
    isWhole: path => !this.gone.has(path),
    restore: async ({ path }) => {
      this.gone.delete(path)
    },
    version: 1,
    update: async (_path, limits) => {
      this.updates.push(limits)
    },
    freeze: async path => {
      this.frozen.add(path)
    },
    thaw: async path => {
      this.frozen.delete(path)
    },
    unthrottle: async path => {
      this.unthrottled.add(path)
    },
    processes: async () => [],
    stats: async () => stats,
  }

  async close(): Promise<void> {}
}

const stats: CgroupStats = {
  memory: { usage: 4096, maxUsage: 8192, limit: 2 ** 62, stats: { cache: 0 } },
  cpu: {
    total: 5_000_000,
    user: 3_000_000,
    system: 2_000_000,
    perCpu: [5_000_000],
    throttled: { periods: 0, throttledPeriods: 0, throttledTime: 0 },
  },
  pids: { current: 1, limit: undefined },
  blkio: [],
}
