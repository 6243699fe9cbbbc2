/** What commands have printed, with its colours, as a picture: an SVG of text that needs no script and no font of its own. */

/** One command and all it said, with ANSI colours. */
export interface Said {
  readonly command: string
  readonly output: string
}

interface Piece {
  readonly text: string
  readonly colour: string | undefined
  readonly bold: boolean
  readonly dim: boolean
}

const colours: Readonly<Record<number, string>> = {
  31: '#ff7b72',
  32: '#7ee787',
  33: '#e3b341',
  34: '#79c0ff',
  35: '#d2a8ff',
  36: '#76e3ea',
}
const size = { font: 14, line: 20, column: 8.43, margin: 20 } as const

/** Lines longer than `columns` are cut. */
export function terminalSvg(said: readonly Said[], { columns }: { readonly columns: number }): string {
  const lines = said.flatMap(({ command, output }, index) => [
    ...(index === 0 ? [] : ['']),
    `\x1b[32m$\x1b[0m \x1b[1m${command}\x1b[0m`,
    ...output.trimEnd().split('\n'),
  ])
  const width = Math.ceil(columns * size.column + 2 * size.margin)
  const height = lines.length * size.line + 2 * size.margin
  const rows = lines.map((line, index) => {
    const y = size.margin + (index + 1) * size.line - 6
    const spans = cut(piecesOf(line), columns).map(spanOf).join('')
    return spans === '' ? '' : `<text x="${size.margin}" y="${y}" xml:space="preserve">${spans}</text>\n`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(said.map(({ command }) => command).join(', '))}">
<style>text{font:${size.font}px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#e6edf3;white-space:pre}.b{font-weight:700}.d{fill:#8b949e}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join('')}</svg>
`
}

/** By select graphic rendition (ECMA-48, SGR); other sequences are left out. */
function piecesOf(line: string): readonly Piece[] {
  const pieces: Piece[] = []
  let style: Omit<Piece, 'text'> = { colour: undefined, bold: false, dim: false }
  for (const part of line.split(/(\x1b\[[\d;?]*[A-Za-z])/)) {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1]
    if (codes !== undefined) for (const code of codes.split(';').map(Number)) style = styled(style, code)
    else if (!part.startsWith('\x1b') && part !== '') pieces.push({ ...style, text: part })
  }
  return pieces
}

function styled(style: Omit<Piece, 'text'>, code: number): Omit<Piece, 'text'> {
  if (code === 0) return { colour: undefined, bold: false, dim: false }
  if (code === 1) return { ...style, bold: true }
  // a picture of text has no ground to turn around
  if (code === 7) return { colour: colours[34], bold: true, dim: false }
  if (code === 2) return { ...style, dim: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 39) return { ...style, colour: undefined }
  const colour = colours[code >= 90 ? code - 60 : code]
  return colour === undefined ? style : { ...style, colour }
}

function cut(pieces: readonly Piece[], columns: number): readonly Piece[] {
  let left = columns
  return pieces.flatMap(piece => {
    const text = [...piece.text].slice(0, left).join('')
    left -= [...text].length
    return text === '' ? [] : [{ ...piece, text }]
  })
}

function spanOf({ text, colour, bold, dim }: Piece): string {
  const classes = [...(bold ? ['b'] : []), ...(dim ? ['d'] : [])].join(' ')
  const attributes = `${classes === '' ? '' : ` class="${classes}"`}${colour === undefined ? '' : ` style="fill:${colour}"`}`
  return attributes === '' ? escape(text) : `<tspan${attributes}>${escape(text)}</tspan>`
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('"', '&quot;')
    .replace(/[\0-\x08\x0b-\x1f\x7f]/g, '')
}
