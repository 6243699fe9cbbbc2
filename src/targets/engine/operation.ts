/** What a plan for an engine consists of: operations, one API call each, every one with its cause. */
import type { ContainerCreate, ContainerUpdate, EndpointSettings } from '../../api/container-body.ts'
import type { NetworkCreate } from '../../api/networks.ts'
import type { VolumeCreate } from '../../api/volumes.ts'
import type { Place } from '../../lib/problems.ts'
import type { Change } from '../../plan/change.ts'
import type { Ref } from '../../plan/operation.ts'
import type { BuildOrder } from './plan/build-order.ts'

/** A member of a body that is known only when an earlier node has run: text before it, the result, text after it. */
export interface Late {
  readonly path: readonly string[]
  readonly ref: Ref
  readonly before: string
  readonly after: string
  /** One more entry of the list at `path`. */
  readonly list?: boolean
}

/** A file to be put into a created container before its start. */
export interface FileUpload {
  /** Absolute path in the container. */
  readonly target: string
  /** The text itself, or the absolute path of a file of this machine, read when it is needed. */
  readonly content: string | { readonly file: string }
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** A command of a service's post_start or pre_stop. */
export interface PlannedHook {
  readonly command: readonly string[]
  /** NAME=VALUE. */
  readonly environment: readonly string[]
  readonly user: string | undefined
  readonly workingDir: string | undefined
  readonly privileged: boolean
}

/**
 * healthy: its check says so. completed: it ended with 0. ready, for `--wait`: healthy if it has a check, otherwise running; or it ended
 * with 0, and its restart policy leaves it at that. serving, in updates: as ready, but that it must neither end nor be started again.
 */
export const waitConditions = ['healthy', 'completed', 'ready', 'serving'] as const
export type WaitCondition = (typeof waitConditions)[number]

interface OnContainer {
  readonly cause: string
  /** Its name once the plan is done, for people. */
  readonly name: string
  /** Undefined for one that is no service's. */
  readonly service: string | undefined
  readonly container: Ref
}

export type Operation =
  | {
      readonly kind: 'create-network'
      readonly cause: string
      readonly name: string
      readonly body: NetworkCreate
      /** Of one that is made anew. */
      readonly changes?: readonly Change[]
    }
  | { readonly kind: 'remove-network'; readonly cause: string; readonly name: string; readonly id: string }
  | {
      readonly kind: 'create-volume'
      readonly cause: string
      readonly name: string
      readonly body: VolumeCreate
      readonly changes?: readonly Change[]
    }
  | { readonly kind: 'remove-volume'; readonly cause: string; readonly name: string }
  | {
      readonly kind: 'pull-image'
      readonly cause: string
      readonly name: string
      readonly platform: string | undefined
      /** The services that use it. */
      readonly services: readonly string[]
    }
  | {
      readonly kind: 'build-image'
      readonly cause: string
      readonly name: string
      /** The services that use it; the first is the one whose "build" it is. */
      readonly services: readonly string[]
      readonly order: BuildOrder
      /** Of "build" in the stack. */
      readonly place: () => Place | undefined
    }
  | { readonly kind: 'remove-image'; readonly cause: string; readonly name: string }
  | {
      readonly kind: 'create-container'
      readonly cause: string
      readonly name: string
      readonly service: string
      /** What it is created as: `name`, or a temporary name while the one it replaces still has it. */
      readonly createName: string
      readonly platform: string | undefined
      readonly body: ContainerCreate
      readonly late: readonly Late[]
      /** In what it differs from the one it replaces. */
      readonly changes?: readonly Change[]
    }
  /** Limits and restart policy, on the container as it is. */
  | ({
      readonly kind: 'update-container'
      readonly update: ContainerUpdate
      readonly changes: readonly Change[]
    } & OnContainer)
  | ({ readonly kind: 'upload-files'; readonly files: readonly FileUpload[] } & OnContainer)
  /** `successorOf`: a running container whose ports and names it does without until it takes over. */
  | ({ readonly kind: 'start-container'; readonly successorOf?: Ref } & OnContainer)
  | ({ readonly kind: 'run-hook'; readonly phase: 'post_start' | 'pre_stop'; readonly hook: PlannedHook } & OnContainer)
  /** A container that is made, run to its end and removed, before `container` starts. `once`: before any of the service does. */
  | ({
      readonly kind: 'run-init'
      readonly once: boolean
      readonly service: string
      readonly platform: string | undefined
      readonly body: ContainerCreate
      readonly late: readonly Late[]
      readonly files: readonly FileUpload[]
    } & OnContainer)
  | ({ readonly kind: 'unpause-container' } & OnContainer)
  | ({ readonly kind: 'pause-container' } & OnContainer)
  | ({ readonly kind: 'wait-container'; readonly condition: WaitCondition; readonly required: boolean } & OnContainer)
  /** `timeout` in seconds; undefined: the container's own. */
  | ({ readonly kind: 'stop-container'; readonly timeout: number | undefined } & OnContainer)
  | ({ readonly kind: 'restart-container'; readonly timeout: number | undefined } & OnContainer)
  | ({ readonly kind: 'kill-container'; readonly signal: string } & OnContainer)
  /** `to`: another name than the one it has once the plan is done. */
  | ({ readonly kind: 'rename-container'; readonly to?: string } & OnContainer)
  /** The ports and names of `from` are its own from now on. */
  | ({ readonly kind: 'take-over'; readonly from: Ref } & OnContainer)
  /** Its connections end before it does; `timeout` in seconds at most, undefined: its own grace. */
  | ({ readonly kind: 'drain-container'; readonly timeout: number | undefined } & OnContainer)
  /** Whether it goes on well for so long. */
  | ({ readonly kind: 'monitor-container'; readonly milliseconds: number } & OnContainer)
  /** Between two batches of an update. */
  | {
      readonly kind: 'delay'
      readonly cause: string
      /** The service. */
      readonly name: string
      readonly service: string
      readonly milliseconds: number
    }
  /** `network` by its name, which stays when it is made anew. `changes`: when it is done for its own sake. */
  | ({
      readonly kind: 'connect-network'
      readonly network: string
      readonly endpoint: EndpointSettings
      readonly changes?: readonly Change[]
    } & OnContainer)
  | ({
      readonly kind: 'disconnect-network'
      readonly network: string
      readonly changes?: readonly Change[]
    } & OnContainer)
  /** `volumes`: its anonymous volumes too. */
  | ({
      readonly kind: 'remove-container'
      readonly force: boolean
      readonly volumes: boolean
      /** What it has printed stays to be read, where the engine can do that. */
      readonly keepsLog?: boolean
    } & OnContainer)

export type OperationKind = Operation['kind']
