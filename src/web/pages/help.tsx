/** The keys that work here. */
import { useEffect, useRef } from 'preact/hooks'
import { shortcuts } from './keys.ts'

export function Help({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const seen = new Set<string>()
  const rows = shortcuts().filter(({ key }) => !seen.has(key) && seen.add(key))
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      <dl class="keys">
        {rows.map(({ key, about }) => (
          <div key={key}>
            <dt>
              <kbd>{key === 'Enter' ? '↵' : key}</kbd>
            </dt>
            <dd>{about}</dd>
          </div>
        ))}
        <div>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Leave a field, close this</dd>
        </div>
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  )
}
