/** What a builder may ask of us while it builds. */
import type { Duplex } from 'node:stream'

/** A folder of this machine, absolute, or files of a name and a text. */
export type ServedFolder =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'texts'; readonly texts: ReadonlyMap<string, Uint8Array> }

export interface Credentials {
  readonly username: string
  readonly secret: string
}

/** A question for files, and the print of what was told (listing-print.ts). */
export interface Asked {
  readonly folder: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly follow: readonly string[]
  /** Undefined when it tells nothing for certain. */
  readonly print: string | undefined
}

export interface Served {
  /** By the name the builder knows them by. */
  readonly folders: ReadonlyMap<string, ServedFolder>
  /** OCI layouts of this machine, by the name the builder knows each by. */
  readonly layouts?: ReadonlyMap<string, string> | undefined
  /** Undefined when there is none of that id. */
  secret(id: string): Promise<Uint8Array | undefined>
  /** For a registry's host; undefined when nobody is known there. */
  credentials(host: string): Promise<Credentials | undefined>
  /** A connection to the agent of that id; undefined when none is forwarded. */
  agent(id: string): Promise<Duplex | undefined>
  /** Files were asked for, and told. */
  onAsked?(asked: Asked): void
}
