/** What stands in a tree against the grammar: unknown keys, wrong types, wrong words → Problems. */
import { nearest, type Problems } from '../lib/problems.ts'
import { list as sentence } from '../lib/text.ts'
import { service, stack } from './fields.ts'
import { accepts, longShape, type ObjectShape, optionFor, type Shape } from './grammar.ts'
import { describe, isNull, type MapNode, type Node, placeOf, plain } from './tree.ts'

/** Checks one file as it was written. Empty values and missing keys may yet be filled by a merge: `checkWhole` judges those. */
export function checkSyntax(root: Node, problems: Problems): void {
  new Checker(problems).check(root, stack, [])
}

/** The same for one service of a file whose other services nobody asked for. */
export function checkServiceSyntax(node: Node, name: string, problems: Problems): void {
  new Checker(problems).check(node, service, ['services', name])
}

const maxSuggestions = 100

class Checker {
  #suggestions = 0
  readonly #problems: Problems

  constructor(problems: Problems) {
    this.#problems = problems
  }

  check(node: Node, shape: Shape, path: string[]): void {
    if (isNull(node)) return
    if (shape.kind === 'choice') {
      const option = optionFor(shape, node)
      if (option) this.check(node, option, path)
      else this.#wrongType(node, shape, path)
      return
    }
    if (!accepts(shape, node)) {
      this.#wrongType(node, shape, path)
      return
    }
    switch (shape.kind) {
      case 'object':
        if (node.kind === 'map') this.#object(node, shape, path)
        return
      case 'map':
        if (node.kind !== 'map') return
        for (const [key, member] of node.entries) {
          path.push(key)
          if (!shape.names || shape.names.test(key)) this.check(member, shape.values, path)
          else if (!shape.open && !(key.startsWith('x-') && shape.values === service)) this.#badName(member, key, path)
          path.pop()
        }
        return
      case 'list':
        if (node.kind !== 'list') return
        for (const [index, item] of node.items.entries()) {
          path.push(String(index))
          if (isNull(item) && !accepts(shape.items, item)) this.#wrongType(item, shape.items, path)
          else this.check(item, shape.items, path)
          path.pop()
        }
        if (shape.unique && !shape.key) checkUnique(node.items, path, this.#problems)
        return
      case 'text':
        if (node.kind !== 'scalar' || typeof node.value !== 'string') return
        if (shape.values && !shape.values.includes(node.value)) this.#badWord(node, shape.values, path)
        else if (shape.pattern && !shape.pattern.test(node.value))
          this.#add(node, path, {
            code: 'bad-value',
            message: `Cannot use "${node.value}" here: it should match ${shape.pattern.source}`,
          })
        return
      case 'int':
      case 'float':
      case 'bytes':
        if (node.kind !== 'scalar' || typeof node.value !== 'number') return
        if ((shape.min !== undefined && node.value < shape.min) || (shape.max !== undefined && node.value > shape.max))
          this.#add(node, path, {
            code: 'out-of-range',
            message: `Cannot use ${node.value} here: it should be ${shape.max === undefined ? `at least ${shape.min}` : `between ${shape.min} and ${shape.max}`}`,
          })
        return
      default:
        return
    }
  }

  #object(node: MapNode, shape: ObjectShape, path: string[]): void {
    for (const [key, member] of node.entries) {
      const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
      path.push(key)
      if (field) this.check(member, field, path)
      else if (!(shape.extensions && key.startsWith('x-')) && !shape.open)
        this.#unknownKey(member, { key, shape }, path)
      path.pop()
    }
  }

  #unknownKey(member: Node, { key, shape }: { key: string; shape: ObjectShape }, path: string[]): void {
    const known = Object.keys(shape.fields)
    // In a file that is something else altogether, looking for likely words would take seconds.
    const meant =
      this.#suggestions++ > maxSuggestions
        ? undefined
        : (nearest(key, known) ?? nearest(key.replaceAll('-', '_'), known))
    const hint =
      oddCharacter(key) ??
      (meant ? `Did you mean "${meant}"?` : misplacedKey(member, shape, path)) ??
      (known.length <= 12 ? `Known here: ${known.join(', ')}` : 'Keys of your own begin with "x-"')
    this.#problems.add({
      severity: shape.tolerant ? 'warning' : 'error',
      code: 'unknown-key',
      place: placeOf(member, 'key'),
      path: [...path],
      message: shape.tolerant
        ? `"${key}" is not known here and has no effect`
        : `Cannot use key "${key}": it is not known here`,
      hint,
    })
  }

  #badName(member: Node, key: string, path: string[]): void {
    const message = key.startsWith('x-')
      ? `Cannot use name "${key}": extensions cannot stand here`
      : `Cannot use name "${key}": it should be made of letters, digits, ".", "_" and "-"`
    const place = placeOf(member, 'key')
    this.#problems.add({
      severity: 'error',
      code: 'bad-name',
      place,
      path: [...path],
      message,
      hint: oddCharacter(key),
    })
  }

  #badWord(node: Node & { kind: 'scalar' }, words: readonly string[], path: string[]): void {
    const meant = nearest(String(node.value), words)
    this.#add(node, path, {
      code: 'bad-value',
      message: `Cannot use "${node.value}" here: it should be ${sentence(words, 'or')}`,
      hint: meant === undefined ? undefined : `Did you mean "${meant}"?`,
    })
  }

  #wrongType(node: Node, shape: Shape, path: readonly string[]): void {
    this.#add(node, path, {
      code: 'wrong-type',
      message: `Cannot use ${describe(node)} here: it should be ${expected(shape)}`,
      hint: hintFor(node, shape, path),
    })
  }

  #add(node: Node, path: readonly string[], problem: { code: string; message: string; hint?: string }): void {
    this.#problems.add({ severity: 'error', place: placeOf(node), path: [...path], ...problem })
  }
}

