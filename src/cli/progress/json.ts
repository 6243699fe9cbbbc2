/** One JSON object an event, on stderr, for programs that show progress themselves. */
import type { BuildEvent } from '../../client/buildkit/events.ts'
import { messageOf } from '../../lib/failure.ts'
import type { Screen } from '../screen.ts'
import { progressVersion } from './json-schema.ts'
import type { Progress } from './progress.ts'

export function jsonProgress(screen: Screen): Progress {
  return {
    tell(event) {
      const { id, operation } = event.node
      screen.say(
        JSON.stringify({
          version: progressVersion,
          event: event.kind,
          node: id,
          operation: operation.kind,
          name: operation.name,
          ...(operation.service === undefined ? {} : { service: operation.service }),
          cause: operation.cause,
          ...('text' in event ? { text: event.text } : {}),
          ...('current' in event ? { current: event.current, total: event.total } : {}),
          ...(event.kind === 'done' && event.outcome ? { outcome: event.outcome } : {}),
          ...('milliseconds' in event ? { milliseconds: Math.round(event.milliseconds) } : {}),
          ...(event.kind === 'build' ? { build: buildJson(event.event) } : {}),
          ...(event.kind === 'failed' ? { error: messageOf(event.error) } : {}),
          ...(event.kind === 'skipped' && event.because ? { because: event.because.id } : {}),
        }),
      )
    },
    async end() {},
  }
}

/** Output as text: what is none is shown as well as it can be. */
function buildJson(event: BuildEvent): object {
  return event.kind === 'output' ? { ...event, data: Buffer.from(event.data).toString('utf8') } : event
}
