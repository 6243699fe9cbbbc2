/** Lines of many containers on one screen: a stable colour and an aligned prefix for each. */
import type { LogLine } from '../apply/follow.ts'
import { printable } from '../lib/text.ts'
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
    this.#width = Math.max(0, ...this.#services.map(name => name.length + 2))
  }

  write(line: LogLine): void {
    const time = this.#style.timestamps && line.time !== undefined ? `${line.time} ` : ''
    this.#screen[line.stream].write(`${this.#prefix(line)}${time}${shown(line.text)}\n`)
  }

  /** Something about a container among its lines: "exited with code 0". */
  note(line: Pick<LogLine, 'service' | 'number' | 'container'>, text: string): void {
    this.#screen.say(`${this.#prefix(line)}${this.#paint('dim', text)}`)
  }

  #prefix({ service, number, container }: Pick<LogLine, 'service' | 'number' | 'container'>): string {
    if (!this.#style.prefix) return ''
    const name = number === undefined ? shortName(service, container) : `${service}-${number}`
    this.#width = Math.max(this.#width, name.length)
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

/** "web-1" of "shop-web-1"; a container_name stays as it is. */
function shortName(service: string, container: string): string {
  const at = container.lastIndexOf(`-${service}-`)
  return at > 0 && /^\d+$/.test(container.slice(at + service.length + 2)) ? container.slice(at + 1) : container
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
