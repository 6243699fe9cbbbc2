/** The ports of a container: as one text, as a list, and where one of them is published. */
import type { Port } from '../api/containers.ts'

/** As Compose's json has it. */
export interface Publisher {
  readonly URL: string
  readonly TargetPort: number
  /** 0: exposed only. */
  readonly PublishedPort: number
  readonly Protocol: string
}

export function publishersOf(ports: readonly Port[]): readonly Publisher[] {
  return sorted(ports).map(port => ({
    URL: port.IP ?? '',
    TargetPort: port.PrivatePort,
    PublishedPort: port.PublicPort ?? 0,
    Protocol: port.Type,
  }))
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`; ports that are the same on both sides and follow each other are one range, as docker joins them. */
export function portsText(ports: readonly Port[]): string {
  const runs = new Map<string, { first: number; last: number }>()
  const ranges: string[] = []
  const single: string[] = []
  for (const port of sorted(ports)) {
    const { IP: address = '', PrivatePort: inside, PublicPort: outside, Type: protocol } = port
    if (address !== '' && outside !== inside) {
      single.push(`${hostPort(address, `${outside ?? 0}`)}->${inside}/${protocol}`)
      continue
    }
    const key = JSON.stringify([address, protocol])
    const run = runs.get(key)
    if (run && run.last + 1 === inside) run.last = inside
    else {
      if (run) ranges.push(rangeText(key, run))
      runs.set(key, { first: inside, last: inside })
    }
  }
  return [...ranges, ...[...runs].map(([key, run]) => rangeText(key, run)), ...single].join(', ')
}

function rangeText(key: string, { first, last }: { first: number; last: number }): string {
  const [address, protocol] = JSON.parse(key) as [string, string]
  const range = first === last ? `${first}` : `${first}-${last}`
  return `${address === '' ? '' : `${hostPort(address, range)}->`}${range}/${protocol}`
}

/**
 * Where `target` is published, IPv4 first; ":0", as Compose prints it, where it is exposed and no more; undefined when the container
 * does not have it.
 */
export function publishedAt(ports: readonly Port[], target: number, protocol: string): string | undefined {
  const found = sorted(ports).filter(each => each.PrivatePort === target && each.Type === protocol)
  const published = found.filter(each => each.PublicPort !== undefined)
  const best = published.find(each => !each.IP?.includes(':')) ?? published[0] ?? found[0]
  return best && hostPort(best.IP ?? '', `${best.PublicPort ?? 0}`)
}

/** `38001/tcp, 38002/tcp`: what is published, for a message about what is not. */
export function publishedText(ports: readonly Port[]): string {
  return sorted(ports)
    .filter(each => each.PublicPort !== undefined)
    .map(each => `${each.PublicPort}/${each.Type}`)
    .join(', ')
}

function hostPort(address: string, port: string): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

function sorted(ports: readonly Port[]): readonly Port[] {
  return [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
