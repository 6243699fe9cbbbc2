/** A terminal in one of the containers. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { Empty } from './bits.tsx'
import { go } from './navigate.ts'
import { type PanelProps, pathOf } from './route.ts'
import type { ShellTerminal } from './shell-terminal.ts'
import { readOnly, stackOf } from './store.ts'

export function TerminalPanel({ stack, query }: PanelProps) {
  const containers = (stackOf(stack).value?.services ?? [])
    .flatMap(({ replicas }) => replicas)
    .filter(({ condition }) => ['running', 'unhealthy', 'starting'].includes(condition))
  const names = containers.map(each => each.name)
  const chosen = query['container'] ?? names[0]
  if (readOnly.value) return <Empty title="This view only shows">It was started with --read-only.</Empty>
  if (chosen === undefined) return <Empty title="Nothing runs" />
  return (
    <section aria-label="Terminal">
      <div class="bar">
        <label>
          Container
          <select
            value={chosen}
            onChange={event =>
              go(pathOf(stack, 'terminal', { container: event.currentTarget.value }), { replace: true })
            }
          >
            {[...new Set([chosen, ...names])].map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Shell key={chosen} container={chosen} />
    </section>
  )
}

function Shell({ container }: { readonly container: string }) {
  const box = useRef<HTMLDivElement>(null)
  const [state, setState] = useState('Opening…')
  const [round, setRound] = useState(0)
  useEffect(() => {
    let shell: ShellTerminal | undefined
    let isGone = false
    void import('./shell-terminal.ts').then(({ openShell }) => {
      if (isGone || !box.current) return
      shell = openShell({ box: box.current, container, onState: setState })
      shell.focus()
    })
    return () => {
      isGone = true
      shell?.close()
    }
  }, [round])
  return (
    <>
      <div ref={box} class="shell-box" />
      <p class="muted terminal-foot" role="status">
        {state}
        {state !== '' && state !== 'Opening…' && (
          <button type="button" class="quiet" onClick={() => setRound(before => before + 1)}>
            Open another
          </button>
        )}
      </p>
    </>
  )
}
