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
  readonly step?: string
  readonly name?: string
  readonly cached?: boolean
  readonly missed?: string
  readonly started?: number
  readonly completed?: number
  readonly error?: string
  readonly data?: string
  readonly text?: string
}

/** Any other line is something that is said. */
export function jobMessages(line: string): readonly JobMessage[] {
  const data = parsed(line)
  if (!data) return [{ kind: 'said', text: line }]
  const { event, node, operation, name, service, text, milliseconds, error } = data
  if (event === 'build') return buildMessages(name, data.build)
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

function buildMessages(image: string, build: Build | undefined): readonly JobMessage[] {
  if (!build) return []
  const { step = '', name = '', missed, started, completed, error } = build
  switch (build.kind) {
    case 'step': {
      const state = error
        ? 'failed'
        : build.cached
          ? 'cached'
          : completed !== undefined
            ? 'done'
            : started === undefined
              ? 'waiting'
              : 'running'
      const milliseconds =
        started !== undefined && completed !== undefined ? Math.round(completed - started) : undefined
      return [
        {
          kind: 'build',
          build: {
            image,
            step,
            name,
            state,
            ...(missed !== undefined && { missed }),
            ...(milliseconds !== undefined && { milliseconds }),
            ...(error !== undefined && { error }),
          },
        },
      ]
    }
    case 'warning':
      return [{ kind: 'said', text: `${image}: ${build.text ?? ''}` }]
    default:
      return []
  }
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
