/** The seam between engine and kernel: what the engine calls and tests replace. */
import type { LimitName, Limits } from './parts/cgroup-limits.ts'
import type { CgroupSpec, ContainerSpec, ExecSpec, HostSpec } from './spec.ts'

export interface Runtime {
  /**
   * Starts a container or an exec and resolves when its program has been exec'ed.
   * @throws Failure with the step, its object and errno in words; exitCode 127 or 126 when the command is at fault. Everything the program did is undone.
   */
  start(spec: ContainerSpec | ExecSpec, options?: StartOptions): Promise<Supervised>

  /**
   * Finds a monitor again by its folder after an engine restart: alive, or what it recorded.
   * Undefined when there is neither (the machine rebooted, the monitor was killed).
   * @throws Failure `internal` when what it recorded cannot be read.
   */
  adopt(directory: string, last?: LastSeen): Promise<Supervised | Exit | undefined>

  /** Whether a network namespace is kept at this path. */
  hasSandbox(path: string): boolean

  /** @throws Failure naming the operation that failed. */
  runHost(spec: HostSpec): Promise<void>

  /** The program of a spec, a line a step, with the cause of each. */
  explain(spec: ContainerSpec | ExecSpec): readonly ProgramLine[]

  /** Memory, cpu, pids, block I/O and pause; by cgroup path, on v1 and v2. */
  readonly cgroups: Cgroups

  close(): Promise<void>
}

/** `17 child bind "/vol/data" "/var/lib/db" rec   # HostConfig.Mounts[0]`, in its parts. */
export interface ProgramLine {
  readonly phase: 'host' | 'child'
  readonly text: string
  /** The API field behind the step ("HostConfig.Memory", "Image") or a default's name. */
  readonly cause: string
  /** Of the table of steps. */
  readonly name: string
  readonly args: Readonly<Record<string, ProgramArgument>>
}

/** Numbers that have a name by it, bytes as hexadecimal digits. */
export type ProgramArgument = string | number | readonly string[]

/** A process as it was last known; its pid may be another's by now, its cgroup not. */
export interface LastSeen {
  readonly pid: number
  readonly cgroup: string
}

export interface StartOptions {
  readonly signal?: AbortSignal | undefined
  /**
   * Of a container whose new network namespace `yields`: called when that stands, with its interfaces, and nothing runs in it yet. What this
   * throws is the start's failure.
   */
  readonly onSandbox?: (() => Promise<void>) | undefined
}

/** A process that a monitor supervises. */
export interface Supervised {
  readonly kind: 'running'
  /** On the host. */
  readonly pid: number
  readonly startedAt: Date
  /** Resolves once, after all output has been logged and delivered. */
  readonly exited: Promise<Exit>
  /** @throws Failure `conflict` when it has ended. */
  signal(number: number): void
  resize(rows: number, columns: number): void
  /** A connection of its own to the monitor; output from now on. */
  attach(streams: AttachStreams): Promise<Attachment>
  /** The attachment asked for in StdioSpec.attach: every byte from the first. */
  readonly attached: Attachment | undefined
}

export interface AttachStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
}

export interface Attachment {
  /** Output in the order written; ends when the process has ended and its output is drained. Not reading holds the process back. */
  readonly output: AsyncIterable<OutputChunk>
  /** Resolves when the monitor has taken it. */
  write(chunk: Uint8Array): Promise<void>
  /** End of the process's stdin when stdinOnce is set. */
  end(): void
  /** Detach; the process goes on. */
  close(): void
}

/** With a terminal everything is stdout. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr'
  readonly data: Buffer
}

export interface Exit {
  readonly kind: 'exited'
  /** 0–255; 128 + signal when killed by one. */
  readonly code: number
  readonly signal: number | undefined
  readonly oomKilled: boolean
  readonly finishedAt: Date
}

export interface Cgroups {
  /** Live change of limits; only members that are present are written. */
  update(path: string, limits: Limits): Promise<void>
  /** Why this machine cannot set a limit, in words; undefined when it can. */
  lacking(limit: LimitName): string | undefined
  /** Why there are no groups at all, so that no limit is in force and nothing is counted; undefined where there are. */
  readonly none: string | undefined
  /** Whether there is such a group in any hierarchy. */
  exists(path: string): boolean
  /** Names of the groups right below one, in any hierarchy. */
  below(path: string): readonly string[]
  /** Whether it is there in every hierarchy. */
  isWhole(path: string): boolean
  /** Makes it again where it is gone, with its limits, and puts the processes of the container whose first is `pid` back. */
  restore(spec: CgroupSpec, options: { readonly privileged: boolean; readonly pid: number }): Promise<void>
  freeze(path: string): Promise<void>
  thaw(path: string): Promise<void>
  /** Takes its quota of processor time away, and no other limit. @throws Failure `not-found` when the group has gone */
  unthrottle(path: string): Promise<void>
  /** Host pids of all processes of the container whose first is `pid`; without one, of the group. */
  processes(path: string, pid?: number): Promise<readonly number[]>
  stats(path: string): Promise<CgroupStats>
  /** Which hierarchy and what it can do, for `info`. */
  readonly version: 1 | 2
  /** Who manages it: systemd, which then gives us room below a scope of its, or nobody but us. */
  readonly driver: 'cgroupfs' | 'systemd'
}

/** How long, in microseconds and as a share of the last 10, 60 and 300 seconds, some or all tasks waited. */
export interface Pressure {
  readonly some: PressureShares
  /** Of all tasks at once. */
  readonly full: PressureShares | undefined
}

export interface PressureShares {
  /** In percent. */
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
  /** In microseconds. */
  readonly total: number
}

/** Bytes and nanoseconds; undefined where the kernel does not tell. */
export interface CgroupStats {
  readonly memory: {
    readonly usage: number
    readonly maxUsage: number | undefined
    readonly limit: number
    readonly stats: Readonly<Record<string, number>>
  }
  readonly cpu: {
    readonly total: number
    readonly user: number
    readonly system: number
    readonly perCpu: readonly number[]
    readonly throttled: { readonly periods: number; readonly throttledPeriods: number; readonly throttledTime: number }
  }
  readonly pids: { readonly current: number; readonly limit: number | undefined }
  readonly blkio: readonly {
    readonly major: number
    readonly minor: number
    readonly op: string
    readonly value: number
  }[]
  /** What its tasks waited for: on v2. */
  readonly pressure?: {
    readonly cpu: Pressure | undefined
    readonly memory: Pressure | undefined
    readonly io: Pressure | undefined
  }
}
