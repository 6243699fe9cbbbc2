/** Who needs whom and why something waits, with what each is in now. */
import { useEffect, useState } from 'preact/hooks'
import type { ModelService, StackModel } from '../wire.ts'
import { ask, ofStack, Refused } from './ask.ts'
import { Empty, Notice, Waiting } from './bits.tsx'
import type { Drawing } from './graph-layout.ts'
import { go } from './navigate.ts'
import { ProblemList } from './problems.tsx'
import { type PanelProps, pathOf } from './route.ts'
import { stackOf } from './store.ts'
import { waitsOf } from './waits.ts'
import { conditionWords, toneOf } from './words.ts'

type Made = { readonly drawing: Drawing; pathThrough(points: Drawing['lines'][number]['points']): string }

export function GraphPanel({ stack, query }: PanelProps) {
  const [model, setModel] = useState<StackModel | undefined>(undefined)
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  const [made, setMade] = useState<Made | undefined>(undefined)
  const parts = query['parts'] !== 'no'
  useEffect(() => {
    ask<StackModel>(ofStack(stack, 'model')).then(setModel, (error: unknown) => {
      if (error instanceof Refused) setRefused(error)
    })
  }, [stack])
  useEffect(() => {
    if (!model) return
    void import('./graph-layout.ts').then(({ drawingOf, pathThrough }) =>
      setMade({ drawing: drawingOf(model, parts), pathThrough }),
    )
  }, [model, parts])
  if (refused)
    return (
      <Notice tone="bad" title={refused.message}>
        {refused.hint}
      </Notice>
    )
  if (!model || !made) return <Waiting what="Drawing…" />
  if (model.services.length === 0)
    return model.problems.length > 0 ? (
      <ProblemList stack={stack} problems={model.problems} />
    ) : (
      <Empty title="The stack has no services" />
    )
  return (
    <section aria-label="Graph">
      <div class="bar">
        <label>
          <input
            type="checkbox"
            checked={parts}
            onChange={({ currentTarget: { checked } }) =>
              go(pathOf(stack, 'graph', checked ? {} : { parts: 'no' }), { replace: true })
            }
          />
          Networks, volumes and ports
        </label>
      </div>
      <Picture stack={stack} made={made} />
      <Waits stack={stack} services={model.services} />
    </section>
  )
}

function Picture({ stack, made: { drawing, pathThrough } }: { readonly stack: string; readonly made: Made }) {
  const rows = stackOf(stack).value?.services ?? []
  const conditionOf = (title: string) => rows.find(each => each.name === title)?.condition ?? 'created'
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
    <section class="graph" tabIndex={0} aria-label="Drawing of who needs whom">
      <svg
        width={drawing.width}
        height={drawing.height}
        viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        role="img"
        aria-label={`${drawing.boxes.length} parts, ${drawing.lines.length} connections`}
      >
        <defs>
          <marker
            id="tip"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="7"
            markerHeight="7"
            orient="auto-start-reverse"
          >
            <path d="M0,0 L8,4 L0,8 Z" class="graph-tip" />
          </marker>
        </defs>
        {drawing.lines.map(({ from, to, kind, condition, points }) => {
          const middle = points[Math.floor(points.length / 2)]!
          return (
            <g key={`${from} ${to}`}>
              <path
                d={pathThrough(points)}
                class={`graph-line is-${kind}`}
                marker-end={kind === 'needs' ? 'url(#tip)' : undefined}
              />
              {condition !== undefined && condition !== 'started' && (
                <text x={middle.x} y={middle.y - 6} class="graph-condition">
                  {condition}
                </text>
              )}
            </g>
          )
        })}
        {drawing.boxes.map(({ id, kind, title, x, y, width, height }) => (
          <g key={id} transform={`translate(${x},${y})`} class={`graph-box is-${kind}`}>
            <rect width={width} height={height} rx={kind === 'service' ? 9 : 14} />
            {kind === 'service' ? (
              <>
                <circle cx="17" cy="18" r="5" class={`graph-dot ${toneOf(conditionOf(title))}`} />
                <text x="30" y="22" class="graph-title">
                  {title}
                </text>
                <text x="30" y="37" class="graph-state">
                  {rows.some(each => each.name === title) ? conditionWords[conditionOf(title)] : 'not there'}
                </text>
              </>
            ) : (
              <text x={width / 2} y="18.5" class="graph-part">
                {title}
              </text>
            )}
          </g>
        ))}
      </svg>
    </section>
  )
}

/** The same in words. */
function Waits({ stack, services }: { readonly stack: string; readonly services: readonly ModelService[] }) {
  const rows = stackOf(stack).value?.services ?? []
  return (
    <>
      <h2 class="waits-title">Who waits for whom</h2>
      <ul class="waits">
        {services
          .filter(({ needs }) => needs.length > 0)
          .map(service => (
            <li key={service.name}>
              <strong>{service.name}</strong>
              <ul>
                {waitsOf(service, rows).map(({ text, isMet }) => (
                  <li key={text} class={isMet ? 'met' : 'unmet'}>
                    {text}
                  </li>
                ))}
              </ul>
            </li>
          ))}
      </ul>
    </>
  )
}
