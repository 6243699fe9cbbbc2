/** Failures and Problems as text: where, what, the line with a caret, what to do; or as JSON. */
import { readFileSync } from 'node:fs'
import { withSources } from '../installation/source-places.ts'
import { Failure, messageOf } from '../lib/failure.ts'
import { type Place, PlacedFailure, type Problem } from '../lib/problems.ts'
import { indent, plural, printable } from '../lib/text.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { Paint, Screen } from './screen.ts'

export interface FailureText {
  /** Show the chain of causes. */
  readonly verbose: boolean
  readonly json: boolean
}

/** The last thing a failed command prints, on stderr, as one line of JSON with `--format json`: stdout holds the data asked for and nothing else. */
export function printFailure(error: unknown, screen: Screen, { verbose, json }: FailureText): void {
  if (json) {
    screen.say(JSON.stringify(failureJson(error)))
    return
  }
  screen.say(failureText(error, screen.paintStatus, verbose))
}

/** `error` for people. */
export function failureText(error: unknown, paint: Paint, verbose = false): string {
  if (error instanceof AggregateError) return error.errors.map(each => failureText(each, paint, verbose)).join('\n')
  const problems = error instanceof PlacedFailure ? error.problems : []
  const lines =
    problems.length > 0
      ? [problemsText(problems, paint)]
      : [`${paint(['red', 'bold'], 'error')} ${printable(messageOf(error))}`]
  if (problems.length === 0 && error instanceof Failure && error.hint !== undefined)
    lines.push(indent(printable(error.hint)))
  // What is no Failure is a fault of ours: its stack is the only thing that helps whoever reads the report.
  if (!(error instanceof Failure) || (verbose && error.kind === 'internal'))
    lines.push(indent(printable(stackOf(error))))
  if (verbose) lines.push(...causes(error).map(cause => indent(`caused by: ${printable(cause)}`)))
  return lines.join('\n')
}

/** Problems in the order of their places, errors after warnings of the same place, with a line that counts them. */
export function problemsText(problems: readonly Problem[], paint: Paint): string {
  const sources = new Map<string, readonly string[] | undefined>()
  const errors = problems.filter(problem => problem.severity === 'error').length
  return [
    ...problems.map(problem => problemText(problem, paint, sources)),
    ...(errors > 1 ? [paint('bold', plural(errors, 'error'))] : []),
  ].join('\n\n')
}

function problemText(problem: Problem, paint: Paint, sources: Map<string, readonly string[] | undefined>): string {
  const mark = problem.severity === 'error' ? paint(['red', 'bold'], 'error') : paint(['yellow', 'bold'], 'warning')
  const { place } = problem
  const where = place ? `${paint('cyan', placeText(place))} ` : ''
  const field = problem.path.length > 0 ? paint('bold', printable(problem.path.join('.'))) : ''
  const text = printable(problem.message)
  return [
    ...(where || field ? [`${mark} ${where}${field}`.trimEnd(), indent(text)] : [`${mark} ${text}`]),
    ...(place ? excerpt(place, paint, sources) : []),
    ...(problem.hint === undefined ? [] : [indent(paint('green', printable(problem.hint)))]),
    ...(place?.via ?? []).map(stop => indent(paint('dim', printable(stop)))),
  ].join('\n')
}

/** `compose.yaml:7:9`. */
export function placeText({ file, line, column }: Place): string {
  return `${printable(file)}:${line}:${column}`
}

/** The source line under its number, and a caret under the column; nothing when the file cannot be read any more. */
function excerpt(place: Place, paint: Paint, sources: Map<string, readonly string[] | undefined>): string[] {
  if (!sources.has(place.file)) sources.set(place.file, sourceLines(place.file))
  const line = sources.get(place.file)?.[place.line - 1]
  if (line === undefined) return []
  // A line longer than any screen (minified JSON is YAML) is shown around its column.
  const from = Math.max(0, place.column - 60)
  const shown = line.slice(from, from + 100)
  const gutter = `${place.line} | `
  // Tabs stay tabs, so that the caret stands where the terminal puts the column.
  const lead = shown.slice(0, place.column - 1 - from).replace(/[^\t]/g, ' ')
  return [
    `    ${paint('dim', gutter)}${printable(shown)}`,
    `    ${' '.repeat(gutter.length - 2)}${paint('dim', '|')} ${lead}${paint(['red', 'bold'], '^')}`,
  ]
}

function sourceLines(file: string): readonly string[] | undefined {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch {
    // stdin, or gone since it was loaded: the message says the place, the excerpt is an extra
    return undefined
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error
    ? withSources(error.stack ?? '')
        .split('\n')
        .slice(1, 6)
        .join('\n')
        .replace(/^ +/gm, '')
    : ''
}

function causes(error: unknown): string[] {
  const found: string[] = []
  let cause = error instanceof Error ? error.cause : undefined
  // a chain that bites its own tail would never end
  while (cause !== undefined && found.length < 16) {
    found.push(
      cause instanceof Error && !(cause instanceof Failure) ? `${cause.name}: ${cause.message}` : messageOf(cause),
    )
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return found
}

/** `error` for programs: problems with their places, or the message; `version` counts changes of this shape. */
export function failureJson(error: unknown): object {
  const problems = error instanceof PlacedFailure ? error.problems : []
  return {
    version: 1,
    error: {
      kind: error instanceof Failure ? error.kind : 'internal',
      message: messageOf(error),
      ...(error instanceof Failure && error.hint !== undefined ? { hint: error.hint } : {}),
      exitCode: exitCodeOf(error),
      problems: problems.map(({ severity, code, place, path, message, hint }) => ({
        severity,
        code,
        ...(place ? { file: place.file, line: place.line, column: place.column, via: place.via ?? [] } : {}),
        path,
        message,
        ...(hint === undefined ? {} : { hint }),
      })),
    },
  }
}
