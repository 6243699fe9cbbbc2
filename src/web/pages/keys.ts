/** Keys that work everywhere, and those that a page adds while it is shown. */
import { signal } from '@preact/signals'

export interface Shortcut {
  /** As KeyboardEvent.key has it. */
  readonly key: string
  readonly about: string
  run(): void
}

const layers = signal<readonly (readonly Shortcut[])[]>([])

/** All in force now; what was added last comes first. */
export function shortcuts(): readonly Shortcut[] {
  return layers.value.toReversed().flat()
}

/** Until the result is called. */
export function addShortcuts(layer: readonly Shortcut[]): () => void {
  layers.value = [...layers.peek(), layer]
  return () => {
    layers.value = layers.peek().filter(each => each !== layer)
  }
}

/** Where keys are text. */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable], .xterm') !== null
}

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape' && event.target instanceof HTMLElement && isTyping(event.target)) {
    if (!event.target.closest('.xterm, .cm-editor')) event.target.blur()
    return
  }
  if (isTyping(event.target)) return
  const found = layers
    .peek()
    .toReversed()
    .flat()
    .find(({ key }) => key === event.key)
  if (!found) return
  event.preventDefault()
  found.run()
}
