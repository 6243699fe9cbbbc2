/** The terminal as commands see it: data on stdout, status on stderr, colour where it is wanted. */
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

/** What a Screen writes to; process.stdout and process.stderr, or a recorder in tests. */
export interface Sink {
  write(text: string | Uint8Array): boolean
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  once?(event: 'drain', listener: () => void): unknown
  on?(event: 'resize', listener: () => void): unknown
  off?(event: 'resize', listener: () => void): unknown
}

export interface ScreenOptions {
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stdinIsTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly ansi: 'auto' | 'always' | 'never'
  readonly statusOnStdout?: boolean
}

/** Paints text when its stream shows colours. */
export type Paint = (style: Style, text: string) => string

export class Screen {
  readonly stdout: Sink
  readonly stderr: Sink
  /** Where status is written: stderr, or stdout with COMPOSE_STATUS_STDOUT. */
  readonly status: Sink
  readonly stdinIsTTY: boolean
  /** For text that goes to stdout. */
  readonly paint: Paint
  /** For text that goes to where status is written. */
  readonly paintStatus: Paint
  readonly #env: Readonly<Record<string, string | undefined>>

  constructor(options: ScreenOptions) {
    this.stdout = options.stdout
    this.stderr = options.stderr
    this.status = options.statusOnStdout ? options.stdout : options.stderr
    this.stdinIsTTY = options.stdinIsTTY
    this.#env = options.env
    this.paint = painter(wantsColour(options, options.stdout))
    this.paintStatus = painter(wantsColour(options, this.status))
  }

  /** A terminal that can move its cursor and has a size, where status goes: where listr2 may draw. */
  get isLive(): boolean {
    return this.status.isTTY === true && this.#env['TERM'] !== 'dumb' && (this.status.columns ?? 0) > 0
  }

  get width(): number {
    return this.stdout.columns ?? 80
  }

  /** Data: a line on stdout. */
  print(line: string): void {
    this.stdout.write(`${line}\n`)
  }

  /** Data: many lines in one write. */
  printAll(lines: readonly string[]): void {
    if (lines.length > 0) this.print(lines.join('\n'))
  }

  /** Data: bytes, waiting for a reader who is slower than their source. */
  async writeOut(bytes: Uint8Array): Promise<void> {
    if (this.stdout.write(bytes) || !this.stdout.once) return
    await new Promise<void>(resolve => this.stdout.once!('drain', resolve))
  }

  /** Status: a line on stderr, as a rule. */
  say(line: string): void {
    this.status.write(`${line}\n`)
  }

  warn(line: string): void {
    this.say(`${this.paintStatus('yellow', 'warning')} ${line}`)
  }
}

function wantsColour({ ansi, env }: ScreenOptions, sink: Sink): boolean {
  if (ansi !== 'auto') return ansi === 'always'
  // no-color.org: present and not empty means no
  if (env['NO_COLOR']) return false
  if (env['FORCE_COLOR'] && env['FORCE_COLOR'] !== '0') return true
  return sink.isTTY === true && env['TERM'] !== 'dumb'
}

function painter(colour: boolean): Paint {
  return colour ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text
}
