/** Services as tables of their methods: what goes in, what comes out, and how many of each. */
import type { Fields, Message } from './message.ts'

/** unary: one in, one out; responses: one in, many out; both: many either way. */
export type CallKind = 'unary' | 'responses' | 'both'

export interface Method<
  Kind extends CallKind = CallKind,
  Input extends Fields = Fields,
  Output extends Fields = Fields,
> {
  /** "/moby.buildkit.v1.Control/Solve"; set by `service`. */
  readonly path: string
  readonly kind: Kind
  readonly request: Message<Input>
  readonly response: Message<Output>
}

export type Methods = Readonly<Record<string, Method>>

export function unary<I extends Fields, O extends Fields>(
  name: string,
  request: Message<I>,
  response: Message<O>,
): Method<'unary', I, O> {
  return { path: name, kind: 'unary', request, response }
}
export function responses<I extends Fields, O extends Fields>(
  name: string,
  request: Message<I>,
  response: Message<O>,
): Method<'responses', I, O> {
  return { path: name, kind: 'responses', request, response }
}
export function both<I extends Fields, O extends Fields>(
  name: string,
  request: Message<I>,
  response: Message<O>,
): Method<'both', I, O> {
  return { path: name, kind: 'both', request, response }
}

/** Methods that know their paths. */
export function service<const T extends Methods>(name: string, methods: T): T {
  return Object.fromEntries(
    Object.entries(methods).map(([key, method]) => [key, { ...method, path: `/${name}/${method.path}` }]),
  ) as unknown as T
}
