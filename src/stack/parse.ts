/** YAML text to a Tree: anchors and merge keys resolved, !reset and !override noted, duplicate keys refused. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  parseAllDocuments,
  type Scalar,
} from 'yaml'
import type { Problems } from '../lib/problems.ts'
import { formatNumber, resolvePlain } from './scalars.ts'
import { clone, list, map, type Node, placeAt, type ScalarNode, type Source, scalar } from './tree.ts'
import { firstSlip } from './yaml-errors.ts'

/** One YAML document: what it sets, and what it first removes from below it. */
export interface Layer {
  readonly root: Node
  /** Paths marked !reset or !override, to be taken out of what this document is merged over; `*` stands for any list index. */
  readonly resets: readonly (readonly string[])[]
}

const maxDepth = 200
/** 5,000 services of 40 lines each need half of it. */
const maxValues = 400_000
/** Alias expansion may grow a document this much: real stacks stay far below, bombs far above. */
const maxExpansion = 200_000

/** All documents of a file; problems are added, and what could be read is returned. */
export function parse(source: Source, problems: Problems): readonly Layer[] {
  const forbidden = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/.exec(source.text)
  if (forbidden) {
    const code = forbidden[0].charCodeAt(0).toString(16).padStart(4, '0')
    report(source, problems, {
      offset: forbidden.index,
      code: 'control-character',
      message: `Cannot read this file: it contains the control character U+${code}`,
    })
    return []
  }
  const deep = tooDeep(source.text)
  if (deep >= 0) {
    report(source, problems, {
      offset: deep,
      code: 'too-deep',
      message: `Cannot read this file: it is nested more than ${maxDepth} levels deep`,
    })
    return []
  }
  const many = tooMany(source.text)
  if (many >= 0) {
    const message = `Cannot read this file: it holds more than ${maxValues.toLocaleString('en')} values`
    report(source, problems, { offset: many, code: 'too-many', message })
    return []
  }
  const documents = parseDocuments(source, problems)
  const layers: Layer[] = []
  for (const document of documents) {
    // The parser recurses, and reports the end of the stack as a mistake of the file.
    const deep = document.errors.find(error => /call stack/.test(error.message))
    if (deep) {
      report(source, problems, {
        offset: deep.pos[0],
        code: 'too-deep',
        message: 'Cannot read this file: it is nested too deep',
      })
      return layers
    }
    const slip = firstSlip(document, source.text)
    if (slip) {
      report(source, problems, { code: 'yaml-syntax', ...slip })
      return layers
    }
    const reader = new Reader(source, problems)
    layers.push({ root: reader.read(document.contents), resets: reader.resets })
  }
  return layers
}

function parseDocuments(source: Source, problems: Problems): readonly Document.Parsed[] {
  try {
    const documents = parseAllDocuments<ParsedNode>(source.text, {
      schema: 'failsafe',
      merge: false,
      uniqueKeys: false,
      logLevel: 'silent',
      prettyErrors: false,
    })
    return Array.isArray(documents) ? (documents as Document.Parsed[]) : []
  } catch (error) {
    // The parser recurses: what `tooDeep` lets through may still run out of stack.
    if (!(error instanceof RangeError)) throw error
    report(source, problems, { offset: 0, code: 'too-deep', message: 'Cannot read this file: it is nested too deep' })
    return []
  }
}

function report(
  source: Source,
  problems: Problems,
  problem: { offset: number; code: string; message: string; path?: readonly string[]; hint?: string },
): void {
  const { offset, path = [], ...rest } = problem
  problems.add({ severity: 'error', place: placeAt(source, offset), path, ...rest })
}

/** A bracket nested too deep, found without recursion and before the parser recurses; -1 when there is none. */
function tooDeep(text: string): number {
  let depth = 0
  const brackets = /[[\]{}]|\n[^\S\n]*(?=[A-Za-z_])/g
  for (let match = brackets.exec(text); match; match = brackets.exec(text)) {
    if (match[0] === '[' || match[0] === '{') {
      if (++depth > maxDepth) return match.index
    } else if (match[0] === ']' || match[0] === '}') depth = Math.max(0, depth - 1)
  }
  const dashes = /(?:-[ \t]+){200}/.exec(text)
  return dashes ? dashes.index : -1
}

/** Where the parser, which needs a kilobyte and more for each value, would be given more of them than any stack has; -1 nowhere. */
function tooMany(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    // Line feed, comma, opening bracket and brace: each may begin a value.
    if ((code === 10 || code === 44 || code === 91 || code === 123) && ++count > maxValues) return at
  }
  return -1
}

/** What `&name` stands for. */
interface Anchor {
  /** Undefined while it is being read. */
  readonly node: Node | undefined
  readonly size: number
  /** What of it, from its own place on, is marked at every alias too: !override anywhere, !reset only of itself, as in the reference. */
  readonly marks: readonly Mark[]
}

