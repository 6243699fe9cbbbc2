/** The log pane as lines: a title, then the newest that fit, or those further back. */
import cliTruncate from 'cli-truncate'
import stringWidth from 'string-width'
import { printable } from '../lib/text.ts'
import type { Canvas, Tint } from './canvas.ts'
import { chosenRow, type PaneLine, type State } from './model.ts'

/** Columns of the name before a line, at most. */
const widest = 20

/** `height` lines, the title among them. */
export function paneLines(state: State, { width, height, tint }: Canvas): readonly string[] {
  const { log, logBack } = state
  const room = height - 1
  const end = Math.max(Math.min(room, log.length), log.length - logBack)
  const shown = log.slice(Math.max(0, end - room), end)
  const names = Math.min(widest, Math.max(0, ...shown.map(({ who }) => stringWidth(printable(who)))))
  const lines = shown.map(line => textLine(line, { names, width, tint }))
  const blank = Array.from({ length: Math.max(0, room - lines.length) }, () => '')
  const empty = shown.length === 0 && room > 0 ? [tint('weak', '  nothing was printed yet'), ...blank.slice(1)] : blank
  return [tint('weak', titleLine(state, width)), ...lines, ...empty]
}

function titleLine(state: State, width: number): string {
  const back = state.logBack === 0 ? '' : `${state.logBack} lines back, ] forward `
  const title = `── logs of ${printable(chosenRow(state)?.key ?? '')} ${back}`
  const cut = cliTruncate(title, width)
  return cut + '─'.repeat(Math.max(0, width - stringWidth(cut)))
}

interface Drawn {
  readonly names: number
  readonly width: number
  readonly tint: Tint
}

function textLine({ who, text, isNote }: PaneLine, { names, width, tint }: Drawn): string {
  const name = cliTruncate(printable(who), names)
  const lead = names === 0 ? ' ' : ` ${name}${' '.repeat(Math.max(0, names - stringWidth(name)))} │ `
  // colours would mean something else here, and a tab is as wide as its place wills
  const plain = text.replace(/\x1b\[[\d;]*m/g, '').replaceAll('\t', '    ')
  const body = cliTruncate(printable(plain), Math.max(0, width - stringWidth(lead)))
  return `${tint('weak', lead)}${isNote ? tint('doubtful', body) : body}`
}
