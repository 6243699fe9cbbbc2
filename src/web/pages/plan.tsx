/** What bringing the stack up would do, and why; and the button that does exactly that. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { JobRow, PlanPreview, PlanWish } from '../wire.ts'
import { inquire, ofStack, Refused, tell } from './ask.ts'
import { Empty, Notice, Waiting } from './bits.tsx'
import { shownJob } from './job.tsx'
import { LineText } from './log-line.tsx'
import { go } from './navigate.ts'
import { ProblemList } from './problems.tsx'
import { type PanelProps, pathOf } from './route.ts'
import { readOnly, stackOf } from './store.ts'

const choices = [
  ['build', 'Build images anew'],
  ['pull', 'Pull images anew'],
  ['recreate', 'Recreate what has not changed'],
  ['removeOrphans', 'Remove services that its files no longer have'],
] as const

export function PlanPanel({ stack, query }: PanelProps) {
  const wish = wishOf(query)
  const key = JSON.stringify(wish)
  const [preview, setPreview] = useState<PlanPreview | undefined>(undefined)
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  const [isSure, setSure] = useState(false)
  const job = stackOf(stack).value?.job
  const asked = useRef(0)
  const look = async (keep?: Refused): Promise<void> => {
    const round = ++asked.current
    setPreview(undefined)
    setRefused(keep)
    setSure(false)
    try {
      const found = await inquire<PlanPreview>(ofStack(stack, 'plan'), wish)
      // of several that were asked for, the last
      if (round === asked.current) setPreview(found)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (round === asked.current) setRefused(error)
    }
  }
  // what has been applied since is another plan
  useEffect(() => {
    if (job === undefined) void look()
  }, [stack, key, job === undefined])
  const apply = async (id: string): Promise<void> => {
    try {
      const { id: started, title } = await tell<JobRow>(ofStack(stack, 'apply'), { ...wish, id })
      shownJob.value = { stack, id: started, title }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      await look(error)
    }
  }
  return (
    <section aria-label="Plan">
      {wish.to === undefined ? (
        <Choices stack={stack} query={query} />
      ) : (
        <Notice tone="warn" title={`Going back to apply ${wish.to}`}>
          With the images of then; the next up follows the files again.{' '}
          <a href={pathOf(stack, 'plan')}>Plan of the files</a>
        </Notice>
      )}
      {refused && (
        <Notice tone="bad" title={refused.problems.length > 0 ? 'The stack cannot be used as it is' : refused.message}>
          {refused.hint}
          {refused.problems.length > 0 && <ProblemList stack={stack} problems={refused.problems} />}
        </Notice>
      )}
      {!preview && !refused && <Waiting what={job === undefined ? 'Comparing…' : 'Being changed…'} />}
      {preview && (
        <Preview
          preview={preview}
          isSure={isSure}
          isBusy={job !== undefined}
          onSure={setSure}
          onApply={() => apply(preview.id)}
          onLook={() => look()}
        />
      )}
    </section>
  )
}

function wishOf({ build, pull, recreate, removeOrphans, to, services }: Readonly<Record<string, string>>): PlanWish {
  return {
    ...(build && { build: true }),
    ...(pull && { pull: true }),
    ...(recreate && { recreate: true }),
    ...(removeOrphans && { removeOrphans: true }),
    ...(to && { to: Number(to) }),
    ...(services && { services: services.split(',') }),
  }
}

function Choices({ stack, query }: PanelProps) {
  return (
    <fieldset class="choices">
      <legend class="sr-only">What the plan is to do besides</legend>
      {choices.map(([name, title]) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={query[name] !== undefined}
            onChange={({ currentTarget: { checked } }) => {
              const { [name]: _, ...rest } = query
              go(pathOf(stack, 'plan', checked ? { ...rest, [name]: 'yes' } : rest), { replace: true })
            }}
          />
          {title}
        </label>
      ))}
    </fieldset>
  )
}

interface PreviewProps {
  readonly preview: PlanPreview
  readonly isSure: boolean
  readonly isBusy: boolean
  onSure(is: boolean): void
  onApply(): void
  onLook(): void
}

function Preview({ preview, isSure, isBusy, onSure, onApply, onLook }: PreviewProps) {
  const { plan, said, id, followers } = preview
  const destroys = plan.changes.some(change => change.destroys)
  const warnings = [...plan.warnings, ...said]
  return (
    <>
      {warnings.length > 0 && (
        <Notice tone="warn" title={warnings.length === 1 ? 'A warning' : `${warnings.length} warnings`}>
          <ul class="plain">
            {warnings.map(text => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </Notice>
      )}
      {plan.steps.length === 0 ? (
        <Empty title="No changes">What runs is what the stack says.</Empty>
      ) : (
        <>
          <ul class="changes">
            {plan.changes.map(change => (
              <Change
                key={`${change.kind} ${change.name} ${change.action} ${change.containers.join()}`}
                change={change}
              />
            ))}
          </ul>
          {followers.length > 0 && (
            <p class="muted followers">
              Containers of {followers.join(', ')} are made anew when that brings another image.
            </p>
          )}
          <details class="plan-steps">
            <summary>{plan.steps.length} steps, in order</summary>
            <ol>
              {plan.steps.map(step => (
                <li key={`${step.phase} ${step.id}`}>
                  {step.operation.replaceAll('-', ' ')} <strong>{step.name}</strong>{' '}
                  <span class="muted">{step.cause}</span>
                </li>
              ))}
            </ol>
          </details>
        </>
      )}
      <div class="bar plan-bar">
        {plan.steps.length > 0 && !readOnly.value && (
          <>
            {destroys && (
              <label class="sure">
                <input type="checkbox" checked={isSure} onChange={event => onSure(event.currentTarget.checked)} />
                Data will be lost, and that is meant
              </label>
            )}
            <button type="button" class="primary" disabled={isBusy || (destroys && !isSure)} onClick={onApply}>
              Apply exactly this
            </button>
          </>
        )}
        <button type="button" onClick={onLook}>
          Compare again
        </button>
        <span class="muted mono" title="Of this plan: it is applied as it is shown, or refused">
          {id.slice(0, 12)}
        </span>
      </div>
    </>
  )
}

const signs: Readonly<Record<string, string>> = { create: '+', pull: '+', remove: '−' }

function Change({ change }: { readonly change: PlanPreview['plan']['changes'][number] }) {
  const { kind, name, action, cause, containers, fields, destroys } = change
  const sign = signs[action] ?? '~'
  return (
    <li class={`change ${sign === '+' ? 'good' : sign === '−' ? 'bad' : 'warn'}`}>
      <span class="change-sign" aria-hidden="true">
        {sign}
      </span>
      <div>
        <p>
          {kind !== 'service' && <span class="muted">{kind} </span>}
          <strong>{name}</strong> {action}
          {containers.length > 1 && <span class="muted"> {containers.length} containers</span>}
          {destroys && <span class="badge bad">its data is lost</span>}
        </p>
        <p class="muted">{cause}</p>
        {fields.length > 0 && (
          <dl class="fields">
            {fields.map(({ path, from, to }) => (
              <div key={`${path} ${from} ${to}`}>
                <dt>{path}</dt>
                <dd>
                  {from !== undefined && (
                    <del>
                      <LineText text={from === '' ? '""' : from} />
                    </del>
                  )}{' '}
                  {to !== undefined && (
                    <ins>
                      <LineText text={to === '' ? '""' : to} />
                    </ins>
                  )}
                  {from === undefined && to === undefined && 'changed'}
                </dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  )
}