function checkUnique(items: readonly Node[], path: readonly string[], problems: Problems): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = JSON.stringify(plain(item))
    const message = `Cannot list ${key} twice: each item can stand here only once`
    if (seen.has(key))
      problems.add({
        severity: 'error',
        code: 'duplicate-item',
        place: placeOf(item),
        path: [...path, String(index)],
        message,
      })
    seen.add(key)
  }
}

/** What only the merged tree can tell: keys that must be there, and values that stayed empty. */
export function checkWhole(root: Node, problems: Problems): void {
  const path: string[] = []
  const visit = (node: Node, shape: Shape): void => {
    const found = shape.kind === 'choice' ? optionFor(shape, node) : shape
    if (isNull(node)) {
      if (!found || !accepts(found, node))
        problems.add({
          severity: 'error',
          code: 'wrong-type',
          place: placeOf(node, 'key'),
          path: [...path],
          message: `Cannot leave this empty: it should be ${expected(shape)}`,
        })
      return
    }
    if (!found) return
    if (node.kind === 'list' && found.kind === 'list') {
      if (found.unique && !found.key) checkUnique(node.items, path, problems)
      const items = found.items
      if (items.kind === 'object' || items.kind === 'choice')
        for (const [index, item] of node.items.entries()) {
          path.push(String(index))
          visit(item, longShape(items))
          path.pop()
        }
      return
    }
    if (node.kind !== 'map') return
    if (found.kind === 'map') {
      for (const [key, member] of node.entries) {
        if (found.open && found.names && !found.names.test(key)) continue
        path.push(key)
        visit(member, longShape(found.values))
        path.pop()
      }
    } else if (found.kind === 'object') {
      for (const key of found.required ?? [])
        if (!node.entries.has(key))
          problems.add({
            severity: 'error',
            code: 'missing-key',
            place: placeOf(node, 'key'),
            path: [...path],
            message: `Cannot leave out "${key}": it must be set here`,
          })
      for (const [key, member] of node.entries) {
        const field = Object.hasOwn(found.fields, key) ? found.fields[key] : undefined
        if (!field) continue
        path.push(key)
        visit(member, longShape(field))
        path.pop()
      }
    }
  }
  visit(root, stack)
}

