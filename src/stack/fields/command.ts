/** command, entrypoint: a line split as a shell would, or a list of words. */
import { type Context, choice, listOf, nothing, type Shape, text } from '../grammar.ts'
import { list, type Node, scalar } from '../tree.ts'
import { refuse, replace, warn } from './forms.ts'

export function command(doc: string): Shape {
  return choice([nothing, text(), listOf(text())], doc, {
    examples: ['bundle exec thin -p 3000', ['bundle', 'exec', 'thin', '-p', '3000']],
    merge: replace,
    long: choice([nothing, text(), listOf(text())], doc, { merge: replace, finish: split }),
  })
}

function split(node: Node, context: Context): Node {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return node
  const words = splitWords(node.value)
  if (words === undefined) {
    refuse(context, node, {
      code: 'bad-command',
      message: `Cannot split this command into words: ${node.value.endsWith('\\') ? 'it ends with a backslash' : /[`()]/.test(node.value) ? 'a quote is not closed, or a parenthesis stands where it means nothing' : 'a quote is not closed'}`,
      hint: 'Write it as a list of words',
    })
    return list([], node)
  }
  if (words.cut !== undefined)
    warn(context, node, {
      code: 'command-cut',
      message: `Everything from "${words.cut}" on is dropped: a command is run without a shell`,
      hint: `Write ["sh", "-c", "…"] to run it in a shell`,
    })
  return list(
    words.words.map(word => scalar(word, node)),
    node,
  )
}

/** Words of a command line; undefined on an open quote; `cut` is the shell operator at which Compose stops reading. */
export function splitWords(line: string): { words: string[]; cut?: string } | undefined {
  const words: string[] = []
  let word = ''
  let inWord = false
  let quote = ''
  // `…` and $(…) are kept as they stand, spaces and operators with them.
  let ticks = false
  let parens = false
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (quote === "'") {
      if (char === "'") quote = ''
      else word += char
    } else if (char === '\\') {
      at++
      if (at >= line.length) return undefined
      word += line[at]!
      inWord = true
    } else if (quote === '"') {
      if (char === '"') quote = ''
      else word += char
    } else if ((char === '"' || char === "'") && !parens) {
      quote = char
      inWord = true
    } else if (char === '`' && !parens) {
      ticks = !ticks
      word += char
      inWord = true
    } else if ((char === '(' || char === ')') && !ticks) {
      if (char === '(' && (parens || !word.endsWith('$'))) return undefined
      parens = !parens
      word += char
      inWord = true
    } else if (ticks || parens) {
      word += char
    } else if (char === ' ' || char === '\t' || char === '\r' || char === '\n') {
      if (inWord) words.push(word)
      word = ''
      inWord = false
    } else if (char === ';' || char === '&' || char === '|' || char === '<' || char === '>') {
      // The reference drops the "2" of "2>" as well as the operator, and any other word that begins with a digit.
      if (inWord && !(char === '>' && /^\d/.test(word))) words.push(word)
      return { words, cut: line.slice(at).trim() }
    } else {
      word += char
      inWord = true
    }
  }
  if (quote !== '' || ticks || parens) return undefined
  if (inWord) words.push(word)
  return { words }
}
