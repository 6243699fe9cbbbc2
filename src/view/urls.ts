/** Published ports as places to go to. */

import type { ContainerSummary } from '../api/containers.ts'
import { listedName } from '../api/listed-name.ts'
import { labels } from '../targets/engine/labels.ts'
import type { Reached } from '../targets/target.ts'

export interface UrlRow {
  readonly Service: string
  readonly Container: string
  /** "80/tcp". */
  readonly Port: string
  readonly URL: string
}

/** Ports of programs that do not speak HTTP: a browser would be of no use there. */
const otherTongues: ReadonlySet<number> = new Set([
  21, 22, 23, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 1521, 1883, 2181, 3306, 4222, 5432, 5672, 6379,
  9042, 9092, 11211, 27017,
])

/** One row a published port, as it is reached from `here`: the host's name for what listens on all addresses. */
export function urlRows(containers: readonly ContainerSummary[], here = 'localhost'): readonly UrlRow[] {
  const rows = containers.flatMap(container => {
    const { Labels, Ports } = container
    const service = Labels?.[labels.service] ?? ''
    const seen = new Set<string>()
    return (Ports ?? []).flatMap(({ IP = '', PrivatePort, PublicPort, Type }) => {
      if (PublicPort === undefined) return []
      const host = IP === '' || IP === '0.0.0.0' || IP === '::' ? here : IP
      const url = urlOf({ port: PrivatePort, protocol: Type, host, hostPort: PublicPort })
      // the same of IPv4 and IPv6
      if (seen.has(url)) return []
      seen.add(url)
      return [{ Service: service, Container: listedName(container), Port: `${PrivatePort}/${Type}`, URL: url }]
    })
  })
  return sorted(rows)
}

/** "http://localhost:8080". */
export function urlOf({ port, protocol, host, hostPort }: Omit<Reached, 'service' | 'name'>): string {
  const scheme = schemeOf(port, protocol)
  const isUsual = (scheme === 'http' && hostPort === 80) || (scheme === 'https' && hostPort === 443)
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}${isUsual ? '' : `:${hostPort}`}`
}

/** The same of replicas that are elsewhere. */
export function reachedRows(reached: readonly Reached[]): readonly UrlRow[] {
  return sorted(
    reached.map(({ service, name, ...at }) => ({
      Service: service,
      Container: name,
      Port: `${at.port}/${at.protocol}`,
      URL: urlOf(at),
    })),
  )
}

function sorted(rows: readonly UrlRow[]): readonly UrlRow[] {
  return [...rows].sort(
    (a, b) => compare(a.Service, b.Service) || compare(a.Container, b.Container) || compare(a.URL, b.URL),
  )
}

function schemeOf(port: number, protocol: string): string {
  if (protocol !== 'tcp') return protocol
  if (port === 443 || port === 8443) return 'https'
  return otherTongues.has(port) ? 'tcp' : 'http'
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
