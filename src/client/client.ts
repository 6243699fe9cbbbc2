/** Calls the table of endpoints on one engine. */
import type { Duplex } from 'node:stream'
import type { Archive, Endpoint, Input, Reply } from '../api/endpoint.ts'
import type { OutputChunk } from '../api/frames.ts'

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** What `stream` gives for an endpoint. */
export type Stream<E extends Endpoint> = E['reply']['kind'] extends 'output'
  ? AsyncIterable<OutputChunk>
  : E['reply']['kind'] extends 'archive'
    ? Archive
    : AsyncIterable<Reply<E>>

/** A connection taken over: output to read, stdin to write; `end()` half-closes and goes on reading. */
export interface Hijacked {
  readonly tty: boolean
  readonly output: AsyncIterable<OutputChunk>
  readonly socket: Duplex
}

export interface Client {
  /** "unix:///run/tscompose/engine.sock", for messages. */
  readonly host: string
  /** The API version both sides speak; asks the engine the first time. */
  version(): Promise<string>
  /** One document or nothing; 304 (already so) is a success. @throws Failure by the engine's status. */
  call<E extends Endpoint>(endpoint: E, input: Input<E>, options?: CallOptions): Promise<Reply<E>>
  /** Resolves when the headers are here: `wait` must have them before `start` is sent. Ending the iteration closes the connection. */
  stream<E extends Endpoint>(endpoint: E, input: Input<E>, options?: CallOptions): Promise<Stream<E>>
  hijack<E extends Endpoint>(endpoint: E, input: Input<E>, options?: CallOptions): Promise<Hijacked>
  /** Closes the connections that wait for reuse. */
  close(): void
}

export interface ClientOptions {
  /** The API version to speak, without asking. */
  readonly version?: string
}

export function createClient(_host: string, _options: ClientOptions = {}): Client {
  throw new Error('being written')
}
