/** What the server has told of stacks: each in a signal of its own, so that a change draws one row anew. */
import { batch, computed, type Signal, signal } from '@preact/signals'
import type { About, BoardMessage, EngineState, Patch, StackState, Trouble } from '../wire.ts'
import { watch } from './socket.ts'

export const engine = signal<EngineState | undefined>(undefined)
export const about = signal<About | undefined>(undefined)
/** In order of their names. */
export const stackNames = signal<readonly string[]>([])
export const troubles = signal<readonly Trouble[]>([])
/** Whether anything was told yet. */
export const isThere = signal(false)

const stacks = new Map<string, Signal<StackState | undefined>>()

/** The signal of a stack, which may not be there yet, or any more. */
export function stackOf(name: string): Signal<StackState | undefined> {
  const found = stacks.get(name)
  if (found) return found
  const made = signal<StackState | undefined>(undefined)
  stacks.set(name, made)
  return made
}

export const readOnly = computed(() => about.value?.readOnly ?? true)

export function watchBoard(): () => void {
  return watch({ topic: 'board' }, { data: data => apply(data as BoardMessage) })
}

export function apply(message: BoardMessage): void {
  batch(() => {
    if (message.engine) engine.value = message.engine
    if (message.stacks) applyStacks(message.stacks)
    if (message.troubles) {
      const { whole, set, gone } = message.troubles
      const before = whole ? [] : troubles.value
      const changed = new Map(set.map(each => [each.id, each]))
      const kept = before.flatMap(each => {
        const now = changed.get(each.id)
        changed.delete(each.id)
        return gone.includes(each.id) ? [] : [now ?? each]
      })
      troubles.value = [...kept, ...changed.values()]
    }
    isThere.value = true
  })
}

function applyStacks({ whole, set, gone }: Patch<StackState>): void {
  const names = new Set(whole ? [] : stackNames.value)
  const left = whole ? stackNames.value.filter(name => !set.some(each => each.name === name)) : gone
  for (const name of left) {
    names.delete(name)
    stackOf(name).value = undefined
  }
  for (const stack of set) {
    names.add(stack.name)
    stackOf(stack.name).value = stack
  }
  const sorted = [...names].sort()
  if (sorted.join('\n') !== stackNames.value.join('\n')) stackNames.value = sorted
}
