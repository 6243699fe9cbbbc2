/** Images that were built from here: step by step, each from the cache or with the reason why not. */
import { useEffect, useState } from 'preact/hooks'
import type { BuildRecord, BuildStep } from '../wire.ts'
import { ask, ofStack } from './ask.ts'
import { Badge, Empty, Waiting } from './bits.tsx'
import { LineText } from './log-line.tsx'
import { type PanelProps, pathOf } from './route.ts'
import { readOnly, stackOf } from './store.ts'
import { durationText } from './words.ts'

export function BuildsPanel({ stack }: PanelProps) {
  const [builds, setBuilds] = useState<readonly BuildRecord[] | undefined>(undefined)
  const job = stackOf(stack).value?.job
  useEffect(() => {
    const look = () => void ask<readonly BuildRecord[]>(ofStack(stack, 'builds')).then(setBuilds, () => undefined)
    look()
    if (job === undefined) return
    const clock = setInterval(look, 700)
    return () => clearInterval(clock)
  }, [stack, job])
  if (!builds) return <Waiting what="Reading…" />
  return (
    <section aria-label="Builds">
      {!readOnly.value && (
        <div class="bar">
          <a class="button" href={pathOf(stack, 'plan', { build: 'yes' })}>
            Plan a build
          </a>
        </div>
      )}
      {builds.length === 0 ? (
        <Empty title="Nothing was built from here yet">
          Images that the view builds are told here, with the reason of each step that was not cached.
        </Empty>
      ) : (
        <ul class="builds">
          {builds.map(build => (
            <Build key={`${build.image} ${build.begun}`} build={build} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Build({ build }: { readonly build: BuildRecord }) {
  const { image, begun, ended, error, steps } = build
  const longest = Math.max(1, ...steps.map(each => each.milliseconds ?? 0))
  const cached = steps.filter(each => each.state === 'cached').length
  return (
    <li class="build">
      <div class="service-head">
        <h2>{image}</h2>
        {ended === undefined ? (
          <Badge tone="warn">building</Badge>
        ) : error === undefined ? (
          <Badge tone="good">built</Badge>
        ) : (
          <Badge tone="bad">failed</Badge>
        )}
        <span class="muted">
          {cached} of {steps.length} steps cached
          {ended === undefined ? '' : `, ${durationText(ended - begun)}`}, {new Date(begun).toLocaleTimeString()}
        </span>
      </div>
      <ol class="build-steps">
        {steps.map(step => (
          <Step key={step.step} step={step} longest={longest} />
        ))}
      </ol>
    </li>
  )
}

function Step({ step, longest }: { readonly step: BuildStep; readonly longest: number }) {
  const { name, state, missed, milliseconds = 0, error } = step
  return (
    <li class={`build-step is-${state}`}>
      <span class="build-name mono">
        <LineText text={name} />
      </span>
      <span class="build-state">{state}</span>
      <span class="build-time">
        <span class="build-bar" style={{ width: `${(milliseconds / longest) * 100}%` }} />
        {milliseconds > 0 && durationText(milliseconds)}
      </span>
      {missed && <span class="build-why">not cached: {missed}</span>}
      {error && <span class="bad-text build-why">{error}</span>}
    </li>
  )
}
