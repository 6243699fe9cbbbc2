/**
 * Matching of wildcards in a time that grows with both lengths, whatever the pattern: all ways at once. An expression with many stars
 * tries one way after the other, which takes for ever on a text that was made for it.
 */

export type Token =
  /** One character that passes. */
  | { readonly kind: 'one'; readonly test: (char: string) => boolean }
  /** Any number of them. */
  | { readonly kind: 'many'; readonly test: (char: string) => boolean }
  /** The next `count` tokens, or nothing. */
  | { readonly kind: 'optional'; readonly count: number }

/** Lengths, in characters and rising, of what matches as a whole from `start` on. */
export function* matchingLengths(tokens: readonly Token[], text: readonly string[], start = 0): Generator<number> {
  // which tokens may be next; the last place is the end
  let states = new Uint8Array(tokens.length + 1)
  let next = new Uint8Array(tokens.length + 1)
  states[0] = 1
  for (let at = start; ; at++) {
    reach(tokens, states)
    if (states[tokens.length]) yield at - start
    const char = text[at]
    if (char === undefined || !step(tokens, states, next, char)) return
    ;[states, next] = [next, states]
    next.fill(0)
  }
}

export function matchesWhole(tokens: readonly Token[], text: string): boolean {
  const chars = [...text]
  for (const length of matchingLengths(tokens, chars)) if (length === chars.length) return true
  return false
}

/** Whether any way is left. */
function step(tokens: readonly Token[], states: Uint8Array, next: Uint8Array, char: string): boolean {
  let any = false
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!
    if (!states[i] || token.kind === 'optional' || !token.test(char)) continue
    next[token.kind === 'many' ? i : i + 1] = 1
    any = true
  }
  return any
}

/** What is reached without a character: always further on. */
function reach(tokens: readonly Token[], states: Uint8Array): void {
  for (let i = 0; i < tokens.length; i++) {
    if (!states[i]) continue
    const token = tokens[i]!
    if (token.kind === 'one') continue
    states[i + 1] = 1
    if (token.kind === 'optional') states[i + 1 + token.count] = 1
  }
}
