/** What is wrong with a template, with its place, in the words of Go's text/template as far as scripts look at them. */
import { Failure } from '../lib/failure.ts'

/** @param at index into `source` */
export function templateFailure(source: string, at: number, what: string, hint?: string): Failure {
  const before = source.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  return new Failure(
    'invalid',
    `template parsing error: template: :${line}:${column}: ${what}`,
    hint === undefined ? {} : { hint },
  )
}
