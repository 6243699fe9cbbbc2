/** Named and anonymous volumes: records, and the folder or mount behind each. */
import type { HostPath } from '../../runtime/spec.ts'
import type { Events } from '../base/events.ts'
import type { Paths } from '../base/paths.ts'

export interface Volume {
  readonly name: string
  readonly driver: 'local'
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly created: Date
  readonly mountpoint: HostPath
}

export interface VolumeCreate {
  /** Empty or undefined: an anonymous volume, 64 hex digits. */
  readonly name?: string | undefined
  readonly driver?: string | undefined
  readonly driverOpts?: Readonly<Record<string, string>> | null | undefined
  readonly labels?: Readonly<Record<string, string>> | null | undefined
}

/** What a container mounts for a volume: a folder of ours or another's to bind, or a tmpfs. */
export type VolumeSource =
  | { readonly kind: 'bind'; readonly source: HostPath; readonly flags: readonly string[]; readonly readonly: boolean }
  | { readonly kind: 'tmpfs'; readonly data: string; readonly flags: readonly string[] }

export interface VolumeRemove {
  /** A missing volume is fine. */
  readonly force?: boolean
  readonly usedBy: (name: string) => readonly string[]
}

export class Volumes {
  static async open(_paths: Paths, _events: Events): Promise<Volumes> {
    throw new Error('stub')
  }
  create(_options: VolumeCreate): Promise<Volume> {
    throw new Error('stub')
  }
  get(_name: string): Volume {
    throw new Error('stub')
  }
  find(_name: string): Volume | undefined {
    throw new Error('stub')
  }
  list(): readonly Volume[] {
    throw new Error('stub')
  }
  remove(_name: string, _options: VolumeRemove): Promise<void> {
    throw new Error('stub')
  }
  mountpoint(_name: string): HostPath {
    throw new Error('stub')
  }
  source(_name: string): VolumeSource {
    throw new Error('stub')
  }
  /** Copies what the image has at `path` into the volume when that is empty, owner and mode of the folder included. */
  populate(_name: string, _layers: readonly HostPath[], _path: string): Promise<void> {
    throw new Error('stub')
  }
}
