/** What can be done to a stack as a whole. */
import { signal } from '@preact/signals'
import type { JobRow } from '../wire.ts'
import { ofStack, tell } from './ask.ts'
import { shownJob } from './job.tsx'
import { go } from './navigate.ts'
import { pathOf } from './route.ts'
import { readOnly, stackOf } from './store.ts'
import { attempt } from './toast.tsx'

type Verb = 'start' | 'stop' | 'restart' | 'down'

export async function turn(stack: string, verb: Verb, services: readonly string[]): Promise<void> {
  const job = await attempt(() => tell<JobRow>(ofStack(stack, 'turn'), { verb, services }))
  if (job) shownJob.value = { stack, id: job.id, title: job.title }
}

/** What was pressed once, and does something when it is pressed again. */
const asked = signal<string | undefined>(undefined)

export function StackActions({ stack }: { readonly stack: string }) {
  const state = stackOf(stack).value
  if (readOnly.value || !state) return null
  const isThere = state.services.length > 0
  const isBusy = state.job !== undefined
  const isUp = state.services.some(({ condition }) => condition !== 'stopped' && condition !== 'created')
  return (
    <div class="actions">
      {isThere && (
        <>
          {isUp && <Act stack={stack} verb="restart" title="Restart" disabled={isBusy} />}
          {isUp ? (
            <Act stack={stack} verb="stop" title="Stop" disabled={isBusy} />
          ) : (
            <Act stack={stack} verb="start" title="Start" disabled={isBusy} />
          )}
          <Act stack={stack} verb="down" title="Down" disabled={isBusy} sure="Remove its containers?" />
        </>
      )}
      <button type="button" class="primary" disabled={isBusy} onClick={() => go(pathOf(stack, 'plan'))}>
        Plan changes
      </button>
    </div>
  )
}

function Act({
  stack,
  verb,
  title,
  disabled,
  sure,
}: {
  readonly stack: string
  readonly verb: Verb
  readonly title: string
  readonly disabled: boolean
  readonly sure?: string
}) {
  const key = `${stack} ${verb}`
  const isAsked = asked.value === key
  return (
    <button
      type="button"
      disabled={disabled}
      class={isAsked ? 'danger' : ''}
      onBlur={() => (asked.value = undefined)}
      onClick={() => {
        if (sure !== undefined && !isAsked) {
          asked.value = key
          return
        }
        asked.value = undefined
        void turn(stack, verb, [])
      }}
    >
      {isAsked ? sure : title}
    </button>
  )
}
