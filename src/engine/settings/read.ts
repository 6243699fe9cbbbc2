/** Settings from their file: YAML (and so JSON), checked whole; what is wrong is told with its line and column, all of it at once. */
import { readFileSync, statSync } from 'node:fs'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { nearest, type Place, Problems } from '../../lib/problems.ts'
import { type Settings, settingsSchema } from './schema.ts'

/** More than anybody writes by hand. */
const largest = 1024 * 1024

/** @throws Failure `invalid`, a ProblemsFailure for what stands in it. */
export function readSettings(path: string): Settings {
  let text: string
  try {
    const { size } = statSync(path)
    if (size > largest)
      throw new Failure(
        'invalid',
        `Cannot read settings "${path}": it has ${size} bytes, and ${largest} are read at most`,
      )
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof Failure) throw cause
    throw new Failure('invalid', `Cannot read settings "${path}": ${errnoOf(cause) ?? 'it failed'}`, { cause })
  }
  return parseSettings(text, path)
}

/** `path` is what messages call it. @throws ProblemsFailure. */
export function parseSettings(text: string, path: string): Settings {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'silent',
  })
  const problems = new Problems()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { file: path, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const error = (offset: number, at: readonly string[], message: string, hint?: string) =>
    problems.add({
      severity: 'error',
      code: 'engine-settings',
      place: placeAt(offset),
      path: at,
      message,
      ...(hint !== undefined && { hint }),
    })
  for (const { pos, message } of [...document.errors, ...document.warnings]) error(pos[0], [], message)
  problems.settle()
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    // aliases that multiply, or lead nowhere
    if (!(cause instanceof ReferenceError)) throw cause
    error(0, [], cause.message)
  }
  problems.settle()
  // an empty file says nothing
  const result = settingsSchema.safeParse(data ?? {})
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const at = issue.path.map(String)
    if (issue.code !== 'unrecognized_keys') {
      error(offsetOf(document.contents, at), at, issue.message)
      continue
    }
    for (const key of issue.keys) {
      const known = at.length === 0 ? nearest(key, Object.keys(settingsSchema.shape)) : undefined
      error(
        offsetOf(document.contents, [...at, key], true),
        [...at, key],
        'There is no such setting',
        known === undefined ? undefined : `Did you mean "${known}"?`,
      )
    }
  }
  problems.settle()
  throw new Error('a schema that refuses without an issue')
}

/** Where the value at a path begins, or its key; what is not there is where the one around it begins. */
function offsetOf(root: unknown, path: readonly string[], ofKey = false): number {
  let node = root
  let at = startOf(root) ?? 0
  for (const [i, name] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === name)
      if (pair === undefined) return at
      node = ofKey && i === path.length - 1 ? pair.key : pair.value
    } else if (isSeq(node)) node = node.items[Number(name)]
    else return at
    at = startOf(node) ?? at
  }
  return at
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined
}
