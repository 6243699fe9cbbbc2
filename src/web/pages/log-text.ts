/**
 * A line that a container printed → pieces of text with their style. Nothing in it is ever markup, and nothing is lost: of ANSI sequences only
 * colour and weight take effect (ECMA-48, SGR), without those that would hide text; all other control characters, and those of Unicode that
 * turn or hide what is beside them, are shown by their names.
 */

export interface Piece {
  readonly text: string
  /** "fg-1", "bold": what pages have styles for. */
  readonly classes: string
}

interface Style {
  colour: number | undefined
  bold: boolean
  dim: boolean
  italic: boolean
  underline: boolean
}

/** C0 and C1 without tab; marks that are not seen; bidirectional controls (UAX #9), line separators, tags. */
const hidden =
  /\u034f|[\ufe00-\ufe0f]|[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]/gu
const sgr = /\x1b\[([\d;:]*)m/g

export function piecesOf(line: string): readonly Piece[] {
  const pieces: Piece[] = []
  const style = plainStyle()
  let from = 0
  const add = (text: string): void => {
    if (text === '') return
    const classes = classesOf(style)
    let at = 0
    for (const match of text.matchAll(hidden)) {
      if (match.index > at) pieces.push({ text: text.slice(at, match.index), classes })
      pieces.push({ text: nameOf(match[0]), classes: 'control' })
      at = match.index + match[0].length
    }
    if (at < text.length) pieces.push({ text: text.slice(at), classes })
  }
  for (const match of line.matchAll(sgr)) {
    add(line.slice(from, match.index))
    applyStyle(style, match[1]!)
    from = match.index + match[0].length
  }
  add(line.slice(from))
  return pieces
}

/** Without styles, for a search or a title; what is hidden is shown. */
export function plainText(line: string): string {
  return piecesOf(line)
    .map(({ text }) => text)
    .join('')
}

function plainStyle(): Style {
  return { colour: undefined, bold: false, dim: false, italic: false, underline: false }
}

function classesOf({ colour, bold, dim, italic, underline }: Style): string {
  return [
    colour === undefined ? '' : `fg-${colour}`,
    bold ? 'bold' : '',
    dim ? 'dim' : '',
    italic ? 'italic' : '',
    underline ? 'underline' : '',
  ]
    .filter(each => each !== '')
    .join(' ')
}

/** "␛" for what has a picture in Unicode, "‹U+202E›" for what has none. */
function nameOf(character: string): string {
  const code = character.codePointAt(0)!
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '␡'
  return `‹U+${code.toString(16).toUpperCase().padStart(4, '0')}›`
}

function applyStyle(style: Style, text: string): void {
  const codes = text.split(/[;:]/).map(each => (each === '' ? 0 : Number(each)))
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    if (code === 0) Object.assign(style, plainStyle())
    else if (code === 1) style.bold = true
    else if (code === 2) style.dim = true
    else if (code === 3) style.italic = true
    else if (code === 4) style.underline = true
    else if (code === 22) style.bold = style.dim = false
    else if (code === 23) style.italic = false
    else if (code === 24) style.underline = false
    else if (code >= 30 && code <= 37) style.colour = code - 30
    else if (code >= 90 && code <= 97) style.colour = code - 90
    else if (code === 39) style.colour = undefined
    else if (code === 38 || code === 48) {
      const is256 = codes[at + 1] === 5
      if (code === 38) {
        const [r, g, b] = codes.slice(at + 2, at + 5)
        style.colour = is256 ? nearOf256(codes[at + 2] ?? 7) : nearest(r ?? 0, g ?? 0, b ?? 0)
      }
      // what belongs to it
      at += is256 ? 2 : codes[at + 1] === 2 ? 4 : 0
    }
    // 8, conceal, and backgrounds would hide what is written
  }
}

/** One of the eight that pages have for dark and light: what is told by colour stays told, and stays readable. */
function nearest(r: number, g: number, b: number): number | undefined {
  const most = Math.max(r, g, b)
  const least = Math.min(r, g, b)
  if (most - least < 40) return undefined
  const half = least + (most - least) * 0.5
  return (r > half ? 1 : 0) + (g > half ? 2 : 0) + (b > half ? 4 : 0)
}

function nearOf256(index: number): number | undefined {
  if (index < 16) return index % 8
  if (index >= 232) return undefined
  const cube = index - 16
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40)
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6))
}
