/** Where that is given which the word under the cursor refers to: an anchor, a service, a network, a volume, another file. */
import { dirname, resolve } from 'node:path'
import { anchorIn, matches, nameIn, namesFile, namesIn, referenceAt, type Section, type Spot } from './names.ts'
import { positionAt, wordAt } from './position.ts'

export interface Target extends Spot {
  /** Absolute path. */
  readonly file: string
}

export interface DefinitionContext {
  /** Of the text itself, absolute. */
  readonly file: string
  /** The text of another file; undefined when there is none. */
  read(path: string): string | undefined
  /** Where the stack as it was last read has a name that this text does not give. */
  elsewhere?(section: Section, name: string): Target | undefined
}

export function definition(
  lines: readonly string[],
  { line, character }: { readonly line: number; readonly character: number },
  context: DefinitionContext,
): Target | undefined {
  const text = lines[line] ?? ''
  const { word, to } = wordAt(text, character)
  if (word === '') return undefined
  if (word.startsWith('*')) {
    const spot = anchorIn(lines, word.slice(1))
    return spot && { file: context.file, ...spot }
  }
  const position = positionAt(lines, line, to)
  const isKey = text[to] === ':' && position.at === 'key'
  if (!isKey && namesFile(position.path)) {
    const path = resolve(dirname(context.file), word)
    if (context.read(path) !== undefined) return { file: path, line: 0, column: 0 }
  }
  const reference = referenceAt(position.path, isKey)
  const name = reference && nameIn(reference, word)
  if (!reference || name === undefined) return undefined
  const file = extendedFile(lines, position.path, context)
  const own = file === undefined ? lines : (context.read(file)?.split(/\r?\n/) ?? [])
  const spot = namesIn(own).get(reference.section)!.get(name)
  if (spot) return { file: file ?? context.file, ...spot }
  return context.elsewhere?.(reference.section, name)
}

/** The `file` beside `extends.service`, where there is one. */
function extendedFile(
  lines: readonly string[],
  path: readonly string[],
  { file }: DefinitionContext,
): string | undefined {
  if (!matches('services.*.extends.service', path)) return undefined
  const service = namesIn(lines).get('services')!.get(path[1]!)
  for (let line = (service?.line ?? lines.length) + 1; line < lines.length; line++) {
    const text = lines[line]!
    if (/\S/.test(text) && text.length - text.trimStart().length <= service!.column) break
    const found = /^\s*(?:extends:\s*\{.*?)?file:\s*["']?([^\s"',}]+)/.exec(text)
    if (found && matches('services.*.extends.file', positionAt(lines, line, text.length).path))
      return resolve(dirname(file), found[1]!)
  }
  return undefined
}
