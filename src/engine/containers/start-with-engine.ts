/** Which containers start with the engine, by their policy, and their start: each for itself, so that one that fails keeps nobody else. */
import { messageOf } from '../../lib/failure.ts'
import { restartTuning, startsWithEngine } from './config/restart-policy.ts'
import type { Container } from './container.ts'
import type { Parts } from './parts.ts'

/** `isMeant`: of these labels. Never fails. */
export async function startAll(
  { all, say }: Parts,
  {
    isMeant,
    start,
  }: {
    readonly isMeant: (labels: Readonly<Record<string, string>>) => boolean
    readonly start: (container: Container) => Promise<void>
  },
): Promise<void> {
  const waiting = [...all()].filter(
    ({ record, state }) =>
      state.status === 'exited' &&
      state.startedAt &&
      startsWithEngine(record.hostConfig.RestartPolicy, state, restartTuning(record.hostConfig.Annotations ?? {})) &&
      isMeant(record.config.Labels ?? {}),
  )
  await Promise.all(
    waiting.map(container =>
      start(container).catch(error => say(`Cannot start "${container.name}" with the engine: ${messageOf(error)}`)),
    ),
  )
}
