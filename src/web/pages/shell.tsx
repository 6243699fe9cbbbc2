/** The frame of all pages: where one is, whether it is live, the help. */
import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { Empty, Notice } from './bits.tsx'
import { Help } from './help.tsx'
import { Home } from './home.tsx'
import { addShortcuts } from './keys.ts'
import { go, route } from './navigate.ts'
import { connection } from './socket.ts'
import { StackPage } from './stack.tsx'
import { about, engine, readOnly } from './store.ts'
import { Toast } from './toast.tsx'

const isHelpOpen = signal(false)

export function Shell() {
  useEffect(
    () =>
      addShortcuts([
        { key: '?', about: 'Show these keys', run: () => (isHelpOpen.value = !isHelpOpen.value) },
        { key: 'h', about: 'Go to all stacks', run: () => go('/') },
        {
          key: '/',
          about: 'Go to the filter',
          run: () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
        },
      ]),
    [],
  )
  const at = route.value
  const title = at.page === 'stack' ? `${at.stack} · tscompose` : 'Stacks · tscompose'
  useEffect(() => {
    document.title = title
  }, [title])
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="top">
        <nav class="top-inner" aria-label="Place">
          <a class="brand" href="/" aria-current={at.page === 'home' ? 'page' : undefined}>
            <Mark />
            <span class="brand-name">tscompose</span>
          </a>
          {at.page === 'stack' && (
            <span class="crumb">
              <span aria-hidden="true">/</span> {at.stack}
            </span>
          )}
          <span class="spacer" />
          {about.value && readOnly.value && <span class="badge idle">read-only</span>}
          <Connection />
          <button
            type="button"
            class="quiet key-button"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={() => (isHelpOpen.value = true)}
          >
            <kbd>?</kbd>
          </button>
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        <Engine />
        {at.page === 'home' ? <Home /> : <StackPage key={at.stack} stack={at.stack} tab={at.tab} query={at.query} />}
      </main>
      <Toast />
      {isHelpOpen.value && <Help onClose={() => (isHelpOpen.value = false)} />}
    </>
  )
}

function Connection() {
  const state = connection.value
  return (
    <span class={`connection is-${state}`} role="status">
      <span class="pulse" aria-hidden="true" />
      {state === 'live' ? 'live' : state === 'away' ? 'connecting' : 'logged out'}
    </span>
  )
}

function Engine() {
  if (connection.value === 'out')
    return (
      <Empty title="Not logged in any more">
        Open the address that <code>tscompose web</code> printed last.
      </Empty>
    )
  const error = engine.value?.error
  if (error === undefined) return null
  return (
    <Notice tone="bad" title="The engine cannot be reached">
      {error}. What is shown is what was known last.
    </Notice>
  )
}

/** Two boxes, one behind the other: a stack. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
      <rect x="2" y="6.5" width="11" height="11" rx="2.5" class="mark-back" />
      <rect x="7" y="2.5" width="11" height="11" rx="2.5" class="mark-front" />
    </svg>
  )
}
