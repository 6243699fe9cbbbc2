/** Memory that work has left behind is given back when nothing has been done for a moment: an engine waits for days between two bursts. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { trimMemory } from '../../runtime/native.ts'

interface Memory {
  /** Resident bytes of this process. */
  readonly size: () => number
  /** Gives back what nobody uses. */
  readonly release: () => void
}

/** As long as it is quiet before. */
const quiet = 2000
/** Less is not worth a stop of some ten milliseconds. */
const worth = 8_000_000

export class Tidy {
  readonly #memory: Memory
  #timer: NodeJS.Timeout | undefined
  /** After it was last given back. */
  #least = 0

  constructor(memory: Memory = own) {
    this.#memory = memory
  }

  /** Something has been done. */
  readonly after = (): void => {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#release(), quiet).unref()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #release(): void {
    if (this.#memory.size() < this.#least + worth) return
    this.#memory.release()
    this.#least = this.#memory.size()
  }
}

type Collect = (options: { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' }) => void
let collect: Collect | undefined

const own: Memory = {
  size: () => process.memoryUsage.rss(),
  release: () => {
    if (!collect) {
      // only contexts that are made with the flag have it
      setFlagsFromString('--expose-gc')
      collect = runInNewContext('gc') as Collect
    }
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    trimMemory()
  },
}
