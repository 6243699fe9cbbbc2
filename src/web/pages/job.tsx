/** What is being done to a stack, step by step, from its beginning; and how it ended, until that is read. */
import { batch, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { JobMessage, JobStep } from '../wire.ts'
import { LineText } from './log-line.tsx'
import { watch } from './socket.ts'
import { durationText } from './words.ts'

export const shownJob = signal<{ readonly stack: string; readonly id: string; readonly title: string } | undefined>(
  undefined,
)

const steps = signal<ReadonlyMap<string, JobStep>>(new Map())
const said = signal<readonly string[]>([])
const ended = signal<Extract<JobMessage, { kind: 'ended' }> | undefined>(undefined)

/** `running`: the id of one that was begun elsewhere, perhaps. */
export function JobPanel({ stack, running }: { readonly stack: string; readonly running: string | undefined }) {
  const shown = shownJob.value?.stack === stack ? shownJob.value : undefined
  const id = shown?.id ?? running
  useEffect(() => {
    if (id === undefined) return
    if (running === id && !shown) shownJob.value = { stack, id, title: '' }
    return watch(
      { topic: 'job', job: id },
      {
        begin: () =>
          batch(() => {
            steps.value = new Map()
            said.value = []
            ended.value = undefined
          }),
        data: data => take(data as JobMessage),
      },
    )
  }, [id])
  if (id === undefined || shown === undefined) return null
  const rows = [...steps.value.values()].filter(({ operation }) => operation !== 'wait-container')
  const failed = ended.value?.error
  return (
    <section class={`job ${ended.value ? (failed === undefined ? 'good' : 'bad') : ''}`} aria-live="polite">
      <div class="job-head">
        <h2>{ended.value ? (failed === undefined ? 'Done' : 'Failed') : 'Being changed…'}</h2>
        <span class="muted">{shown.title}</span>
        <span class="spacer" />
        {ended.value && (
          <button type="button" class="quiet" onClick={() => (shownJob.value = undefined)}>
            Close
          </button>
        )}
      </div>
      {failed !== undefined && (
        <p class="job-error">
          {failed}
          {ended.value?.hint && <span class="muted"> {ended.value.hint}</span>}
        </p>
      )}
      <ul class="steps">
        {rows.map(step => (
          <li key={`${step.operation} ${step.name}`} class={`step is-${step.state}`}>
            <span class="step-what">
              {step.operation.replaceAll('-', ' ')} <strong>{step.name}</strong>
            </span>
            <span class="muted">{step.text}</span>
            <span class="step-time">{step.milliseconds === undefined ? '' : durationText(step.milliseconds)}</span>
          </li>
        ))}
      </ul>
      {said.value.length > 0 && (
        <pre class="lines">
          {said.value.map((text, at) => (
            <span key={at} class="line">
              <LineText text={text} />
            </span>
          ))}
        </pre>
      )}
    </section>
  )
}

function take(message: JobMessage): void {
  if (message.kind === 'step') {
    const { step } = message
    steps.value = new Map(steps.value).set(`${step.operation} ${step.name}`, step)
  } else if (message.kind === 'said') said.value = [...said.value, message.text].slice(-200)
  else if (message.kind === 'ended') ended.value = message
}
