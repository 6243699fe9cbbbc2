/** Why a step is not in the cache, by what it was made of last time: pure. */
import type { StepInputs } from './step-inputs.ts'

/** Values that are told by what they were and are, in one line. */
const longestValue = 40

/** `before` is undefined when the build never got that far; `first` of the steps of its stage. */
export function missReason(before: StepInputs | undefined, now: StepInputs, first: boolean): string {
  if (before === undefined) return 'never built'
  const reasons = [...changedValues(before.values, now.values), ...changedFiles(before.files, now.files)]
  if (before.text !== now.text && reasons.length > 0) return `the instruction was "${before.text}"`
  if (reasons.length > 0) return counted(reasons)
  if (before.below !== now.below) return first ? 'base image changed' : 'the step before changed'
  return 'its result is no longer in the cache'
}

/** The step of last time that this one is: the one with its text, or else the one in its place. */
export function counterpart(steps: readonly StepInputs[], text: string, place: number): StepInputs | undefined {
  const same = steps.filter(step => step.text === text)
  return same.includes(steps[place]!) ? steps[place] : (same[0] ?? steps[place])
}

function changedValues(before: StepInputs['values'], now: StepInputs['values']): readonly string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].flatMap(name => {
    const [was, is] = [before[name], now[name]]
    if (was === is) return []
    if (was === undefined || was === '') return `${name} is new`
    if (is === undefined || is === '') return `${name} is gone`
    const short = was.length <= longestValue && is.length <= longestValue && !/[\n\r]/.test(was + is)
    return short ? `${name}: ${was} → ${is}` : `${name} changed`
  })
}

function changedFiles(before: StepInputs['files'], now: StepInputs['files']): readonly string[] {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].flatMap(place => {
    const [was, is] = [before[place], now[place]]
    if (was?.digest === is?.digest) return []
    const whole = `${place === '' ? 'the files' : `the files of ${place}`} changed`
    if (!was?.entries || !is?.entries) return whole
    const names = [...new Set([...Object.keys(is.entries), ...Object.keys(was.entries)])].sort()
    const reasons = names.flatMap(name => {
      if (was.entries![name] === is.entries![name]) return []
      if (was.entries![name] === undefined) return `${name} is new`
      return is.entries![name] === undefined ? `${name} is gone` : `${name} changed`
    })
    // a folder changes with what is in it
    const told = reasons.length > 1 ? reasons.filter((_, i) => !isAbove(reasons, i)) : reasons
    return told.length > 0 ? told : whole
  })
}

function isAbove(reasons: readonly string[], at: number): boolean {
  const name = /^(.*) changed$/.exec(reasons[at]!)?.[1]
  return name !== undefined && reasons.some(other => other.startsWith(`${name}/`))
}

function counted(reasons: readonly string[]): string {
  const more = reasons.length - 1
  return more > 0 ? `${reasons[0]}, and ${more} more` : reasons[0]!
}
