/** Lines of a Dockerfile with a mark at those that are meant, and some around them. */
import type { SourceLines } from '../client/buildkit/events.ts'
import { printable } from '../lib/text.ts'
import type { Paint } from './screen.ts'

const around = 2

/** Under `Dockerfile:4`; nothing when no lines are meant. */
export function dockerfileLines({ file, text, ranges }: SourceLines, paint: Paint): readonly string[] {
  if (ranges.length === 0) return []
  const lines = text.split(/\r?\n/)
  const isMeant = (line: number) => ranges.some(({ first, last }) => line >= first && line <= last)
  const from = Math.max(1, Math.min(...ranges.map(({ first }) => first)) - around)
  const to = Math.min(lines.length, Math.max(...ranges.map(({ last }) => last)) + around)
  const width = String(to).length
  return [
    paint('cyan', `${printable(file)}:${ranges[0]!.first}`),
    ...lines.slice(from - 1, to).map((line, i) => {
      const gutter = `${String(from + i).padStart(width + 2)} |`
      const shown = printable(line.slice(0, 200))
      return isMeant(from + i)
        ? `${gutter} ${paint('red', '>>>')} ${shown}`
        : `${paint('dim', gutter)}     ${shown}`.trimEnd()
    }),
  ]
}
