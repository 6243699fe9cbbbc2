/** Names and ids of what a build does, in BuildKit's way. */
import { stableHash } from '../../lib/stable-json.ts'
import type { Stage, Step } from './dockerfile/plan.ts'

/** Of something outside of the stages: "[internal] load .dockerignore". */
export function internalId(name: string): string {
  return `sha256:${stableHash(['internal', name])}`
}

export function baseId(stage: Stage): string {
  return `sha256:${stableHash(['base', stage.index])}`
}

export function stepId(stage: Stage, place: number): string {
  return `sha256:${stableHash(['step', stage.index, place])}`
}

/** Those that only change the configuration are not shown. */
export function shownSteps(stage: Stage): readonly Step[] {
  return stage.steps.filter(step => step.kind !== 'config')
}

/** "[web 2/5] RUN npm ci" → "RUN npm ci". */
export function textOf({ label }: Pick<Step, 'label'>): string {
  return label.replace(/^\[[^\]]*\] /, '')
}
