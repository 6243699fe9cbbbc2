/** Links of the default bridge, where nobody answers for names: each linked container in /etc/hosts and in the environment: pure. */
import { Failure } from '../../../lib/failure.ts'
import type { HostLine } from '../../dns/host-files.ts'

export interface Link {
  readonly ref: string
  readonly alias: string
}

/** What a start has found out about a linked container. */
export interface LinkedContainer {
  readonly id: string
  readonly name: string
  readonly alias: string
  readonly address: string
  /** "80/tcp". */
  readonly exposed: readonly string[]
  readonly env: readonly string[]
}

/** A link as a name of the container it leads to: "web/store". */
export interface LinkName {
  readonly from: string
  readonly alias: string
}

/** Undefined for what is no name of a link. */
export function splitLinkName(ref: string): LinkName | undefined {
  const [, from, alias] = /^\/?([^/]+)\/([^/]+)$/.exec(ref) ?? []
  return from !== undefined && alias !== undefined ? { from, alias } : undefined
}

/** "db:store", "db". @throws Failure `invalid` with Docker's text. */
export function parseLink(text: string): Link {
  const [ref = '', alias = ref, ...more] = text.split(':')
  if (ref === '' || alias === '' || more.length > 0) throw new Failure('invalid', `bad format for links: ${text}`)
  return { ref: ref.replace(/^\//, ''), alias: alias.split('/').at(-1)! }
}

/** Those of a container on the default bridge; on other networks links are the endpoint's: a further name there. */
export function linksOf({
  NetworkMode,
  Links,
}: {
  readonly NetworkMode: string
  readonly Links: readonly string[] | null
}): Link[] {
  return NetworkMode === 'bridge' ? (Links ?? []).map(parseLink) : []
}

/** As HostConfig has them. */
export function linkTexts(links: readonly Link[]): string[] | null {
  return links.length > 0 ? links.map(({ ref, alias }) => `${ref}:${alias}`) : null
}

/** What /etc/hosts says of a linked container: alias, short id and name. */
export function linkHost({ alias, id, name, address }: Omit<LinkedContainer, 'exposed' | 'env'>): HostLine {
  return { address, names: [...new Set([alias, id.slice(0, 12), name])] }
}

/** DB_PORT, DB_PORT_80_TCP_ADDR, DB_ENV_KEY and the others that programs of old look for. */
export function linkEnvironment(container: string, links: readonly LinkedContainer[]): string[] {
  return links.flatMap(link => {
    const prefix = link.alias.toUpperCase().replaceAll('-', '_')
    const ports = link.exposed
      .map(port => port.split('/') as [string, string])
      .sort(([a, p], [b, q]) => Number(a) - Number(b) || (p < q ? -1 : 1))
    const url = ([port, protocol]: readonly [string, string]) => `${protocol}://${link.address}:${port}`
    const entries: [string, string][] = ports[0] ? [['PORT', url(ports[0])]] : []
    for (const [port, protocol] of ports) {
      const name = `PORT_${port}_${protocol.toUpperCase()}`
      entries.push([name, url([port, protocol])], [`${name}_ADDR`, link.address])
      entries.push([`${name}_PORT`, port], [`${name}_PROTO`, protocol])
    }
    entries.push(['NAME', `/${container}/${link.alias}`])
    for (const entry of link.env) {
      const [key = '', ...value] = entry.split('=')
      if (key !== 'HOME' && key !== 'PATH') entries.push([`ENV_${key}`, value.join('=')])
    }
    return entries.map(([key, value]) => `${prefix}_${key}=${value}`)
  })
}
