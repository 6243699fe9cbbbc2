/** A step that failed, with the place in the Dockerfile it stands at: one wording for all who show it. */
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import type { Lines } from '../dockerfile/source-failure.ts'

export interface Source {
  /** As it was asked for: "Dockerfile". */
  readonly name: string
  readonly text: string
}

export class BuildFailure extends Failure {
  readonly source: Source
  readonly lines: Lines

  constructor(cause: unknown, place: { readonly source: Source; readonly lines: Lines }) {
    const given = isFailure(cause) ? cause : undefined
    super(given?.kind ?? 'internal', messageOf(cause), {
      cause,
      ...(given?.hint !== undefined && { hint: given.hint }),
      ...(given?.exitCode !== undefined && { exitCode: given.exitCode }),
    })
    this.source = place.source
    this.lines = place.lines
  }
}

/** A command that ended with another code than 0; BuildKit's words. */
export class CommandFailure extends Failure {
  readonly command: string

  constructor(args: readonly string[], code: number) {
    const command = args.join(' ')
    super('invalid', `process ${JSON.stringify(command)} did not complete successfully: exit code: ${code}`, {
      exitCode: code,
    })
    this.command = command
  }
}

/** The same in the words of Docker's classic builder, which its clients look for. */
export function classicMessage(error: unknown): string {
  const cause = error instanceof BuildFailure ? error.cause : error
  if (!(cause instanceof CommandFailure)) return messageOf(error)
  return `The command '${cause.command}' returned a non-zero code: ${cause.exitCode}`
}

/** Shown around the lines themselves. */
const context = 2

/**
 *     Dockerfile:3
 *     --------------------
 *        1 |     FROM base
 *        3 | >>> RUN false
 *     --------------------
 */
export function sourceExcerpt({ source, lines }: Pick<BuildFailure, 'source' | 'lines'>): string {
  const all = source.text.replace(/\r?\n$/, '').split(/\r?\n/)
  const first = Math.max(1, lines.first - context)
  const last = Math.min(all.length, lines.last + context)
  const shown = all.slice(first - 1, last).map((text, i) => {
    const number = first + i
    const mark = number >= lines.first && number <= lines.last ? '>>>' : '   '
    return `${String(number).padStart(4)} | ${mark} ${text}`
  })
  const rule = '-'.repeat(20)
  const place = lines.first === lines.last ? `${lines.first}` : `${lines.first}-${lines.last}`
  return [`${source.name}:${place}`, rule, ...shown, rule, ''].join('\n')
}
