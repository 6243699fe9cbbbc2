/**
 * One row of the contract: method, path, query, body and reply of an endpoint, and the types that follow from them. No zod is loaded here,
 * since the CLI loads this: a body's schema is made by the server from what it passes in.
 */
import type { Duplex } from 'node:stream'
import type { z } from 'zod'
import type { BodyPieces } from './body-pieces.ts'
import type { Filters } from './filters.ts'
import type { OutputChunk } from './frames.ts'

/** What a query parameter is on the wire; `decode.ts` of the server and `request.ts` of the client both follow it. */
export interface QueryTypes {
  readonly string: string
  /** Repeated: ?names=a&names=b. */
  readonly strings: readonly string[]
  /** Go's: absent, "", 0, no, false, none are false. */
  readonly boolean: boolean
  readonly integer: number
  /** Seconds with up to nine decimals on the wire, nanoseconds here. */
  readonly time: bigint
  readonly filters: Filters
}
export type QueryKind = keyof QueryTypes
export type QueryShape = Readonly<Record<string, QueryKind>>
export type Query<Shape extends QueryShape> = { readonly [K in keyof Shape]?: QueryTypes[Shape[K]] | undefined }

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'

/** A body to send: one piece, or pieces as they come. */
export type Bytes = Uint8Array | AsyncIterable<Uint8Array>

/** `T` is known to the compiler only. */
export interface BodyShape<T = unknown> {
  readonly kind: 'none' | 'json' | 'bytes'
  /** Whether it may be left out. */
  readonly optional: boolean
  /** The check of a JSON body; absent where we are the client only. */
  readonly schema?: BodySchema<T> | undefined
  readonly type?: T
}

/** Makes the check of a JSON body of the pieces that `body-pieces.ts` has. */
export type BodySchema<T> = (schemas: BodyPieces) => z.ZodType<T>

/** State of a path in a container, in the header X-Docker-Container-Path-Stat; mode in Go's bits. */
export interface PathStat {
  readonly name: string
  readonly size: number
  /** Directory 1<<31, symbolic link 1<<27, the low nine bits permissions. */
  readonly mode: number
  readonly mtime: string
  readonly linkTarget: string
}

/** A tar (or other) stream, with the path's stat where the endpoint tells it. */
export interface Archive {
  readonly stat?: PathStat | undefined
  readonly content: AsyncIterable<Uint8Array>
}

/** Output as frames, or as it is on a terminal. */
export interface Output {
  readonly tty: boolean
  /** As much at a time as there is; a frame a chunk. */
  readonly output: AsyncIterable<readonly OutputChunk[]>
}

/**
 * Both directions, as the server sees them. `begin`: the client has its answer, and what it asked for may start; `end`: it will
 * send no more; `close`: it has left.
 */
export interface Session {
  readonly tty: boolean
  readonly output: AsyncIterable<OutputChunk>
  /** Resolves when it has, or has failed, which the output tells. */
  begin?(): Promise<void>
  write(chunk: Uint8Array): Promise<void>
  end(): void
  close(): void
}

/** Takes a connection over, whatever is spoken on it from then on; resolves when it is over. */
export type TakeConnection = (connection: Duplex) => Promise<void>

/**
 * What a reply is on the wire, and what a server's handler returns for it.
 * json: one document. empty: none. text: plain text. stat: PathStat in a header. archive: bytes.
 * lines: JSON documents as they come, headers before the first (also the one of `wait`). progress: the same, ended by CRLF,
 * a failure after the first byte is a line of its own. output: stdout and stderr. hijack: the connection itself;
 * a handler that returns undefined (a detached exec) ends it with an empty 200. connection: the same for another protocol (h2c),
 * without a way to have it but by an upgrade. websocket: a session in the messages of a WebSocket.
 */
export interface ReplyShape<T = unknown> {
  readonly kind:
    | 'json'
    | 'empty'
    | 'text'
    | 'lines'
    | 'progress'
    | 'output'
    | 'hijack'
    | 'connection'
    | 'websocket'
    | 'archive'
    | 'stat'
  readonly type?: T
}

export interface Endpoint<
  Path extends string = string,
  Shape extends QueryShape = QueryShape,
  Body extends BodyShape = BodyShape,
  Result extends ReplyShape = ReplyShape,
  Headers extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
> {
  /** Its key in the table: `containerStart`. */
  readonly name: string
  readonly method: Method
  /** `{id}` is one segment, `{name*}` one or more. */
  readonly path: Path
  readonly query: Shape
  readonly body: Body
  readonly reply: Result
  /** Of success. */
  readonly status: 200 | 201 | 204
  /** Member of the input → header that carries it: { registryAuth: 'X-Registry-Auth' }. */
  readonly headers: Headers
}

type ParamNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends `${infer Bare}*` ? Bare : Name) | ParamNames<Rest>
  : never

export type Params<E extends Endpoint> = { readonly [K in ParamNames<E['path']>]: string }
export type Body<E extends Endpoint> = E['body'] extends BodyShape<infer T> ? T : never
type Headers<E extends Endpoint> = { readonly [K in keyof E['headers']]?: string | undefined }

/** What a client passes. Members that cannot be used may be left out: `client.call(endpoints.info, {})`. */
export type Input<E extends Endpoint> = ([ParamNames<E['path']>] extends [never]
  ? { readonly params?: Record<string, never> }
  : { readonly params: Params<E> }) &
  (E['body'] extends { kind: 'none' }
    ? unknown
    : E['body'] extends { optional: true }
      ? { readonly body?: Body<E> }
      : { readonly body: Body<E> }) & { readonly query?: Query<E['query']>; readonly headers?: Headers<E> }

