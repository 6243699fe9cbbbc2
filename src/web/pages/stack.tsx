/** One stack: what it is in, what can be done, and a page for each side of it. */
import { useEffect } from 'preact/hooks'
import { StackActions } from './actions.tsx'
import { Badge, Empty, Pill, Waiting } from './bits.tsx'
import { JobPanel } from './job.tsx'
import { addShortcuts } from './keys.ts'
import { go } from './navigate.ts'
import { panels, shownTabs } from './panels.tsx'
import { type PanelProps, pathOf, type Tab } from './route.ts'
import { isThere, stackOf, troubles } from './store.ts'
import { TroubleList } from './troubles.tsx'

export function StackPage({ stack: name, tab, query }: PanelProps & { readonly tab: Tab }) {
  useEffect(
    () =>
      addShortcuts(
        shownTabs.map(({ tab: to, title }, at) => ({
          key: '1234567890a'[at]!,
          about: `To ${title.toLowerCase()}`,
          run: () => go(pathOf(name, to)),
        })),
      ),
    [name],
  )
  // on a narrow screen it may stand outside
  useEffect(
    () => document.querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }),
    [tab, isThere.value],
  )
  const stack = stackOf(name).value
  if (!isThere.value) return <Waiting what="Looking…" />
  if (!stack)
    return (
      <Empty title={`There is no stack "${name}"`}>
        <a href="/">All stacks</a>
      </Empty>
    )
  const wrong = troubles.value.filter(each => each.stack === name)
  const Panel = panels[tab]
  return (
    <>
      <div class="stack-head">
        <div>
          <h1>{name}</h1>
          <p class="stack-where">
            <Pill condition={stack.condition} />
            {stack.held && (
              <Badge title={stack.held.reasons.join('; ')} tone={stack.held.error === undefined ? 'idle' : 'bad'}>
                {stack.held.watched ? 'watched' : 'held'}
              </Badge>
            )}
            <span class="stack-folder">{stack.directory}</span>
          </p>
        </div>
        <StackActions stack={name} />
      </div>
      {stack.held?.error !== undefined && <p class="notice warn">The keeper cannot repair it: {stack.held.error}</p>}
      <JobPanel stack={name} running={stack.job} />
      <nav class="tabs" aria-label="Sides of the stack">
        {shownTabs.map(({ tab: to, title }) => (
          <a key={to} href={pathOf(name, to)} aria-current={to === tab ? 'page' : undefined}>
            {title}
            {to === 'plan' && (stack.drift?.changes ?? 0) > 0 && (
              <span class="tab-count" title="Changes that bringing it up would make">
                {stack.drift?.changes}
              </span>
            )}
            {to === 'files' && stack.drift?.error !== undefined && (
              <span class="tab-count bad" title={stack.drift.error}>
                !
              </span>
            )}
          </a>
        ))}
      </nav>
      {tab === 'services' && wrong.length > 0 && <TroubleList troubles={wrong} />}
      <Panel stack={name} query={query} key={tab} />
    </>
  )
}
