/** A step of a program as an engine tells it, and what is said of steps: each in the part that it is about. */

export interface ProgramStep {
  readonly name: string
  readonly args: Readonly<Record<string, string | number | readonly string[]>>
  /** The API field behind it, or "default". */
  readonly cause: string
}

/** In the order in which they are told. */
export const abouts = ['limits', 'network', 'root', 'mounts', 'isolation', 'process'] as const
export type About = (typeof abouts)[number]

/** What one or several steps do, in a sentence. */
export interface Fact {
  readonly about: About
  readonly text: string
  readonly cause: string
  /** Their numbers in the program, from 1. */
  readonly steps: readonly number[]
}

/** Some of a sentence that several steps of the same cause share. */
export interface Part {
  readonly about: About
  /** Steps with the same are told together. */
  readonly key: string
  readonly item: string
  /** The sentence for all of them. */
  words(items: readonly string[]): string
}

/** The part of a single step. */
export function alone(about: About, text: string): Part {
  return { about, key: text, item: text, words: () => text }
}

export function textOf(step: ProgramStep, name: string): string {
  const value = step.args[name]
  return value === undefined ? '' : Array.isArray(value) ? value.join(' ') : String(value)
}