interface Mark {
  readonly tag: '!reset' | '!override'
  readonly path: readonly string[]
}

class Reader {
  readonly #marks: Mark[] = []
  readonly #source: Source
  readonly #problems: Problems
  readonly #anchors = new Map<string, Anchor>()
  readonly #path: string[] = []
  #size = 0
  #expanded = 0
  #stopped = false

  constructor(source: Source, problems: Problems) {
    this.#source = source
    this.#problems = problems
  }

  get resets(): readonly (readonly string[])[] {
    return this.#marks.map(mark => mark.path)
  }

  read(node: ParsedNode | null | undefined, offset = 0): Node {
    if (!node) return scalar(null, this.#at(offset))
    if (this.#stopped) return scalar(null, this.#at(offset))
    if (this.#path.length > maxDepth) {
      this.#fail(node, 'too-deep', `Cannot read this file: it is nested more than ${maxDepth} levels deep`)
      this.#stopped = true
      return scalar(null, this.#at(offset))
    }
    this.#size++
    if (isAlias(node)) return this.#alias(node)
    const tag = node.tag
    const before = this.#size
    const anchor = (node as { anchor?: string }).anchor
    const marked = this.#marks.length
    if (anchor) this.#anchors.set(anchor, { node: undefined, size: 0, marks: [] })
    if (tag === '!reset' || tag === '!override') this.#marks.push({ tag, path: [...this.#path] })
    const start = node.range?.[0] ?? offset
    let result: Node
    if (isMap(node)) result = this.#map(node as never, start)
    else if (isSeq(node)) {
      result = list([], this.#at(start))
      for (const [index, item] of node.items.entries()) {
        this.#path.push(String(index))
        const member = this.read(item as ParsedNode)
        this.#path.pop()
        if (!this.#isRemoved(item as ParsedNode | null)) result.items.push(member)
      }
    } else result = this.#scalar(node as Scalar.Parsed, start)
    if (anchor)
      this.#anchors.set(anchor, {
        node: result,
        size: this.#size - before + 1,
        marks: this.#marks
          .slice(marked)
          .map(mark => ({ ...mark, path: mark.path.slice(this.#path.length) }))
          .filter(mark => mark.tag === '!override' || mark.path.length === 0),
      })
    return result
  }

  #alias(node: Alias.Parsed): Node {
    const offset = node.range[0]
    const target = this.#anchors.get(node.source)
    if (!target) {
      this.#fail(
        node,
        'unknown-anchor',
        `Cannot follow alias "*${node.source}": there is no anchor "&${node.source}" above it`,
      )
      return scalar(null, this.#at(offset))
    }
    if (!target.node) {
      this.#fail(node, 'circular-anchor', `Cannot follow alias "*${node.source}": the anchor contains itself`)
      return scalar(null, this.#at(offset))
    }
    this.#expanded += target.size
    this.#size += target.size
    if (this.#expanded > maxExpansion) {
      this.#fail(
        node,
        'alias-bomb',
        `Cannot expand alias "*${node.source}": the aliases of this file stand for more than ${maxExpansion} values`,
      )
      this.#stopped = true
      return scalar(null, this.#at(offset))
    }
    for (const { tag, path } of target.marks) this.#marks.push({ tag, path: [...this.#path, ...path] })
    return clone(target.node)
  }

  #map(node: { items: Array<{ key: ParsedNode | null; value: ParsedNode | null }> }, start: number): Node {
    const result = map(new Map(), this.#at(start))
    const merges: Array<{ node: ParsedNode; value: Node }> = []
    const seen = new Set<string>()
    for (const { key, value } of node.items) {
      const keyOffset = key?.range?.[0] ?? start
      let name = this.#key(key, keyOffset)
      if (name === undefined) continue
      if (!value?.range || value.range[0] === value.range[1]) name = this.#flowName(name, key)
      if (seen.has(name)) {
        this.#path.push(name)
        this.#fail({ range: [keyOffset] }, 'duplicate-key', `Cannot set "${name}" twice: it is already set above`)
        this.#path.pop()
        continue
      }
      seen.add(name)
      if (name === '<<' && key && isScalar(key) && key.type === 'PLAIN') {
        if (value) merges.push({ node: value, value: this.read(value, keyOffset) })
        continue
      }
      this.#path.push(name)
      const member = this.read(value, key?.range?.[1] ?? keyOffset)
      this.#path.pop()
      member.keyOffset = keyOffset
      if (this.#isRemoved(value)) continue
      result.entries.set(name, member)
    }
    for (const merge of merges) this.#merge(result, merge)
    return result
  }

  /** `<<: *a` or `<<: [*a, *b]`: explicit keys win, earlier maps win over later ones. */
  #merge(into: Node & { kind: 'map' }, merge: { node: ParsedNode; value: Node }): void {
    const maps = merge.value.kind === 'list' ? merge.value.items : [merge.value]
    // An alias that leads nowhere has been reported.
    if (isAlias(merge.node) && merge.value.kind === 'scalar' && merge.value.value === null) return
    for (const from of maps) {
      if (from.kind !== 'map') {
        this.#fail(merge.node, 'bad-merge-key', 'Cannot merge by "<<": it needs a mapping, or a list of mappings')
        return
      }
      for (const [key, member] of from.entries) if (!into.entries.has(key)) into.entries.set(key, member)
    }
  }

  /** Whether a value is only there to take away what it is laid over. */
  #isRemoved(value: ParsedNode | null): boolean {
    if (value && isAlias(value))
      return this.#anchors.get(value.source)?.marks.some(mark => mark.tag === '!reset') ?? false
    return value?.tag === '!reset'
  }

  /** `{A:}` names "A:" in the reference, whose parser wants a space after the colon. */
  #flowName(name: string, key: ParsedNode | null): string {
    const { text } = this.#source
    const end = key?.range?.[1]
    if (end === undefined || !isScalar(key) || key.type !== 'PLAIN' || text[end] !== ':') return name
    if (text[end + 1] !== ',' && text[end + 1] !== '}') return name
    this.#problems.add({
      severity: 'warning',
      code: 'colon-in-key',
      place: placeAt(this.#source, key.range![0]),
      path: [...this.#path, `${name}:`],
      message: `"${name}:" is read with its colon: no space stands after it`,
      hint: `Write "${name}: "`,
    })
    return `${name}:`
  }

  #key(key: ParsedNode | null, offset: number): string | undefined {
    const anchor = (key as { anchor?: string } | null)?.anchor
    if (anchor && isScalar(key))
      this.#anchors.set(anchor, {
        node: this.#scalar(key as Scalar.Parsed, offset),
        size: 1,
        marks: [],
      })
    const node: Node | undefined = key && isAlias(key) ? this.#alias(key) : undefined
    if (node?.kind === 'scalar' && typeof node.value === 'string') return node.value
    if (key && isScalar(key)) {
      if (key.type !== 'PLAIN' || key.tag !== undefined) return String(key.value)
      const resolved = resolvePlain(key.source ?? '')
      if (typeof resolved.value === 'string' && !resolved.timestamp) return resolved.value
    }
    const shown = key && isScalar(key) ? `"${key.source ?? ''}"` : 'a mapping or list'
    this.#fail(
      { range: [offset] },
      'non-string-key',
      `Cannot use ${shown} as a key: keys must be strings`,
      'Put it in quotes',
    )
    return undefined
  }

  #scalar(node: Scalar.Parsed, start: number): ScalarNode {
    const text = typeof node.value === 'string' ? node.value : (node.source ?? '')
    const at = this.#at(start)
    if (text.includes('\0')) this.#fail(node, 'control-character', 'Cannot use this value: it contains a NUL character')
    const tag = node.tag
    if (tag === undefined) {
      if (node.type !== 'PLAIN') return scalar(text, at)
      return { ...scalar(null, at), ...resolvePlain(text) }
    }
    switch (tag) {
      case 'tag:yaml.org,2002:int':
      case 'tag:yaml.org,2002:float':
      case 'tag:yaml.org,2002:bool':
      case 'tag:yaml.org,2002:null': {
        const resolved = resolvePlain(text)
        const kind = kindOf(resolved.value)
        if (kind !== tag.slice(18) && !(kind === 'int' && tag.endsWith(':float')))
          this.#fail(node, 'wrong-type', `Cannot read "${text}" as ${tag.slice(18)}`)
        if (tag.endsWith(':float') && typeof resolved.value === 'number')
          return { ...scalar(resolved.value, at), text: formatNumber(resolved.value) }
        return { ...scalar(null, at), ...resolved }
      }
      case 'tag:yaml.org,2002:binary':
        return scalar(Buffer.from(text, 'base64').toString(), at)
      case 'tag:yaml.org,2002:timestamp':
        return { ...scalar(text, at), timestamp: true }
      default:
        // Also of !override: a tag of one's own makes a string of any scalar.
        return scalar(text, at)
    }
  }

  #at(offset: number): { source: Source; offset: number; keyOffset: number } {
    return { source: this.#source, offset, keyOffset: -1 }
  }

  #fail(node: { range?: readonly number[] | null }, code: string, message: string, hint?: string): void {
    report(this.#source, this.#problems, { offset: node.range?.[0] ?? 0, code, message, path: [...this.#path], hint })
  }
}

/** The name of a scalar's tag. */
function kindOf(value: string | number | boolean | null): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'str'
  return Number.isInteger(value) ? 'int' : 'float'
}
