/** Where the code runs from, and which places of the sources those of a bundle are (.ci/bundle.ts writes a source map beside each). */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Of the file that runs: a bundle below build/, or this very source. */
const own = import.meta.filename

/** The bundle, undefined where the sources themselves run. */
const bundle = own.endsWith('.ts') ? undefined : own

/** What runs: a bundle, or the folder of the sources. */
export const program: string = bundle ?? fileURLToPath(new URL('..', import.meta.url))

/**
 * A stack with the lines of the bundle named by their sources: `build/engine.js:712:9` becomes `src/engine/main.ts:40:3`. As it is where
 * there is no map: whoever writes a log of a defect can do with less. The map is read each time, since it is asked for once in a process.
 */
export function withSources(stack: string, file = bundle): string {
  if (file === undefined || !stack.includes(`${file}:`)) return stack
  const map = mapOf(file)
  if (!map) return stack
  return stack
    .split('\n')
    .map(line => {
      const at = line.lastIndexOf(`${file}:`)
      const [, row, column] = /^(\d+):(\d+)/.exec(line.slice(at + file.length + 1)) ?? []
      if (at < 0 || row === undefined) return line
      const origin = map.findOrigin(Number(row), Number(column))
      if (!('fileName' in origin)) return line
      const place = `${join(file, '..', origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`
      return line.replace(`${file}:${row}:${column}`, () => place)
    })
    .join('\n')
}

function mapOf(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
  } catch {
    // none, or half of one: the places of the bundle are told
    return undefined
  }
}
