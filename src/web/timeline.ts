/** What has happened to the containers of stacks, in words: the engine's events, kept for the last hour or so. */
import type { EventMessage } from '../api/events.ts'
import { labels } from '../targets/engine/labels.ts'
import { timelineEntry } from '../view/timeline.ts'
import type { TimelineEntry } from './wire.ts'

/** Of each stack. */
const kept = 500

export class Timeline {
  readonly #entries = new Map<string, TimelineEntry[]>()
  readonly #listeners = new Map<string, Set<(entry: TimelineEntry) => void>>()

  heard(event: EventMessage): void {
    const stack = event.Actor.Attributes[labels.project]
    const entry = stack === undefined ? undefined : timelineEntry(event)
    if (stack === undefined || entry === undefined) return
    const entries = this.#entries.get(stack) ?? []
    this.#entries.set(stack, entries)
    entries.push(entry)
    if (entries.length > kept) entries.shift()
    for (const listener of this.#listeners.get(stack) ?? []) listener(entry)
  }

  /** What is known, then what comes, until the result is called. */
  follow(stack: string, listener: (entry: TimelineEntry) => void): () => void {
    for (const entry of this.#entries.get(stack) ?? []) listener(entry)
    const all = this.#listeners.get(stack) ?? new Set()
    this.#listeners.set(stack, all)
    all.add(listener)
    return () => all.delete(listener)
  }
}
