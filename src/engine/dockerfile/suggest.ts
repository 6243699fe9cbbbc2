/** "did you mean …?" as BuildKit asks it: the nearest word that is less than three letters away. */

/** Undefined when nothing is near, or when it is one of them already. */
export function nearest(
  word: string,
  among: readonly string[],
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): string | undefined {
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text)
  // of those as near as each other, one that begins the same
  const begin = (each: string) => (each[0] === fold(word)[0] ? 0 : 0.5)
  const distances = among.map(fold).map(each => ({ each, distance: distance(fold(word), each) }))
  if (distances.some(({ distance }) => distance === 0)) return undefined
  const best = distances
    .filter(({ distance }) => distance < 3)
    .toSorted((a, b) => a.distance + begin(a.each) - b.distance - begin(b.each))[0]
  if (best === undefined || best.each === '') return undefined
  return ignoreCase && word === word.toUpperCase() && word !== word.toLowerCase() ? best.each.toUpperCase() : best.each
}

/** " (did you mean x?)", or nothing. */
export function didYouMean(...args: Parameters<typeof nearest>): string {
  const word = nearest(...args)
  return word === undefined ? '' : ` (did you mean ${word}?)`
}

/** Levenshtein's. */
function distance(from: string, to: string): number {
  const [a, b] = [[...from], [...to]]
  let row = b.map((_, j) => j + 1)
  for (const [i, char] of a.entries()) {
    let [diagonal, left] = [i, i + 1]
    row = row.map((above, j) => {
      const cost = Math.min(above + 1, left + 1, diagonal + (char === b[j] ? 0 : 1))
      diagonal = above
      left = cost
      return cost
    })
  }
  return row.at(-1) ?? a.length
}
