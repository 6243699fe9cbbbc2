/** Lines of --progress json → what a page of the web view shows of a job. */
import type { JobMessage } from '../web/wire.ts'

interface Line {
  readonly event: 'started' | 'progress' | 'build' | 'warning' | 'output' | 'done' | 'failed' | 'skipped'
  readonly node: number
  readonly operation: string
  readonly name: string
  readonly service?: string
  readonly text?: string
  readonly outcome?: string
  readonly milliseconds?: number
  readonly error?: string
  readonly build?: Build
}

interface Build {
  readonly kind: 'step' | 'part' | 'output' | 'warning'
  readonly name?: string
  readonly started?: number
  readonly completed?: number
  readonly text?: string
}

/** Any other line is something that is said. */
export function jobMessages(line: string): readonly JobMessage[] {
  const data = parsed(line)
  if (!data) return [{ kind: 'said', text: line }]
  const { event, node, operation, name, service, text, milliseconds, error } = data
  if (event === 'build') return buildMessages(data)
  if (event === 'warning' || event === 'output') return [{ kind: 'said', text: `${name}: ${text ?? ''}` }]
  const state = event === 'started' || event === 'progress' ? 'running' : event
  const shown = error ?? text ?? data.outcome
  return [
    {
      kind: 'step',
      step: {
        node,
        operation,
        name,
        state,
        ...(service !== undefined && { service }),
        ...(shown !== undefined && { text: shown }),
        ...(milliseconds !== undefined && { milliseconds }),
      },
    },
  ]
}

/** Of a build the step that it is at; the builder itself tells all of it. */
function buildMessages({ node, operation, name, service, build }: Line): readonly JobMessage[] {
  if (build?.kind === 'warning') return [{ kind: 'said', text: `${name}: ${build.text ?? ''}` }]
  if (build?.kind !== 'step' || build.started === undefined || build.completed !== undefined) return []
  const text = build.name ?? ''
  const step = { node, operation, name, state: 'running', text, ...(service !== undefined && { service }) } as const
  return [{ kind: 'step', step }]
}

function parsed(line: string): Line | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const data = JSON.parse(line) as Line
    return typeof data.event === 'string' && typeof data.node === 'number' ? data : undefined
  } catch {
    // it only began like JSON
    return undefined
  }
}
