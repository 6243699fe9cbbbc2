/** What was applied to the stack: by whom, what it changed, and the way back. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { HistoryDiff, HistoryRow } from '../wire.ts'
import { ask, ofStack, Refused } from './ask.ts'
import { Badge, Empty, Notice, Waiting } from './bits.tsx'
import type { Editor } from './editor.ts'
import { type PanelProps, pathOf } from './route.ts'
import { readOnly, stackOf } from './store.ts'

export function HistoryPanel({ stack, query }: PanelProps) {
  const [rows, setRows] = useState<readonly HistoryRow[] | undefined>(undefined)
  const job = stackOf(stack).value?.job
  useEffect(() => {
    void ask<readonly HistoryRow[]>(ofStack(stack, 'history')).then(setRows)
  }, [stack, job])
  if (!rows) return <Waiting what="Reading…" />
  if (rows.length === 0)
    return <Empty title="Nothing was applied yet">Each up, scale, down and rollback is kept here.</Empty>
  const shown = Number(query['apply'] ?? 0)
  return (
    <ul class="history">
      {rows.map((row, at) => (
        <li key={row.number} class="apply">
          <div class="apply-head">
            <span class="apply-number">{row.number}</span>
            <div class="apply-what">
              <p>
                <strong>{row.command}</strong> <Outcome outcome={row.outcome} />
              </p>
              <p class="muted apply-changes">{row.what === '' ? 'nothing changed' : row.what}</p>
              <p class="muted">
                {row.user}, <time dateTime={row.begun}>{new Date(row.begun).toLocaleString()}</time>
              </p>
              {row.failures.map(failure => (
                <p key={failure} class="bad-text">
                  {failure}
                </p>
              ))}
            </div>
            {row.hasModel && row.command !== 'repair' && (
              <span class="apply-actions">
                <a
                  href={pathOf(stack, 'history', shown === row.number ? {} : { apply: String(row.number) })}
                  aria-label={`${shown === row.number ? 'Hide changes' : 'Changes'} of apply ${row.number}`}
                >
                  {shown === row.number ? 'Hide' : 'Changes'}
                </a>
                {at > 0 && !readOnly.value && (
                  <a
                    href={pathOf(stack, 'plan', { to: String(row.number) })}
                    aria-label={`Go back… to apply ${row.number}`}
                  >
                    Go back…
                  </a>
                )}
              </span>
            )}
          </div>
          {shown === row.number && <Changes stack={stack} row={row} />}
        </li>
      ))}
    </ul>
  )
}

function Outcome({ outcome }: { readonly outcome: string }) {
  if (outcome === 'done') return <Badge tone="good">done</Badge>
  return <Badge tone={outcome === 'running' ? 'warn' : 'bad'}>{outcome}</Badge>
}

const signs = { add: '+', change: '~', remove: '−' } as const

function Changes({ stack, row }: { readonly stack: string; readonly row: HistoryRow }) {
  const box = useRef<HTMLDivElement>(null)
  const [diff, setDiff] = useState<HistoryDiff | undefined>(undefined)
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    ask<HistoryDiff>(ofStack(stack, `history/${row.number}/diff`)).then(setDiff, (error: unknown) => {
      if (error instanceof Refused) setRefused(error)
    })
  }, [])
  useEffect(() => {
    if (!diff || !box.current) return
    let editor: Editor | undefined
    let isGone = false
    void import('./editor.ts').then(({ openComparison }) => {
      if (isGone || !box.current) return
      editor = openComparison({ box: box.current, before: diff.texts[0], after: diff.texts[1] })
    })
    return () => {
      isGone = true
      editor?.close()
    }
  }, [diff])
  if (refused)
    return (
      <Notice tone="bad" title={refused.message}>
        {refused.hint}
      </Notice>
    )
  if (!diff) return <Waiting what="Comparing…" />
  return (
    <div class="apply-more">
      {diff.from === 0 ? (
        <p class="muted">It is the first that is kept: all of it is new.</p>
      ) : (
        <>
          <h3>Against {diff.from}</h3>
          {diff.differences.length === 0 && <p class="muted">The same was wanted.</p>}
          <ul class="plain">
            {diff.differences.map(({ kind, name, action, changes }) => (
              <li key={`${kind} ${name}`}>
                {signs[action]} {kind !== 'service' && `${kind} `}
                <strong>{name}</strong>{' '}
                <span class="muted">
                  {changes.map(({ path, from, to }) => `${path} ${from ?? ''} → ${to ?? ''}`).join(' · ')}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <div ref={box} class="comparison" />
      <details>
        <summary>Images it was made of</summary>
        <ul class="plain mono">
          {Object.entries(row.images).map(([name, id]) => (
            <li key={name}>
              {name} <span class="muted">{id}</span>
            </li>
          ))}
        </ul>
      </details>
    </div>
  )
}
