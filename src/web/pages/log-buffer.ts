/** The lines that are shown: the newest so many, each with a number that it keeps. */
import type { LogEntry, LogMessage } from '../wire.ts'

export interface BufferedLine extends LogEntry {
  readonly id: number
  /** Something about a container, said between its lines. */
  readonly note?: true
}

export class LogBuffer {
  readonly #most: number
  #lines: BufferedLine[] = []
  #next = 0
  #left = 0

  constructor(most = 20_000) {
    this.#most = most
  }

  get lines(): readonly BufferedLine[] {
    return this.#lines
  }

  /** How many are not shown any more, or never were. */
  get left(): number {
    return this.#left
  }

  clear(): void {
    this.#lines = []
    this.#left = 0
  }

  add({ lines, left = 0, notes = [] }: LogMessage): void {
    const more: BufferedLine[] = lines.map(line => ({ ...line, id: this.#next++ }))
    for (const { container, text } of notes)
      more.push({
        id: this.#next++,
        note: true,
        time: undefined,
        service: '',
        container,
        level: 'none',
        stream: 'stdout',
        text: `${container} ${text}`,
      })
    this.#left += left
    this.#lines = this.#lines.concat(more)
    const tooMany = this.#lines.length - this.#most
    if (tooMany > 0) {
      this.#lines = this.#lines.slice(tooMany)
      this.#left += tooMany
    }
  }
}

/** Services keep their colours, by their names: one of six. */
export function colourOf(service: string): number {
  let sum = 0
  for (const character of service) sum = (sum * 31 + character.codePointAt(0)!) % 9973
  return (sum % 6) + 1
}

/** "14:03:22.114", in the time of this machine. */
export function clockText(time: number | undefined): string {
  if (time === undefined) return ''
  const at = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const three = String(at.getMilliseconds()).padStart(3, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${three}`
}

/** What a field for date and time takes and gives, in the time of this machine. */
export function localInput(time: number): string {
  const at = new Date(time - new Date(time).getTimezoneOffset() * 60_000)
  return at.toISOString().slice(0, 19)
}
