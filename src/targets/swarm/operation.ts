/** What can be done in a swarm: one API call each, or one wait, every one with its cause. */
import type { NetworkCreate } from '../../api/networks.ts'
import type { ServiceSpec, SwarmFileSpec } from '../../api/swarm-objects.ts'
import type { Change } from '../../plan/change.ts'
import type { Ref } from '../../plan/operation.ts'

/** The bytes of a secret or config: the text, or a file of this machine that is read when it is needed. */
export type Content = { readonly text: string } | { readonly file: string }

/** Secrets and configs that a service names, by their name: its id, or the node that makes it. */
export interface FileRefs {
  readonly secrets: Readonly<Record<string, Ref>>
  readonly configs: Readonly<Record<string, Ref>>
}

/** started: as many tasks run as are wanted, and each that has a check is healthy. completed: its tasks have ended with 0. */
export const waitConditions = ['started', 'completed'] as const
export type WaitCondition = (typeof waitConditions)[number]

interface Thing {
  readonly cause: string
  readonly name: string
}
interface OfService extends Thing {
  /** Its key in the stack. */
  readonly service: string
}

export type SwarmOperation =
  | ({ readonly kind: 'create-network'; readonly body: NetworkCreate } & Thing)
  | ({
      readonly kind: 'create-secret' | 'create-config'
      readonly file: FileToMake
    } & Thing)
  | ({
      readonly kind: 'remove-network' | 'remove-secret' | 'remove-config'
      readonly id: string
    } & Thing)
  | ({
      readonly kind: 'create-service'
      readonly spec: ServiceSpec
      readonly files: FileRefs
    } & OfService)
  | ({
      readonly kind: 'update-service'
      readonly id: string
      /** Of what the plan was made of: whoever else has changed it meanwhile is not overwritten. */
      readonly version: number
      readonly spec: ServiceSpec
      readonly files: FileRefs
      readonly changes: readonly Change[]
      /** Its tasks are replaced, one after the other by its update_config. */
      readonly replaces: boolean
    } & OfService)
  | ({ readonly kind: 'remove-service'; readonly id: string } & OfService)
  | ({
      readonly kind: 'wait-service'
      readonly target: Ref
      readonly condition: WaitCondition
      /** When the update before this one began, whose end tells nothing. */
      readonly before: string | undefined
      readonly required: boolean
      readonly stack: string
    } & OfService)
  /** Until the last of its tasks has ended, which hold networks. */
  | ({ readonly kind: 'wait-gone'; readonly id: string; readonly stack: string } & OfService)

export interface FileToMake {
  readonly spec: SwarmFileSpec
  /** Undefined where a driver has it. */
  readonly content: Content | undefined
  /** Hex, of the content that the name stands for. */
  readonly sha256: string | undefined
}
