/** Lines of many containers on one screen: a stable colour and an aligned prefix for each. */

import { printable } from '../lib/text.ts'
import type { LogLine } from '../targets/engine/logs/logs.ts'
import type { Screen, Style } from './screen.ts'

const palette: readonly Style[] = [
  'cyan',
  'yellow',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'yellowBright',
  'greenBright',
  'magentaBright',
  'blueBright',
]

export interface LogStyle {
  readonly prefix: boolean
  readonly colour: boolean
  readonly timestamps: boolean
  /** Services known beforehand, so that colours and widths stay as they are when others appear. */
  readonly services?: readonly string[]
}

/** Writes lines as `web-1  | text`: those of stderr on stderr, unless it is a terminal, where one stream keeps the order. */
export class LogLines {
  readonly #screen: Screen
  readonly #style: LogStyle
  readonly #services: string[]
  #width: number

  constructor(screen: Screen, style: LogStyle) {
    this.#screen = screen
    this.#style = style
    // sorted: a service has its colour by its place in the stack, not by who speaks first
    this.#services = [...(style.services ?? [])].sort()
    this.#width = Math.max(0, ...this.#services.map(name => name.length + '-1 '.length))
  }

  write(line: LogLine): void {
    const time = this.#style.timestamps && line.time !== undefined ? `${line.time} ` : ''
    this.#screen[line.stream].write(
      `${this.#prefix({ service: line.service, name: nameOf(line) })}${time}${shown(line.text)}\n`,
    )
  }

  /** The end of a container among its lines, in Compose's words: "web-1 exited with code 0". */
  exited({ exitCode, restarts, ...line }: Named & { readonly exitCode: number; readonly restarts: boolean }): void {
    const text = `exited with code ${exitCode}${restarts ? ' (restarting)' : ''}`
    this.#screen.stdout.write(`${this.#paint(this.#colourOf(line.service), printable(nameOf(line)))} ${text}\n`)
  }

  /** A line that a hook has printed in a container: "web-1 ->  | text". */
  hook({ service, container }: Named, text: string): void {
    const name = `${shortName(service, container)} ->`
    this.#screen.stdout.write(`${this.#prefix({ service, name })}${shown(text)}\n`)
  }

  /** A line that is no container's, with Compose's sign of a watch. */
  own(text: string): void {
    const sign = this.#style.prefix ? `${this.#paint('greenBright', '⦿'.padStart(9))} ` : ''
    this.#screen.stdout.write(`${sign}${shown(text)}\n`)
  }

  /** As wide as the longest so far and a blank. */
  #prefix({ service, name }: { readonly service: string; readonly name: string }): string {
    if (!this.#style.prefix) return ''
    this.#width = Math.max(this.#width, name.length + 1)
    return `${this.#paint(this.#colourOf(service), `${printable(name).padEnd(this.#width)} |`)} `
  }

  #colourOf(service: string): Style {
    let index = this.#services.indexOf(service)
    if (index < 0) index = this.#services.push(service) - 1
    return palette[index % palette.length]!
  }

  #paint(style: Style, text: string): string {
    return this.#style.colour ? this.#screen.paint(style, text) : text
  }
}

type Named = Pick<LogLine, 'service' | 'container'>

function nameOf({ service, container }: Named): string {
  return shortName(service, container)
}

/** "web-1" of "shop-web-1", "web-run-1a2b" of "shop-web-run-1a2b"; a container_name stays as it is, as with Compose. */
function shortName(service: string, container: string): string {
  const at = container.lastIndexOf(`-${service}-`)
  return at > 0 && /^(\d+|run-[\da-f]+)$/.test(container.slice(at + service.length + 2))
    ? container.slice(at + 1)
    : container
}

/** Colours of the container's own stay; what moves the cursor, sets titles or rings is shown, not obeyed. */
function shown(text: string): string {
  if (!/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(text)) return text
  return text
    .replace(/\r$/, '')
    .split(/(\x1b\[[\d;]*m)/)
    .map((part, i) => (i % 2 === 1 ? part : printable(part)))
    .join('')
}
