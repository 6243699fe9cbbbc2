/** What went wrong with something that was asked for from here, until it is read. */
import { signal } from '@preact/signals'
import { Refused } from './ask.ts'

interface Said {
  readonly text: string
  readonly hint?: string | undefined
}

const said = signal<Said | undefined>(undefined)

/** Does `work`; shows why it was refused. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    said.value = undefined
    return await work()
  } catch (error) {
    said.value = {
      text: error instanceof Error ? error.message : String(error),
      hint: error instanceof Refused ? error.hint : undefined,
    }
    return undefined
  }
}

export function Toast() {
  if (!said.value) return null
  const { text, hint } = said.value
  return (
    <div class="toast" role="alert">
      <div>
        <p class="notice-title">{text}</p>
        {hint && <p>{hint}</p>}
      </div>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          said.value = undefined
        }}
      >
        Close
      </button>
    </div>
  )
}
