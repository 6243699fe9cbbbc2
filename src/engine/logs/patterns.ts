/** Regular expressions as Go has them: matched in linear time, whatever the pattern. */
import { createRequire } from 'node:module'
import { Failure, messageOf } from '../../lib/failure.ts'

type Re2 = typeof import('re2js')

let loaded: Re2 | undefined
/** Loaded on first use (13 ms): few logs have patterns. */
function re2(): Re2 {
  loaded ??= createRequire(import.meta.url)('re2js') as Re2
  return loaded
}

/** Whether a text has a match somewhere. @throws Failure `invalid` in Go's words. */
export function matcher(pattern: string): (text: string) => boolean {
  const { RE2JS } = re2()
  try {
    const compiled = RE2JS.compile(pattern)
    return text => compiled.matcher(text).find()
  } catch (cause) {
    throw new Failure('invalid', messageOf(cause), { cause })
  }
}