/** "a string", "a list or a mapping". */
export function expected(shape: Shape): string {
  const words = new Set<string>()
  const collect = (of: Shape): void => {
    if (of.kind === 'choice') for (const option of of.options) collect(option)
    else for (const word of wordsFor(of)) words.add(word)
  }
  collect(shape)
  return sentence([...words], 'or')
}

function wordsFor(shape: Shape): readonly string[] {
  switch (shape.kind) {
    case 'text':
      return ['a string', ...(shape.also?.filter(kind => kind !== 'null').map(kind => `a ${kind}`) ?? [])]
    case 'bool':
      return ['a boolean']
    case 'int':
      return ['an integer']
    case 'float':
      return ['a number']
    case 'bytes':
      return ['a size such as "64m"']
    case 'duration':
      return ['a duration such as "1m30s"']
    case 'list':
      return ['a list']
    case 'map':
    case 'object':
      return ['a mapping']
    default:
      return ['empty']
  }
}

/** What is copied from a page or a chat looks like a blank or a quote, and is none. */
function oddCharacter(key: string): string | undefined {
  const odd = /[\u00a0\u2000-\u200d\u2018-\u201f\u202f\u205f\u2060\u3000\ufeff]/.exec(key)?.[0]
  if (odd === undefined) return undefined
  const code = odd.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return `It has the character U+${code} in it: write a plain ${/[\u2018-\u201f]/.test(odd) ? 'quote' : 'blank'} in its place`
}

/** `path`: of the key, which is known elsewhere. */
function misplacedKey(member: Node, shape: Shape, path: readonly string[]): string | undefined {
  const key = path.at(-1)!
  const above = path.at(-2)
  if (shape === stack) {
    if (Object.hasOwn(service.fields, key)) return 'It belongs in a service, below "services"'
    if (member.kind === 'map' && (member.entries.has('image') || member.entries.has('build')))
      return 'A service belongs below "services"'
  }
  if (shape !== service) return undefined
  if (Object.hasOwn(stack.fields, key)) return 'It belongs at the top of the file: check the indentation'
  return above === undefined ? undefined : besideServices(above)
}

/** An attribute where the name of a service is looked for. */
function besideServices(name: string): string | undefined {
  return Object.hasOwn(service.fields, name)
    ? `"${name}" stands where a service does: indent it deeper if it is an attribute of one`
    : undefined
}

function hintFor(node: Node, shape: Shape, path: readonly string[]): string | undefined {
  if (path[0] === 'services' && path.length === 2) return besideServices(path[1]!)
  if (node.kind === 'list' && shape.kind === 'map') return withoutDash(node.items[0])
  if (node.kind === 'scalar' && node.value !== null && typeof node.value !== 'string') {
    if (shape.kind === 'text' || (shape.kind === 'choice' && shape.options.some(option => option.kind === 'text')))
      return `Put it in quotes: "${node.text ?? node.value}"`
  }
  if (node.kind === 'scalar' && shape.kind === 'duration' && typeof node.value === 'number')
    return `Add a unit: "${node.value}s"`
  if (node.kind === 'scalar' && node.timestamp) return 'Put it in quotes'
  if (node.kind === 'scalar' && shape.kind === 'list') return 'Write "- " before each item'
  return undefined
}

/** A name, written as an item of a list. */
function withoutDash(item: Node | undefined): string | undefined {
  const name =
    item?.kind === 'map' ? item.entries.keys().next().value : item?.kind === 'scalar' ? item.value : undefined
  return name === undefined ? undefined : `Write "${name}:" in place of "- ${name}${item?.kind === 'map' ? ':' : ''}"`
}
