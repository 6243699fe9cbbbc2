/** Images of the stack that were built, here or by any client of the engine: step by step, each from the cache or with the reason why not. */
import { useEffect, useState } from 'preact/hooks'
import type { BuildRow, BuildStep, Patch } from '../wire.ts'
import { Badge, Empty, Notice, Waiting } from './bits.tsx'
import { LineText } from './log-line.tsx'
import { patched } from './patched.ts'
import { type PanelProps, pathOf } from './route.ts'
import { watch } from './socket.ts'
import { readOnly } from './store.ts'
import { durationText } from './words.ts'

export function BuildsPanel({ stack }: PanelProps) {
  const [builds, setBuilds] = useState<readonly BuildRow[] | undefined>(undefined)
  const [error, setError] = useState<string | undefined>(undefined)
  useEffect(() => {
    setError(undefined)
    return watch(
      { topic: 'builds', stack },
      {
        data: data => setBuilds(before => patched(before, data as Patch<BuildRow>, each => each.ref)),
        end: setError,
      },
    )
  }, [stack])
  const newest = [...(builds ?? [])].sort((a, b) => b.begun - a.begun)
  return (
    <section aria-label="Builds">
      {!readOnly.value && (
        <div class="bar">
          <a class="button" href={pathOf(stack, 'plan', { build: 'yes' })}>
            Plan a build
          </a>
        </div>
      )}
      {error !== undefined && (
        <Notice tone="warn" title="The builder does not tell of its builds">
          {error}
        </Notice>
      )}
      {!builds ? (
        error === undefined && <Waiting what="Reading…" />
      ) : newest.length === 0 ? (
        <Empty title="Nothing of this stack was built yet">
          Each build of its images is told here, begun here or by <code>tscompose build</code>, with the reason of each
          step that was not cached.
        </Empty>
      ) : (
        <ul class="builds">
          {newest.map((build, at) => (
            <Build key={build.ref} stack={stack} build={build} isFirst={at === 0} />
          ))}
        </ul>
      )}
    </section>
  )
}

interface BuildProps {
  readonly stack: string
  readonly build: BuildRow
  readonly isFirst: boolean
}

function Build({ stack, build, isFirst }: BuildProps) {
  const { ref, image, begun, ended, error, steps, cached } = build
  const [isOpen, setOpen] = useState(isFirst)
  return (
    <li class="build">
      <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary class="service-head">
          <h2>{image}</h2>
          {ended === undefined ? (
            <Badge tone="warn">building</Badge>
          ) : error === undefined ? (
            <Badge tone="good">built</Badge>
          ) : (
            <Badge tone="bad">failed</Badge>
          )}
          <span class="muted">
            {ended !== undefined && `${cached} of ${steps} steps cached, ${durationText(ended - begun)}, `}
            {new Date(begun).toLocaleString()}
          </span>
        </summary>
        {error !== undefined && (
          <p class="bad-text">
            <LineText text={error} />
          </p>
        )}
        {isOpen && <Steps stack={stack} reference={ref} />}
      </details>
    </li>
  )
}

function Steps({ stack, reference }: { readonly stack: string; readonly reference: string }) {
  const [steps, setSteps] = useState<readonly BuildStep[]>([])
  const [error, setError] = useState<string | undefined>(undefined)
  useEffect(
    () =>
      watch(
        { topic: 'build', stack, ref: reference },
        {
          begin: () => setSteps([]),
          data: data => setSteps(before => patched(before, data as Patch<BuildStep>, each => each.step)),
          end: setError,
        },
      ),
    [stack, reference],
  )
  const longest = Math.max(1, ...steps.map(each => each.milliseconds ?? 0))
  if (error !== undefined) return <p class="muted">{error}</p>
  return (
    <ol class="build-steps">
      {steps.map(step => (
        <Step key={step.step} step={step} longest={longest} />
      ))}
    </ol>
  )
}

function Step({ step, longest }: { readonly step: BuildStep; readonly longest: number }) {
  const { name, state, missed, milliseconds = 0, error, output = '' } = step
  const shown = state === 'failed' || state === 'running' ? lastLines(output) : []
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
      {shown.length > 0 && (
        <pre class="lines build-why">
          {shown.map((text, at) => (
            <span key={at} class="line">
              <LineText text={text} />
            </span>
          ))}
        </pre>
      )}
    </li>
  )
}

function lastLines(output: string): readonly string[] {
  return output.trimEnd() === '' ? [] : output.trimEnd().split('\n').slice(-8)
}
