/** Which containers a list shows: filters, limit, order; newest first. */
import { booleanFilter, checkFilters, type Filters, matchesLabels, matchesOne } from '../../../api/filters.ts'
import { Failure } from '../../../lib/failure.ts'
import { parsePortKey } from '../../../lib/ports.ts'
import type { Digest } from '../../images/digest.ts'
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { shownStatus } from '../state.ts'

export interface ListOptions {
  readonly all?: boolean | undefined
  readonly limit?: number | undefined
  readonly size?: boolean | undefined
  readonly filters?: Filters | undefined
  /** Ours: what can change on a container as it is. */
  readonly live?: boolean | undefined
}

const known = [
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
]
const knownStatuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
const knownHealth = ['none', 'starting', 'healthy', 'unhealthy']

type Ports = NonNullable<ReturnType<typeof parsePortKey>>

function wrong(name: string, value: string, why: string): Failure {
  return new Failure('invalid', `invalid filter '${name}=${value}': ${why}`)
}

/** @throws Failure `invalid` for a filter or value that does not exist. */
function checkValues(filters: Filters): void {
  for (const status of filters['status'] ?? [])
    if (!knownStatuses.includes(status))
      throw wrong('status', status, `invalid value for state (${status}): must be one of ${knownStatuses.join(', ')}`)
  for (const health of filters['health'] ?? [])
    if (!knownHealth.includes(health))
      throw wrong('health', health, `invalid value for health (${health}): must be one of ${knownHealth.join(', ')}`)
  for (const code of filters['exited'] ?? [])
    if (!/^[+-]?\d+$/.test(code))
      throw wrong('exited', code, `strconv.Atoi: parsing ${JSON.stringify(code)}: invalid syntax`)
}

export function selectContainers(parts: Parts, options: ListOptions): Container[] {
  const filters = options.filters ?? {}
  checkFilters(filters, known)
  checkValues(filters)
  const limit = options.limit && options.limit > 0 ? options.limit : undefined
  // a status, an exit code or a limit is asked of all of them
  const all = options.all || limit !== undefined || filters['status'] !== undefined || filters['exited'] !== undefined
  const before = filters['before']?.map(ref => parts.get(ref).record.created)
  const since = filters['since']?.map(ref => parts.get(ref).record.created)
  const ancestors = filters['ancestor'] && descendants(parts, filters['ancestor'])
  const networks = filters['network']?.map(ref => parts.networks.find(ref)?.name ?? ref)
  const names = (filters['name'] ?? []).map(nameMatcher)
  const published = askedPorts(filters, 'publish')
  const exposed = askedPorts(filters, 'expose')
  const task = booleanFilter(filters, 'is-task')
  const found = [...parts.all()].filter(container => {
    const { record, state } = container
    const status = shownStatus(state)
    return (
      (all || container.running || status === 'restarting') &&
      task !== true &&
      matchesLabels(filters['label'], record.config.Labels) &&
      names.every(matches => matches(record.name)) &&
      (filters['id'] === undefined || filters['id'].some(id => record.id.startsWith(id))) &&
      matchesOne(filters['status'], status) &&
      matchesOne(filters['health'], state.health?.Status ?? 'none') &&
      (filters['exited'] === undefined ||
        (status === 'exited' && filters['exited'].some(code => Number(code) === state.exitCode))) &&
      (ancestors === undefined || ancestors.has(record.imageId)) &&
      (networks === undefined || networks.some(name => isOn(container, name))) &&
      (filters['volume'] === undefined || filters['volume'].some(volume => hasVolume(container, volume))) &&
      (published === undefined || published.some(ports => publishes(container, ports))) &&
      (exposed === undefined || exposed.some(ports => exposes(container, ports))) &&
      (before === undefined || before.every(time => record.created < time)) &&
      (since === undefined || since.every(time => record.created > time))
    )
  })
  // of the same millisecond the one that was made last
  const sorted = found
    .reverse()
    .sort((a, b) => (a.record.created < b.record.created ? 1 : a.record.created > b.record.created ? -1 : 0))
  return limit === undefined ? sorted : sorted.slice(0, limit)
}

/** Ids of images, and of all that were made from them here; one that is not there has none. */
function descendants({ images }: Parts, refs: readonly string[]): ReadonlySet<string> {
  const found = new Set<Digest>(refs.flatMap(ref => images.find(ref)?.id ?? []))
  // a set that is walked goes on to what is added meanwhile
  for (const id of found) for (const child of images.childrenOf(id)) found.add(child.id)
  return found
}

/** Docker takes the filter for a regular expression over the name, with or without its slash; what is none is a piece of it. */
function nameMatcher(pattern: string): (name: string) => boolean {
  // An expression is run by the engine for a client: short and without nested repetition, so that none can hold it up.
  if (pattern.length > 200 || /[+*}]\)?[+*{]/.test(pattern) || /\([^)]*[+*{][^)]*\)[+*{]/.test(pattern))
    throw new Failure('invalid', `invalid filter 'name=${pattern.slice(0, 100)}'`)
  try {
    const expression = new RegExp(pattern)
    return name => expression.test(name) || expression.test(`/${name}`)
  } catch {
    // not an expression: taken as it is
    return name => name.includes(pattern)
  }
}

function isOn(container: Container, network: string): boolean {
  const { record, state } = container
  if (record.hostConfig.NetworkMode === network) return true
  if (record.endpoints.some(endpoint => endpoint.network === network)) return true
  return state.attachments.some(attachment => attachment.network === network || attachment.networkId === network)
}

function hasVolume(container: Container, volume: string): boolean {
  return container.record.mounts.some(
    mount => mount.name === volume || mount.target === volume || mount.source === volume,
  )
}

function publishes(container: Container, { range, protocol }: Ports): boolean {
  const isIn = (number: number) => number >= range[0] && number <= range[1]
  return container.state.ports.some(
    published => published.protocol === protocol && (isIn(published.hostPort) || isIn(published.containerPort)),
  )
}

function exposes(container: Container, { range, protocol }: Ports): boolean {
  return Object.keys(container.record.config.ExposedPorts ?? {}).some(key => {
    const exposed = parsePortKey(key)
    return exposed?.protocol === protocol && exposed.range[0] <= range[1] && exposed.range[1] >= range[0]
  })
}

/** "80", "8000-8080/udp". @throws Failure `invalid`. */
function askedPorts(filters: Filters, name: 'publish' | 'expose'): readonly Ports[] | undefined {
  return filters[name]?.map(text => {
    const ports = parsePortKey(text)
    if (!ports) throw wrong(name, text, `invalid port specification: "${text}"`)
    return ports
  })
}
