/** How many changes bringing a stack up would make, as it was when it was last asked for. */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { PlanPreview } from '../wire.ts'
import { ofStack, Refused, tell } from './ask.ts'

const counts = signal<ReadonlyMap<string, number | undefined>>(new Map())

/** Undefined: nobody knows yet, or its files cannot be used. Asked for anew when `state` changes. */
export function useDrift(stack: string, state: string): number | undefined {
  useEffect(() => {
    let isGone = false
    // what changes by the second is asked for when it has settled
    const due = setTimeout(() => {
      tell<PlanPreview>(ofStack(stack, 'plan'), {}).then(
        ({ plan }) => {
          if (!isGone) counts.value = new Map(counts.peek()).set(stack, plan.changes.length)
        },
        (error: unknown) => {
          if (!(error instanceof Refused)) throw error
          if (!isGone) counts.value = new Map(counts.peek()).set(stack, undefined)
        },
      )
    }, 400)
    return () => {
      isGone = true
      clearTimeout(due)
    }
  }, [stack, state])
  return counts.value.get(stack)
}
