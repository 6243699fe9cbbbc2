/** Who may reach a published port, by the address that it listens on; and what a stack grants, the same of several services once. */
import type { Publisher } from '../../view/ports.ts'
import type { UrlRow } from '../../view/urls.ts'
import type { FindingRow } from '../wire.ts'

export interface Reach {
  readonly address: string
  /** Where a browser is of use. */
  readonly link: string | undefined
  readonly who: string
  readonly tone: 'idle' | 'warn'
}

export function reachOf(port: Publisher, urls: readonly UrlRow[], container: string): Reach {
  const { URL: ip, PublishedPort: published, TargetPort: target, Protocol: protocol } = port
  const host = ip.includes(':') ? `[${ip}]` : ip
  const own = urls.find(
    each => each.Container === container && each.Port === `${target}/${protocol}` && each.URL.startsWith('http'),
  )
  const isEverywhere = ip === '' || ip === '0.0.0.0' || ip === '::'
  const isHere = /^127\./.test(ip) || ip === '::1'
  return {
    address: `${host === '' ? '*' : host}:${published}`,
    link: own?.URL,
    who: isHere ? 'this machine' : isEverywhere ? 'every network this machine is in' : `the network of ${ip}`,
    tone: isHere ? 'idle' : 'warn',
  }
}

export interface FindingGroup extends Omit<FindingRow, 'service'> {
  readonly services: readonly string[]
}

/** In the order in which each is met first. */
export function groupFindings(findings: readonly FindingRow[]): readonly FindingGroup[] {
  const groups = new Map<string, FindingGroup>()
  for (const { service, ...finding } of findings) {
    const key = JSON.stringify([finding.rule, finding.severity, finding.grants])
    const group = groups.get(key)
    groups.set(key, group ? { ...group, services: [...group.services, service] } : { ...finding, services: [service] })
  }
  return [...groups.values()]
}
