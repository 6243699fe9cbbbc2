/** What a container that is waited for has come to, in a sentence: its health with the last output of its check, or how it ended. */
import type { ContainerState } from '../api/containers.ts'
import { plural } from '../lib/text.ts'

/** Characters of a check's output that are shown, from its end. */
const most = 300

/** "starting, 3 checks failed in a row; the last ended with 1: connection refused". */
export function readinessText(state: ContainerState): string {
  const health = state.Health?.Status === 'none' ? undefined : state.Health
  if (state.Status !== 'running' || !health) return endText(state)
  const last = health.Log?.at(-1)
  if (!last) return `${health.Status}, no check has ended yet`
  const output = last.Output.trim().slice(-most)
  const failed = health.FailingStreak > 0 ? `, ${plural(health.FailingStreak, 'check')} failed in a row` : ''
  return `${health.Status}${failed}; the last ended with ${last.ExitCode}${output === '' ? '' : `: ${output}`}`
}

/** "exited (137), out of memory", "restarting, exited (1)", "running". */
export function endText({ Status, ExitCode, OOMKilled, Error: error }: ContainerState): string {
  if (Status !== 'exited' && Status !== 'dead' && Status !== 'restarting') return Status
  const how = Status === 'restarting' ? `restarting, exited (${ExitCode})` : `exited (${ExitCode})`
  return `${how}${OOMKilled ? ', out of memory' : ''}${error === '' ? '' : `: ${error}`}`
}
