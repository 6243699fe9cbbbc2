/** A plan by what it is about: for each service, network, volume and image what becomes of it, and in which fields it differs. */
import { plural } from '../lib/text.ts'
import { type Change, changesText } from './change.ts'
import { type Action, actions, type PlannedOperation, type Vocabulary } from './operation.ts'
import type { Plan } from './plan.ts'

/** What happens to one thing, or in the same way to several containers of a service. */
export interface Row {
  /** "service", "network": what its target says. */
  readonly kind: string
  /** The service's, or the thing's own where it is no service's. */
  readonly name: string
  readonly action: Action
  readonly cause: string
  readonly changes: readonly Change[]
  readonly containers: readonly string[]
  /** How many containers the service has, where it happens to some of them only. */
  readonly of?: number
  /** It takes data away for good. */
  readonly destroys: boolean
}

/** In the order of the plan, things before services; waits, hooks and names that settle are steps, and no rows. */
export function summarize(plans: readonly Plan[]): readonly Row[] {
  const things = new Map<string, { readonly words: Vocabulary<PlannedOperation>; readonly all: PlannedOperation[] }>()
  for (const { words, nodes } of plans)
    for (const { operation } of nodes) {
      const key = `${words.resource(operation)} ${operation.name}`
      const thing = things.get(key) ?? { words, all: [] }
      thing.all.push(operation)
      things.set(key, thing)
    }
  const rows = [...things.values()].flatMap(({ words, all }) => rowOf(words, all) ?? [])
  const services = together(rows.filter(({ kind }) => kind === 'service'))
  const counts = new Map<string, number>()
  const count = (name: string, more: number) => counts.set(name, (counts.get(name) ?? 0) + more)
  const isOfThose = ({ action }: Row) => action !== 'create' && action !== 'run'
  for (const row of services) if (isOfThose(row)) count(row.name, row.containers.length)
  for (const { service } of plans.flatMap(plan => plan.kept)) if (service !== undefined) count(service, 1)
  const whole = services.map(row => {
    const of = counts.get(row.name) ?? 0
    return row.containers.length < of && isOfThose(row) && row.action !== 'remove' ? { ...row, of } : row
  })
  return [...rows.filter(({ kind }) => kind !== 'service'), ...whole]
}

function rowOf(words: Vocabulary<PlannedOperation>, operations: readonly PlannedOperation[]): Row | undefined {
  const found = words.amount(operations)
  if (!found) return undefined
  const { action, by } = found
  const isContainer = words.isContainer(by)
  return {
    kind: isContainer && by.service !== undefined ? 'service' : words.resource(by),
    name: by.service ?? by.name,
    action,
    cause: by.cause,
    changes: operations.flatMap(({ changes }) => changes ?? []),
    containers: isContainer ? [by.name] : [],
    destroys: operations.some(operation => words.destroys(operation)),
  }
}

/** Replicas with which the same happens are one row. */
function together(rows: readonly Row[]): readonly Row[] {
  const found = new Map<string, Row>()
  for (const row of rows) {
    const key = JSON.stringify([row.name, row.action, row.changes, row.action === 'create' ? '' : row.cause])
    const other = found.get(key)
    found.set(key, other ? { ...other, containers: [...other.containers, ...row.containers] } : row)
  }
  return [...found.values()]
}

const signs: Readonly<Partial<Record<Action, string>>> = { create: '+', pull: '+', remove: '-' }

/** "~ web: recreate 2 of 3  image a→b · ports +8443:443"; what is not a service is led by what it is. */
export function rowText({ kind, name, action, cause, changes, containers, of, destroys }: Row): string {
  const what = kind === 'service' ? name : `${kind} ${name}`
  const several =
    of !== undefined ? ` ${containers.length} of ${of}` : containers.length > 1 ? ` ${containers.length}` : ''
  // what has stopped is told of, whatever else is done to it
  const begins = action === 'start' || action === 'restart' ? [cause] : []
  const told = [...begins, ...(changes.length > 0 ? [changesText(changes)] : [])]
  const why = told.length > 0 ? told.join(' · ') : action === 'create' && several !== '' ? '' : cause
  const loss = destroys ? ' · its data is lost' : ''
  return `${signs[action] ?? '~'} ${what}: ${action}${several}${why === '' ? '' : `  ${why}`}${loss}`
}

/** How often each action, containers and things counted one by one. */
export function totals(rows: readonly Row[]): Readonly<Partial<Record<Action, number>>> {
  const counts: Partial<Record<Action, number>> = {}
  for (const { action, containers } of rows) counts[action] = (counts[action] ?? 0) + Math.max(1, containers.length)
  return counts
}

/** "2 to create, 1 to recreate, 1 in place"; "no changes". */
export function totalsText(rows: readonly Row[]): string {
  const counts = totals(rows)
  const parts = actions.flatMap(action => {
    const count = counts[action]
    if (count === undefined) return []
    if (action === 'in place') return [`${count} in place`]
    return [action === 'other' ? plural(count, 'other change') : `${count} to ${action}`]
  })
  return parts.length === 0 ? 'no changes' : parts.join(', ')
}
