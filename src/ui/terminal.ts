/** A terminal that is drawn on as a whole: its other screen, raw keys, and given back as it was. */
import { emitKeypressEvents, type Key as ReadKey } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Key } from './model.ts'

export interface Output {
  write(text: string): boolean
  readonly columns?: number
  readonly rows?: number
  on?(event: 'resize', listener: () => void): unknown
  off?(event: 'resize', listener: () => void): unknown
}

export type Keyboard = Readable & { setRawMode(raw: boolean): unknown }

/** xterm's control sequences (ctlseqs): the other screen, the cursor hidden, lines that do not wrap. */
const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l'
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l'

export class Terminal implements Disposable {
  readonly #keyboard: Keyboard
  readonly #output: Output
  readonly #onKey: (key: Key) => void
  readonly #onResize: () => void
  #shown: readonly string[] = []
  #isOpen = false

  constructor(keyboard: Keyboard, output: Output, heard: { onKey(key: Key): void; onResize(): void }) {
    this.#keyboard = keyboard
    this.#output = output
    this.#onKey = heard.onKey
    this.#onResize = () => {
      this.#shown = []
      heard.onResize()
    }
    emitKeypressEvents(keyboard)
  }

  get width(): number {
    return this.#output.columns ?? 80
  }

  get height(): number {
    return this.#output.rows ?? 24
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#shown = []
    this.#keyboard.on('keypress', this.#hear)
    this.#output.on?.('resize', this.#onResize)
    this.#keyboard.setRawMode(true)
    this.#keyboard.resume()
    this.#output.write(enter)
  }

  /** Gives the terminal back, as it was. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#output.write(leave)
    this.#keyboard.setRawMode(false)
    this.#keyboard.pause()
    this.#keyboard.off('keypress', this.#hear)
    this.#output.off?.('resize', this.#onResize)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Only lines that are others than before are written, all in one. */
  show(lines: readonly string[]): void {
    if (!this.#isOpen) return
    const text = lines
      .map((line, index) => (line === this.#shown[index] ? '' : `\x1b[${index + 1};1H${line}\x1b[0m\x1b[K`))
      .join('')
    this.#shown = lines
    if (text !== '') this.#output.write(text)
  }

  readonly #hear = (text: string | undefined, { name, ctrl = false }: ReadKey): void => {
    this.#onKey({ name, text: text ?? '', ctrl })
  }
}