/** What a handler gets: decoded and checked. */
export interface Request<E extends Endpoint> {
  readonly params: Params<E>
  readonly query: Query<E['query']>
  readonly body: E['body'] extends { kind: 'none' }
    ? undefined
    : E['body'] extends { kind: 'bytes' }
      ? AsyncIterable<Uint8Array>
      : E['body'] extends { optional: true }
        ? Body<E> | undefined
        : Body<E>
  readonly headers: Headers<E>
}

export interface RequestContext {
  /** Fires when the client has left before its reply was complete. */
  readonly signal: AbortSignal
  /** The API version asked for, "1.51". */
  readonly version: string
}

/** The document of a `json`, the one item of a `lines`. */
export type Reply<E extends Endpoint> = E['reply'] extends ReplyShape<infer T> ? T : never

/** What a handler returns. */
export type HandlerReply<E extends Endpoint> = E['reply']['kind'] extends 'lines' | 'progress'
  ? AsyncIterable<Reply<E>>
  : E['reply']['kind'] extends 'output'
    ? Output
    : E['reply']['kind'] extends 'hijack'
      ? Session | undefined
      : E['reply']['kind'] extends 'connection'
        ? TakeConnection
        : E['reply']['kind'] extends 'websocket'
          ? Session
          : E['reply']['kind'] extends 'archive'
            ? Archive
            : Reply<E>

export type Handler<E extends Endpoint> = (
  request: Request<E>,
  context: RequestContext,
) => E['reply']['kind'] extends 'empty' ? Promise<void> : Promise<HandlerReply<E>> | HandlerReply<E>

/** One handler a row; a missing one does not compile. */
export type Handlers<Table extends Readonly<Record<string, Endpoint>>> = {
  readonly [K in keyof Table]: Handler<Table[K]>
}

interface JsonBody<T, Optional extends boolean> {
  readonly kind: 'json'
  readonly optional: Optional
  readonly schema?: BodySchema<T> | undefined
  readonly type?: T
}

/** A document: of a reply, or of a request, which has its schema where the engine is the one to read it. */
export function json<T>(schema?: BodySchema<T>): JsonBody<T, false> {
  return { kind: 'json', optional: false, schema }
}
export function optionalJson<T>(schema?: BodySchema<T>): JsonBody<T, true> {
  return { kind: 'json', optional: true, schema }
}
export function lines<T>(): { readonly kind: 'lines'; readonly type?: T } {
  return { kind: 'lines' }
}
export function progress<T>(): { readonly kind: 'progress'; readonly type?: T } {
  return { kind: 'progress' }
}
export const bytes: { readonly kind: 'bytes'; readonly optional: false; readonly type?: Bytes } = {
  kind: 'bytes',
  optional: false,
}
export const optionalBytes: { readonly kind: 'bytes'; readonly optional: true; readonly type?: Bytes } = {
  kind: 'bytes',
  optional: true,
}
export const none: { readonly kind: 'none'; readonly optional: true; readonly type?: undefined } = {
  kind: 'none',
  optional: true,
}
export const empty: { readonly kind: 'empty'; readonly type?: undefined } = { kind: 'empty' }
export const text: { readonly kind: 'text'; readonly type?: string } = { kind: 'text' }
export const output: { readonly kind: 'output'; readonly type?: OutputChunk } = { kind: 'output' }
export const hijack: { readonly kind: 'hijack'; readonly type?: undefined } = { kind: 'hijack' }
export const connection: { readonly kind: 'connection'; readonly type?: undefined } = { kind: 'connection' }
export const websocket: { readonly kind: 'websocket'; readonly type?: undefined } = { kind: 'websocket' }
export const archive: { readonly kind: 'archive'; readonly type?: Archive } = { kind: 'archive' }
export const stat: { readonly kind: 'stat'; readonly type?: PathStat } = { kind: 'stat' }

interface Row {
  readonly query?: QueryShape
  readonly body?: BodyShape
  readonly reply?: ReplyShape
  readonly status?: 200 | 201 | 204
  readonly headers?: Readonly<Record<string, string>>
}

type RowEndpoint<Path extends string, R extends Row> = Endpoint<
  Path,
  R extends { query: infer Q extends QueryShape } ? Q : Record<never, never>,
  R extends { body: infer B extends BodyShape } ? B : typeof none,
  R extends { reply: infer P extends ReplyShape } ? P : typeof empty,
  R extends { headers: infer H extends Readonly<Record<string, string>> } ? H : Record<never, never>
>

/** One endpoint; what is left out is: no query, no body, an empty reply (204, or 200 where it has one). */
export function endpoint<const Path extends string, const R extends Row>(
  method: Method,
  path: Path,
  row: R,
): RowEndpoint<Path, R> {
  const reply = row.reply ?? empty
  return {
    name: '',
    method,
    path,
    query: row.query ?? {},
    body: row.body ?? none,
    reply,
    status: row.status ?? (reply.kind === 'empty' ? 204 : 200),
    headers: row.headers ?? {},
  } as unknown as RowEndpoint<Path, R>
}

/** A table whose rows know their names. */
export function table<const T extends Readonly<Record<string, Endpoint>>>(rows: T): T {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { ...row, name }])) as T
}
