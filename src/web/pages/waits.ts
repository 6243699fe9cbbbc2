/** What a service waits for before it is started, and whether that is so by now. */
import type { Condition, ServiceRow } from '../../view/stacks.ts'
import type { ModelService } from '../wire.ts'

export interface Wait {
  readonly text: string
  readonly isMet: boolean
}

const wanted: Readonly<Record<string, string>> = {
  started: 'has started',
  healthy: 'is healthy',
  completed: 'has completed',
}

export function waitsOf({ needs }: Pick<ModelService, 'needs'>, rows: readonly ServiceRow[]): readonly Wait[] {
  return needs.map(({ service, condition, required, restart }) => {
    const row = rows.find(each => each.name === service)
    const isMet = row !== undefined && meets(row, condition)
    const now = isMet ? '' : `: it is ${row?.condition ?? 'not there'}`
    const more = [required ? '' : 'optional', restart ? 'restarted with it' : ''].filter(each => each !== '').join(', ')
    return { text: `${service} ${wanted[condition] ?? condition}${now}${more === '' ? '' : ` (${more})`}`, isMet }
  })
}

const started: ReadonlySet<Condition> = new Set([
  'running',
  'unhealthy',
  'starting',
  'done',
  'failed',
  'restarting',
  'paused',
])

function meets({ replicas }: ServiceRow, condition: string): boolean {
  const own = replicas.filter(each => !each.oneOff)
  if (own.length === 0) return false
  if (condition === 'completed') return own.every(each => each.condition === 'done')
  if (condition === 'healthy') return own.every(each => each.condition === 'running' && each.health !== 'starting')
  return own.every(each => started.has(each.condition))
}
