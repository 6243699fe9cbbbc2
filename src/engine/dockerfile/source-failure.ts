/** What is wrong in a Dockerfile, and where. */
import { Failure, type FailureKind, messageOf } from '../../lib/failure.ts'

/** Of the Dockerfile, from 1, the last included. */
export interface Lines {
  readonly first: number
  readonly last: number
}

/** A failure that knows its lines, so that whoever prints it can show them. */
export class SourceFailure extends Failure {
  readonly lines: Lines

  constructor(
    message: string,
    lines: Lines,
    { kind = 'invalid', cause }: { kind?: FailureKind; cause?: unknown } = {},
  ) {
    super(kind, message, cause === undefined ? {} : { cause })
    this.lines = lines
  }
}

/** `invalid`, without lines: for whoever is told a part of an instruction. */
export const invalid = (message: string): Failure => new Failure('invalid', message)

/** Runs it; what it throws gets the lines, unless it has some of its own. */
export function atLines<T>(lines: Lines, body: () => T, prefix = ''): T {
  try {
    return body()
  } catch (error) {
    throw withLines(error, lines, prefix)
  }
}

export function withLines(error: unknown, lines: Lines, prefix = ''): unknown {
  if (!(error instanceof Failure) || (error instanceof SourceFailure && prefix === '')) return error
  const own = error instanceof SourceFailure ? error.lines : lines
  return new SourceFailure(prefix + messageOf(error), own, { kind: error.kind, cause: error })
}

/** The same for what was read from another text: lines of its own mean nothing here. */
export function movedTo<T>(lines: Lines, body: () => T): T {
  try {
    return body()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new SourceFailure(messageOf(error), lines, { kind: error.kind, cause: error })
  }
}
