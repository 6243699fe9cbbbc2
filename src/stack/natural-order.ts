/** The order of keys in YAML that Go writes: FOO2 before FOO10, signs before letters, a letter before a sign after a digit. */

/** For `sort`. */
export function naturally(a: string, b: string): number {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  if (at === a.length || at === b.length) return a.length - b.length
  const [left, right] = [isLetter(a[at]!), isLetter(b[at]!)]
  if (left !== right) {
    const afterDigit = at > 0 && /\p{Nd}/u.test(a[at - 1]!)
    return left === afterDigit ? -1 : 1
  }
  if (!left) {
    const [one, other] = [numberAt(a, at), numberAt(b, at)]
    if (one !== other) return one - other
  }
  return a[at]! < b[at]! ? -1 : 1
}

function isLetter(char: string): boolean {
  return /\p{L}/u.test(char)
}

/** The number both texts are in the midst of: digits before `at` are the same in both. */
function numberAt(text: string, at: number): number {
  const before = /[0-9]*$/.exec(text.slice(0, at))![0]
  const after = /^[0-9]*/.exec(text.slice(at))![0]
  return after === '' ? -1 : Number(before + after)
}
