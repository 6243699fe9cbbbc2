/** What a build is asked for, whoever asked: the classic endpoint, or BuildKit's. Everything of the client is behind functions. */

import type { Limits } from '../../runtime/parts/cgroup-limits.ts'
import type { HostPath, RlimitSpec } from '../../runtime/spec.ts'
import type { RegistryAuth } from '../images/auth.ts'
import type { Digest } from '../images/digest.ts'
import type { Kept } from './run-command.ts'

export interface BuildRequest {
  /** Its path inside the Dockerfile's context; "Dockerfile" by default. */
  readonly dockerfile: string
  /** "" builds the last stage. */
  readonly target: string
  /** Undefined: taken from nowhere, as if it had not been given. */
  readonly args: ReadonlyMap<string, string>
  readonly labels: ReadonlyMap<string, string>
  /** Names of the image, familiar; none makes an image without a name. */
  readonly tags: readonly string[]
  /** The image goes when whoever built it lets go of it (`Images.letGo`), unless somebody else wants it meanwhile. */
  readonly loose?: boolean
  /** "linux/amd64"; undefined is the machine's own. */
  readonly platform: string | undefined
  /** True for all steps, or those of the stages named. */
  readonly noCache: boolean | readonly string[]
  /** Ask the registry also for base images that are here. */
  readonly pull: boolean
  readonly network: 'default' | 'none' | 'host' | (string & {})
  readonly extraHosts: readonly { readonly host: string; readonly address: string }[]
  /** Bytes. */
  readonly shmSize: number | undefined
  readonly ulimits: readonly RlimitSpec[]
  readonly limits: Limits
  readonly cgroupParent: string | undefined
  /** Commands whose containers stay. */
  readonly keepCommands?: Kept | undefined
  /** "network.host", "security.insecure": what the client allowed. */
  readonly entitlements: ReadonlySet<string>
  readonly cacheFrom: readonly CacheLocation[]
  readonly cacheTo: readonly CacheLocation[]
  /** Names of further contexts ("name" → "local:…", "docker-image://…", "target:…", an URL), lower case. */
  readonly namedContexts: ReadonlyMap<string, NamedContext>
  readonly client: BuildClient
}

/** `--cache-from type=registry,ref=…`. */
export interface CacheLocation {
  readonly type: 'registry' | 'local' | 'inline' | (string & {})
  readonly attributes: ReadonlyMap<string, string>
}

export type NamedContext =
  /** Files of the client, asked for under this name. */
  | { readonly kind: 'local'; readonly name: string }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'remote'; readonly url: string }
  /** An image in an OCI layout of the client, which it knows under this name. */
  | { readonly kind: 'layout'; readonly store: string; readonly digest: Digest }

/** What only the client has. Every function may fail when it has left. */
export interface BuildClient {
  /**
   * A folder with the files of a context of the client ("dockerfile", "context", or a named one), as they are now: owners are
   * root's, modes and times the client's. Valid until the build has ended. What is excluded may be there or not.
   * @throws Failure `not-found` when it has no such context.
   */
  context(name: string, wanted: WantedFiles): Promise<HostPath>
  /** @throws Failure `not-found`. */
  secret(id: string): Promise<Buffer>
  /** A socket that speaks the agent's protocol, for the time of one step; undefined when the client forwards none of that id. */
  ssh(id: string): Promise<SshSocket | undefined>
  /** Of an OCI layout of the client. @throws Failure `not-found`. */
  blob(store: string, digest: Digest): Promise<ClientBlob>
  /** For a registry's host, when the client has any. */
  auth(host: string): Promise<RegistryAuth | undefined>
}

export interface ClientBlob {
  readonly size: number
  /** Not verified. */
  readonly content: AsyncIterable<Uint8Array>
}

export interface WantedFiles {
  /** Patterns of a .dockerignore. */
  readonly exclude: readonly string[]
  /** Only these and what they lead to; empty is all. */
  readonly follow: readonly string[]
  /** Bytes that have come, while they come. */
  readonly onProgress?: (bytes: number) => void
}

export interface SshSocket extends AsyncDisposable {
  readonly path: HostPath
}
