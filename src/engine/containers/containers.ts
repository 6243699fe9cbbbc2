/** The collection of containers: finds one by id, name or prefix, and hands each verb what it needs. */
import type { Archive, Output, PathStat, Session } from '../../api/endpoint.ts'
import type { Filters } from '../../api/filters.ts'
import type { ContainerCreate } from '../../api/container-body.ts'
import type { ContainerInspect, ContainerStats, ContainerSummary } from '../../api/containers.ts'
import type { Container } from './container.ts'

export interface ListOptions {
  readonly all?: boolean
  readonly limit?: number
  readonly size?: boolean
  readonly filters?: Filters
}
export interface StopOptions {
  /** Seconds of grace; undefined: the container's own, else 10; -1: for ever. */
  readonly timeout?: number
  /** Name or number; undefined: the container's own, else SIGTERM. */
  readonly signal?: string
}
export interface AttachOptions {
  readonly stream: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly logs: boolean
  readonly detachKeys?: string
}
export interface LogsOptions {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow?: boolean
  /** "all", "" or a number of lines. */
  readonly tail?: string
  /** Nanoseconds since the epoch. */
  readonly since?: bigint
  readonly until?: bigint
  readonly timestamps?: boolean
  readonly details?: boolean
  readonly signal: AbortSignal
}
export interface WaitReply {
  readonly StatusCode: number
  readonly Error?: { readonly Message: string }
}

const later = (): never => {
  throw new Error('being written')
}

export class Containers {
  /** By full id, exact name (with or without slash), unique id prefix. @throws Failure not-found, or invalid when ambiguous. */
  get(_ref: string): Container {
    return later()
  }
  find(_ref: string): Container | undefined {
    return later()
  }
  async list(_options: ListOptions): Promise<ContainerSummary[]> {
    return later()
  }
  async create(_options: {
    readonly name?: string
    readonly platform?: string
    readonly body: ContainerCreate
  }): Promise<{ Id: string; Warnings: string[] }> {
    return later()
  }
  async inspect(_ref: string, _options: { readonly size?: boolean } = {}): Promise<ContainerInspect> {
    return later()
  }
  async start(_ref: string, _options: { readonly signal?: AbortSignal } = {}): Promise<void> {}
  async stop(_ref: string, _options: StopOptions = {}): Promise<void> {}
  async restart(_ref: string, _options: StopOptions = {}): Promise<void> {}
  async kill(_ref: string, _signal = 'SIGKILL'): Promise<void> {}
  async remove(_ref: string, _options: { readonly force?: boolean; readonly volumes?: boolean; readonly link?: boolean }) {}
  async rename(_ref: string, _name: string): Promise<void> {}
  /** Throws before the first item when there is no such container, so that headers can go out at once. */
  wait(_ref: string, _options: { readonly condition?: string; readonly signal: AbortSignal }): AsyncIterable<WaitReply> {
    return later()
  }
  async pause(_ref: string): Promise<void> {}
  async unpause(_ref: string): Promise<void> {}
  async update(_ref: string, _body: unknown): Promise<{ Warnings: string[] | null }> {
    return later()
  }
  async prune(_filters: Filters): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
    return later()
  }
  async attach(_ref: string, _options: AttachOptions): Promise<Session> {
    return later()
  }
  async resize(_ref: string, _size: { readonly rows: number; readonly columns: number }): Promise<void> {}
  async logs(_ref: string, _options: LogsOptions): Promise<Output> {
    return later()
  }
  async top(_ref: string, _psArgs?: string): Promise<{ Titles: string[]; Processes: string[][] }> {
    return later()
  }
  /** One sample, or one a second while `stream`. */
  stats(
    _ref: string,
    _options: { readonly stream: boolean; readonly oneShot?: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<ContainerStats> {
    return later()
  }
  async statPath(_ref: string, _path: string): Promise<PathStat> {
    return later()
  }
  async readArchive(_ref: string, _path: string): Promise<Archive> {
    return later()
  }
  async writeArchive(
    _ref: string,
    _options: {
      readonly path: string
      readonly noOverwriteDirNonDir?: boolean
      readonly copyUIDGID?: boolean
      readonly content: AsyncIterable<Uint8Array>
    },
  ): Promise<void> {}
  async changes(_ref: string): Promise<Array<{ Path: string; Kind: 0 | 1 | 2 }>> {
    return later()
  }
  /** The program that runs it, or would: what `explain` prints. */
  async program(_ref: string): Promise<{ Lines: Array<{ Phase: string; Text: string; Cause: string }> }> {
    return later()
  }
  /** For `images.remove`. */
  usersOfImage(_imageId: string): Array<{ id: string; name: string; running: boolean }> {
    return later()
  }
  /** For `volumes.remove`: ids of the containers that mount it. */
  usersOfVolume(_name: string): string[] {
    return later()
  }
}
