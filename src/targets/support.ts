/** How a target honours the attributes of the format: rules as data, the table they give, and the warnings. */
import type { Place, Problem } from '../lib/problems.ts'
import { type LimitName, limitNames, limitRow } from '../model/limits.ts'

export interface Support {
  /** "services.*.ports.*.name": `*` stands for a name or an index. */
  readonly path: string
  readonly level: 'honoured' | 'partly' | 'no'
  /** Why not, or what part; undefined when honoured. */
  readonly note?: string
}

export interface Rule {
  readonly level: 'partly' | 'no'
  readonly note: string
  /** Nothing is lost by leaving it out: `support` says so, commands do not warn. */
  readonly quiet?: boolean
  /** Values, or uses, for which nothing is lost. */
  readonly unless?: RegExp | ((use: Use) => boolean)
}

/** A place where an attribute is used. */
export interface Use {
  readonly attribute: string
  readonly path: readonly string[]
  readonly place: Place | undefined
  /** Of a list of plain values, each of them. */
  readonly value: Value | readonly NonNullable<Value>[]
  /** Of what stands at another path of the same stack. */
  readonly valueAt: (path: readonly string[]) => Value
}

type Value = string | number | boolean | undefined

/** A rule holds for what is below it too; the longest path wins. */
export type Rules = Readonly<Record<string, Rule>>

export const no = (note: string, unless?: Rule['unless']): Rule => ({
  level: 'no',
  note,
  unless,
})
export const partly = (note: string, unless?: Rule['unless']): Rule => ({
  level: 'partly',
  note,
  unless,
})
export const quiet = (note: string): Rule => ({
  level: 'partly',
  note,
  quiet: true,
})

/** Limits for which a target has no place: all but these. A rule of its own wins, when it comes later. */
export function noLimits(but: readonly LimitName[], note: string): Rules {
  const others = limitNames.filter(name => !but.includes(name))
  return Object.fromEntries(others.map(name => [`services.*.${limitRow(name).key}`, no(note)]))
}

/** Of all `attributes` of the format, in their order. */
export function tableOf(rules: Rules, attributes: readonly string[]): readonly Support[] {
  return attributes.map(path => {
    const rule = ruleFor(rules, path)
    return rule ? { path, level: rule.level, note: rule.note } : { path, level: 'honoured' }
  })
}

function ruleFor(rules: Rules, path: string): Rule | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.'))))
    if (Object.hasOwn(rules, at)) return rules[at]
  return undefined
}

function isKept(use: Use, unless: NonNullable<Rule['unless']>): boolean {
  if (typeof unless === 'function') return unless(use)
  return use.value === undefined || [use.value].flat().every(value => unless.test(String(value)))
}

/** One warning for each attribute that is used and not honoured, at the first place it is used. */
export function warningsOf(rules: Rules, uses: readonly Use[]): readonly Problem[] {
  const found = new Map<string, { first: Use; count: number }>()
  for (const use of uses) {
    const rule = Object.hasOwn(rules, use.attribute) ? rules[use.attribute] : undefined
    if (!rule || rule.quiet) continue
    if (rule.unless && isKept(use, rule.unless)) continue
    const known = found.get(use.attribute)
    if (known) known.count++
    else found.set(use.attribute, { first: use, count: 1 })
  }
  return [...found].map(([attribute, { first, count }]) => {
    const { level, note } = rules[attribute]!
    const others = count > 1 ? ` (here and in ${count - 1} more ${count === 2 ? 'place' : 'places'})` : ''
    return {
      severity: 'warning',
      code: 'unsupported',
      place: first.place,
      path: first.path,
      message: `"${first.path.at(-1)}" is ${level === 'no' ? 'not honoured' : 'honoured in part'}${others}: ${note}`,
    }
  })
}
