/** Which lines of a log are wanted: by a pattern, and by how grave they are. */

import { Failure, messageOf } from '../lib/failure.ts'
import type { LogLine } from '../targets/engine/logs/logs.ts'
import { isAtLeast, type LogLevel, levelOf } from './log-level.ts'

export interface LogWanted {
  /** A regular expression. */
  readonly grep?: string | undefined
  readonly level?: LogLevel | undefined
}

export class LogFilter {
  readonly #pattern: RegExp | undefined
  readonly #least: LogLevel | undefined
  /** By container and stream: that of the last line that had one, which holds for a stack trace after it. */
  readonly #last = new Map<string, LogLevel>()

  /** @throws Failure for a pattern that is no regular expression */
  constructor({ grep, level }: LogWanted) {
    this.#pattern = grep === undefined ? undefined : patternOf(grep)
    this.#least = level
  }

  /** The level of a line that is wanted, "none" where it is not known; undefined: it is not wanted. */
  take({ container, stream, text }: Pick<LogLine, 'container' | 'stream' | 'text'>): LogLevel | 'none' | undefined {
    const key = `${container} ${stream}`
    const level = levelOf(text) ?? this.#last.get(key)
    if (level !== undefined) this.#last.set(key, level)
    // nothing is known before the first level: it may be as grave as any
    if (this.#least !== undefined && level !== undefined && !isAtLeast(level, this.#least)) return undefined
    if (this.#pattern && !this.#pattern.test(text.replace(/\x1b\[[\d;]*m/g, ''))) return undefined
    return level ?? 'none'
  }
}

function patternOf(text: string): RegExp {
  try {
    return new RegExp(text, 'v')
  } catch {
    // what only the stricter grammar refuses, such as a lone "-" in a class
    try {
      return new RegExp(text)
    } catch (error) {
      throw new Failure('invalid', `invalid --grep "${text}": ${messageOf(error)}`, {
        hint: 'It should be a regular expression',
      })
    }
  }
}
