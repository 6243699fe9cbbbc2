/** NetworkMode and NetworkingConfig → the networks a container is to be on: pure. */
import type { EndpointSettings } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { type EndpointRequest, endpointRequest } from '../../networks/endpoint-request.ts'

type Endpoints = Readonly<Record<string, EndpointSettings | null>>

/** How a container gets its network. */
export type NetworkKind =
  | { readonly kind: 'host' }
  | { readonly kind: 'none' }
  | { readonly kind: 'container'; readonly ref: string }
  | { readonly kind: 'networks' }

export function networkKind(mode: string): NetworkKind {
  if (mode === 'host' || mode === 'none') return { kind: mode }
  if (mode.startsWith('container:')) return { kind: 'container', ref: mode.slice('container:'.length) }
  return { kind: 'networks' }
}

/** Those that NetworkingConfig names, the network of NetworkMode first and the others by name; that one alone where it names none. */
export function endpointsOf(mode: string, asked: Endpoints | undefined): EndpointRequest[] {
  const kind = networkKind(mode)
  const named = Object.entries(asked ?? {}).map(
    ([name, settings]) => [name === 'default' ? 'bridge' : name, settings] as const,
  )
  const empty = named.find(([, settings]) => settings === null)
  if (empty) throw new Failure('invalid', `invalid config for network ${empty[0]}: EndpointsConfig is nil`)
  if (kind.kind !== 'networks') {
    const others = named.map(([name]) => name).filter(name => name !== mode && name !== 'bridge')
    if (others.length > 0)
      throw new Failure(
        'invalid',
        `conflicting options: cannot attach network mode "${mode}" to networks ${others.join(', ')}`,
      )
    return []
  }
  if (named.length === 0) return [endpointRequest(mode, undefined)]
  const isFirst = (name: string) => Number(name === mode)
  return named
    .sort(([a], [b]) => isFirst(b) - isFirst(a) || (a < b ? -1 : 1))
    .map(([name, settings]) => endpointRequest(name, settings))
}
