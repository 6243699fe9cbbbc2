/** Keys of our own in a service, such as `x-on-unhealthy` and `x-schedule`: judged, and turned into the model. */
import type { Problems } from '../lib/problems.ts'
import { list } from '../lib/text.ts'
import {
  concurrencies,
  missedPolicies,
  type Schedule,
  type UnhealthyAction,
  unhealthyActions,
} from '../model/schedule.ts'
import { type Exposure, exposures } from '../model/service.ts'
import { get, type MapNode, type Node, placeOf } from './tree.ts'
import type { View } from './view.ts'

export const unhealthyKey = 'x-on-unhealthy'
export const scheduleKey = 'x-schedule'
export const exposeKey = 'x-expose'
export const hostPathKey = 'x-host-path'

/** Those that are one word. */
const words: Readonly<Record<string, readonly string[]>> = {
  [unhealthyKey]: unhealthyActions,
  [exposeKey]: exposures,
  [hostPathKey]: ['true', 'false'],
}

/** Those of the whole stack, and what says the like of one service. */
const ofTheStack: Readonly<Record<string, string | undefined>> = {
  'x-target': undefined,
  'x-registry': undefined,
  'x-userns': 'Write "userns_mode" in the service',
}

/** A year of daily runs. */
const mostHistory = 366
const usualHistory = 10

const members: Readonly<Record<string, (node: Node) => string | undefined>> = {
  cron: node => (isText(node) ? undefined : 'it should be text such as "*/5 * * * *"'),
  timezone: node => (isText(node) ? undefined : 'it should be a name such as Europe/Berlin'),
  concurrency: oneOf(concurrencies),
  missed: oneOf(missedPolicies),
  history: node =>
    node.kind === 'scalar' &&
    Number.isInteger(node.value) &&
    Number(node.value) >= 0 &&
    Number(node.value) <= mostHistory
      ? undefined
      : `it should be a number from 0 to ${mostHistory}`,
}

/** Of a finished tree. */
export function checkOwnKeys(root: MapNode, problems: Problems): void {
  const services = get(root, 'services')
  if (services?.kind !== 'map') return
  for (const [name, service] of services.entries) {
    if (service.kind !== 'map') continue
    const path = ['services', name]
    const complain = (node: Node, at: readonly string[], why: string): void => {
      const message = `Cannot use "${at.slice(2).join('.')}" of service "${name}": ${why}`
      problems.add({ severity: 'error', code: 'bad-value', place: placeOf(node), path: at, message })
    }
    for (const [key, hint] of Object.entries(ofTheStack)) {
      const node = service.entries.get(key)
      if (!node) continue
      const message = `"${key}" of service "${name}" changes nothing: it belongs to the whole stack`
      const place = placeOf(node, 'key')
      problems.add({
        severity: 'warning',
        code: 'unknown-key',
        place,
        path: [...path, key],
        message,
        ...(hint && { hint }),
      })
    }
    for (const [key, choices] of Object.entries(words)) {
      const word = service.entries.get(key)
      const why = word && oneOf(choices)(word)
      if (word && why) complain(word, [...path, key], why)
    }
    const schedule = service.entries.get(scheduleKey)
    if (schedule === undefined || isText(schedule)) continue
    const at = [...path, scheduleKey]
    if (schedule.kind !== 'map') complain(schedule, at, 'it should be a cron text, or a map with "cron"')
    else {
      if (!schedule.entries.has('cron')) complain(schedule, at, '"cron" is missing')
      for (const [key, node] of schedule.entries) {
        const known = Object.hasOwn(members, key) ? members[key]! : undefined
        const wrong = known ? known(node) : `there is no such key; there are ${list(Object.keys(members))}`
        if (wrong) complain(node, [...at, key], wrong)
      }
    }
  }
}

/** Whether any service has a schedule, whose text is then judged by the library that reads it. */
export function hasSchedules(root: MapNode): boolean {
  const services = get(root, 'services')
  return services?.kind === 'map' && [...services.entries.values()].some(each => get(each, scheduleKey) !== undefined)
}

export function toSchedule(view: View): Schedule | undefined {
  if (!view.has(scheduleKey)) return undefined
  const usual = { concurrency: 'forbid', missed: 'skip', history: usualHistory } as const
  const cron = view.text(scheduleKey)
  if (cron !== undefined) return { cron, ...usual }
  const map = view.at(scheduleKey)
  const timezone = map.text('timezone')
  return {
    cron: map.text('cron') ?? '',
    ...(timezone === undefined ? {} : { timezone }),
    concurrency: concurrencies.find(each => each === map.text('concurrency')) ?? usual.concurrency,
    missed: missedPolicies.find(each => each === map.text('missed')) ?? usual.missed,
    history: map.number('history') ?? usual.history,
  }
}

export function toOnUnhealthy(view: View): UnhealthyAction | undefined {
  return unhealthyActions.find(each => each === view.text(unhealthyKey))
}

export function toExposure(view: View): Exposure | undefined {
  return exposures.find(each => each === view.text(exposeKey))
}

export function toHostPaths(view: View): true | undefined {
  return view.bool(hostPathKey) || undefined
}

function isText(node: Node): boolean {
  return node.kind === 'scalar' && typeof node.value === 'string' && node.value !== ''
}

function oneOf(words: readonly string[]): (node: Node) => string | undefined {
  return node =>
    node.kind === 'scalar' && words.includes(String(node.value)) ? undefined : `it should be ${list(words, 'or')}`
}
