/** What is there of a stack in a swarm, as its plan needs it. */
import type { NetworkInspect } from '../../api/networks.ts'
import type { SwarmFile, SwarmNode, SwarmService, SwarmTask } from '../../api/swarm-objects.ts'

export interface ObservedSwarm {
  /** Of the stack, by their names. */
  readonly services: ReadonlyMap<string, SwarmService>
  /** All of the swarm's and the node's own, by name: what is external counts too. */
  readonly networks: ReadonlyMap<string, NetworkInspect>
  readonly secrets: ReadonlyMap<string, SwarmFile>
  readonly configs: ReadonlyMap<string, SwarmFile>
  /** Digest of each image whose registry has told it: "sha256:…". */
  readonly digests: ReadonlyMap<string, string>
  /** sha256 in hex of each file behind a config or secret. */
  readonly files: ReadonlyMap<string, string>
  /** JSON of each readable profile of seccomp that a service names, by path. */
  readonly profiles: ReadonlyMap<string, string>
  /** Of the stack; empty for a plan. */
  readonly tasks: readonly SwarmTask[]
  /** By id. */
  readonly nodes: ReadonlyMap<string, SwarmNode>
}
