/** A plan of a build as text, whatever it holds. */
import type { BuildPlan, Input, RunMount, Stage, Step } from '../../../src/engine/build/dockerfile/plan.ts'
import { SourceFailure } from '../../../src/engine/dockerfile/source-failure.ts'
import { isFailure } from '../../../src/lib/failure.ts'

export function printBuildPlan({ stages, warnings }: BuildPlan): string {
  const found = warnings.map(({ rule, message, lines }) => `warning ${span(lines)} ${rule}: ${message}`)
  return `${[...stages.flatMap(printStage), ...found].join('\n')}\n`
}

export function printFailure(error: unknown): string {
  if (!isFailure(error)) throw error
  const lines = error instanceof SourceFailure ? ` ${span(error.lines)}` : ''
  return `${error.kind}${lines}: ${error.message}\n`
}

const span = ({ first, last }: { readonly first: number; readonly last: number }): string =>
  first === last ? `@${first}` : `@${first}-${last}`

function printStage(stage: Stage): readonly string[] {
  const title = `stage ${stage.index} ${JSON.stringify(stage.name)} ${span(stage.lines)} from ${shown(stage.base)}`
  return [
    title,
    ...(stage.baseLabel === undefined ? [] : [`  ${stage.baseLabel}`]),
    ...stage.steps.flatMap(printStep),
    ...Object.entries(stage.config).map(([key, value]) => `  = ${key} ${JSON.stringify(value)}`),
    ...(stage.author === undefined ? [] : [`  = author ${JSON.stringify(stage.author)}`]),
  ]
}

function printStep(step: Step): readonly string[] {
  const history = step.createdBy === undefined ? 'no history' : step.createdBy
  return [
    `  ${span(step.lines)} ${step.kind} ${oneLine(step.label)}`,
    `      history: ${oneLine(history)}`,
    ...details(step).map(detail => `      ${oneLine(detail)}`),
  ]
}

const oneLine = (text: string): string => text.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')

function details(step: Step): readonly string[] {
  switch (step.kind) {
    case 'config':
      return []
    case 'workdir':
      return [`path ${step.path} user ${JSON.stringify(step.user)}`]
    case 'run':
      return [
        `args ${JSON.stringify(step.args)}`,
        `env ${step.env.filter(each => !each.startsWith('PATH=')).join(' ')}`,
        ...(step.proxyEnv.length > 0 ? [`proxies ${step.proxyEnv.join(' ')}`] : []),
        `in ${step.cwd} as ${JSON.stringify(step.user)} network ${step.network} ${step.security}`,
        ...step.mounts.map(printMount),
        ...(step.buildArgs.size > 0 ? [`arguments ${JSON.stringify([...step.buildArgs])}`] : []),
      ]
    default:
      return [
        `to ${step.destination} in ${step.cwd}${step.kind === 'copy' ? ` from ${shown(step.from)}` : ''}`,
        ...(step.kind === 'copy' ? step.sources : step.sources.map(each => JSON.stringify(each))).map(
          each => `source ${each}`,
        ),
        ...step.heredocs.map(({ name, content }) => `file ${name} ${JSON.stringify(content)}`),
        options(step),
      ].filter(Boolean)
  }
}

function options(step: Step & { readonly kind: 'copy' | 'add' }): string {
  const { chown, chmod, link, exclude } = step
  const own = step.kind === 'copy' ? { parents: step.parents || undefined } : { unpack: step.unpack }
  const given = { chown, chmod, link: link || undefined, exclude: exclude.length > 0 ? exclude : undefined, ...own }
  const text = JSON.stringify(given)
  return text === '{}' ? '' : `options ${text}`
}

function printMount(mount: RunMount): string {
  const { kind, target, ...rest } = mount
  const members = Object.entries(rest).map(([key, value]) =>
    key === 'from'
      ? `from=${shown(value as Input)}`
      : `${key}=${key === 'mode' ? (value as number).toString(8) : JSON.stringify(value)}`,
  )
  return [`mount ${kind}`, target ?? '-', ...members].join(' ')
}

function shown(input: Input): string {
  if (input.kind === 'scratch') return 'scratch'
  if (input.kind === 'image') return `image ${input.reference}`
  return input.kind === 'stage' ? `stage ${input.stage.index}` : `context ${input.name}`
}
