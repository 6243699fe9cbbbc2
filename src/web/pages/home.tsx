/** All stacks: first what is wrong, then each in a row. */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Drift, StackState } from '../wire.ts'
import { Badge, Dot, Empty, Pill, Waiting } from './bits.tsx'
import { addShortcuts } from './keys.ts'
import { go } from './navigate.ts'
import { pathOf } from './route.ts'
import { openedSnapshot, openSnapshot, SnapshotView, saveSnapshot } from './snapshot.tsx'
import { isThere, stackNames, stackOf, troubles } from './store.ts'
import { attempt } from './toast.tsx'
import { TroubleList } from './troubles.tsx'
import { summaryOf } from './words.ts'

const filter = signal('')

export function Home() {
  useEffect(
    () =>
      addShortcuts([
        { key: 'j', about: 'To the next stack', run: () => step(1) },
        { key: 'k', about: 'To the stack before', run: () => step(-1) },
      ]),
    [],
  )
  if (openedSnapshot.value)
    return (
      <>
        <p class="bar">
          <button type="button" onClick={() => (openedSnapshot.value = undefined)}>
            Back to the stacks as they are
          </button>
        </p>
        <SnapshotView snapshot={openedSnapshot.value} />
      </>
    )
  if (!isThere.value) return <Waiting what="Looking…" />
  const names = stackNames.value
  const wanted = filter.value.trim().toLowerCase()
  const shown = wanted === '' ? names : names.filter(name => matches(stackOf(name).value, wanted))
  return (
    <>
      {troubles.value.length > 0 && (
        <section aria-labelledby="attention">
          <h2 id="attention">
            Needs attention <span class="count">{troubles.value.length}</span>
          </h2>
          <TroubleList troubles={troubles.value} withStack />
        </section>
      )}
      <section aria-labelledby="stacks">
        <div class="section-head">
          <h1 id="stacks">
            Stacks <span class="count">{names.length}</span>
          </h1>
          <input
            class="filter"
            type="search"
            data-filter
            placeholder="Filter"
            aria-label="Filter stacks by name, service or folder"
            value={filter.value}
            onInput={event => (filter.value = event.currentTarget.value)}
            onKeyDown={event => {
              if (event.key === 'Enter' && shown[0] !== undefined) go(pathOf(shown[0]))
            }}
          />
        </div>
        {names.length === 0 ? (
          <Empty title="No stacks yet">
            Bring one up with <code>tscompose up -d</code>; it appears here at once.
          </Empty>
        ) : shown.length === 0 ? (
          <Empty title="No stack matches" />
        ) : (
          <ul class="stacks">
            {shown.map(name => (
              <Row key={name} name={name} />
            ))}
          </ul>
        )}
        <SnapshotBar />
      </section>
    </>
  )
}

/** What is shown now, for somebody else; and what somebody else has sent. */
function SnapshotBar() {
  return (
    <p class="snapshot-bar">
      <button type="button" onClick={() => void attempt(saveSnapshot)}>
        Save a snapshot
      </button>
      <label class="button">
        Open a snapshot
        <input
          class="sr-only"
          type="file"
          accept=".html,.json"
          onChange={({ currentTarget: { files } }) => {
            const file = files?.[0]
            if (file) void attempt(() => openSnapshot(file))
          }}
        />
      </label>
      <span class="muted">A file with the states, causes and last lines of all stacks, to share.</span>
    </p>
  )
}

function matches(stack: StackState | undefined, wanted: string): boolean {
  if (!stack) return false
  const { name, directory = '', services } = stack
  return [name, directory, ...services.map(each => each.name)].some(text => text.toLowerCase().includes(wanted))
}

function Row({ name }: { readonly name: string }) {
  const stack = stackOf(name).value
  if (!stack) return null
  const { condition, services, directory, urls, held, job, drift } = stack
  return (
    <li class="stack-row">
      <a class="stack-link" href={pathOf(name)} data-stack={name}>
        <span class="stack-name">{name}</span>
        <span class="stack-folder">{directory}</span>
      </a>
      <span class="stack-state">
        <Pill condition={condition} />
        {job !== undefined && <Badge tone="warn">being changed</Badge>}
        {drift && <DriftBadge stack={name} drift={drift} />}
        {held && (
          <Badge title={held.reasons.join('; ')} tone={held.error === undefined ? 'idle' : 'bad'}>
            {held.watched ? 'watched' : 'held'}
            {held.state === 'settled' ? '' : `: ${held.state}`}
          </Badge>
        )}
      </span>
      <span class="stack-services">
        <span class="dots">
          {services.map(service => (
            <Dot key={service.name} condition={service.condition} title={`${service.name}: ${service.condition}`} />
          ))}
        </span>
        <span class="muted">{summaryOf(services)}</span>
      </span>
      <span class="stack-urls">
        {urls
          .filter(({ URL: url }) => url.startsWith('http'))
          .slice(0, 3)
          .map(({ URL: url }) => (
            <a key={url} href={url} target="_blank" rel="noreferrer">
              {url.replace(/^https?:\/\/localhost/, '')}
            </a>
          ))}
      </span>
    </li>
  )
}

/** What bringing it up would change, and the way there. */
function DriftBadge({ stack, drift: { changes, error } }: { readonly stack: string; readonly drift: Drift }) {
  if (error !== undefined)
    return (
      <a class="badge bad" href={pathOf(stack, 'files')} title={error}>
        files have errors
      </a>
    )
  if (changes === 0) return null
  return (
    <a class="badge warn" href={pathOf(stack, 'plan')} title="What bringing it up would change">
      {changes === 1 ? '1 change' : `${changes} changes`}
    </a>
  )
}

function step(by: 1 | -1): void {
  const links = [...document.querySelectorAll<HTMLElement>('.stack-link')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  links[Math.min(Math.max(at < 0 && by < 0 ? links.length - 1 : at + by, 0), links.length - 1)]?.focus()
}
