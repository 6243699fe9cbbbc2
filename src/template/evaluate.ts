/** A template and a value → text, as Go's text/template does it. */
import { templateFailure } from './failure.ts'
import { CallError, type TemplateFunction, truth } from './functions.ts'
import type { Body, Command, Node, Operand, Pipe, Template } from './syntax.ts'
import { display } from './text.ts'

/**
 * @param functions must hold all names the template was parsed with
 * @throws Failure invalid, with line and column
 */
export function evaluate(
  { source, body }: Template,
  value: unknown,
  functions: Readonly<Record<string, TemplateFunction>>,
): string {
  const run = new Run(source, functions)
  run.body(body, value, new Scope(undefined, new Map([['', value]])))
  return run.text
}

class Scope {
  readonly #outer: Scope | undefined
  readonly #values: Map<string, unknown>

  constructor(outer: Scope | undefined, values: Map<string, unknown> = new Map()) {
    this.#outer = outer
    this.#values = values
  }

  get(name: string): unknown {
    return this.#values.has(name) ? this.#values.get(name) : this.#outer?.get(name)
  }

  make(name: string, value: unknown): void {
    this.#values.set(name, value)
  }

  change(name: string, value: unknown): void {
    if (this.#values.has(name) || !this.#outer) this.#values.set(name, value)
    else this.#outer.change(name, value)
  }
}

class Run {
  text = ''
  readonly #source: string
  readonly #functions: Readonly<Record<string, TemplateFunction>>

  constructor(source: string, functions: Readonly<Record<string, TemplateFunction>>) {
    this.#source = source
    this.#functions = functions
  }

  /** Returns how a loop around it is to go on. */
  body(nodes: Body, dot: unknown, scope: Scope): 'break' | 'continue' | undefined {
    for (const node of nodes) {
      const how = this.#node(node, dot, scope)
      if (how) return how
    }
    return undefined
  }

  #node(node: Node, dot: unknown, scope: Scope): 'break' | 'continue' | undefined {
    switch (node.kind) {
      case 'text':
        this.text += node.text
        return undefined
      case 'print': {
        const value = this.#pipe(node.pipe, dot, scope)
        if (node.pipe.variables.length === 0) this.text += display(value)
        return undefined
      }
      case 'break':
      case 'continue':
        return node.kind
      case 'range':
        return this.#range(node, dot, scope)
      case 'if':
      case 'with': {
        const inner = new Scope(scope)
        const value = this.#pipe(node.pipe, dot, inner)
        if (!truth(value)) return this.body(node.otherwise, dot, inner)
        return this.body(node.body, node.kind === 'with' ? value : dot, inner)
      }
      default:
        return node satisfies never
    }
  }

  #range(node: Extract<Node, { pipe: Pipe; body: Body }>, dot: unknown, scope: Scope) {
    const { variables, makes, at } = node.pipe
    const value = this.#pipe({ ...node.pipe, variables: [] }, dot, scope)
    const entries = entriesOf(value)
    if (!entries) throw this.#fail(at, `range can't iterate over ${display(value)}`)
    if (entries.length === 0) return this.body(node.otherwise, dot, new Scope(scope))
    for (const [key, each] of entries) {
      const inner = new Scope(scope)
      const given = variables.length === 2 ? [key, each] : [each]
      for (const [i, name] of variables.entries()) makes ? inner.make(name, given[i]) : scope.change(name, given[i])
      if (this.body(node.body, each, inner) === 'break') break
    }
    return undefined
  }

  #pipe({ commands, variables, makes }: Pipe, dot: unknown, scope: Scope): unknown {
    let value: unknown
    for (const [i, command] of commands.entries())
      value = this.#command(command, { dot, scope, piped: i === 0 ? [] : [value] })
    for (const name of variables) makes ? scope.make(name, value) : scope.change(name, value)
    return value
  }

  #command({ operands, at }: Command, world: { dot: unknown; scope: Scope; piped: readonly unknown[] }): unknown {
    const { dot, scope, piped } = world
    const [first, ...rest] = operands as readonly [Operand, ...Operand[]]
    const value = (operand: Operand) => this.#operand(operand, dot, scope, [])
    if (first.kind === 'function') {
      if (first.name === 'and' || first.name === 'or')
        return this.#logic(
          first,
          rest.map(each => () => value(each)),
          piped,
        )
      return this.#call(first.at, this.#functions[first.name]!, [...rest.map(value), ...piped])
    }
    const args = [...rest.map(value), ...piped]
    if (args.length > 0 && first.fields.length === 0) throw this.#fail(at, "can't give argument to non-function")
    return this.#operand(first, dot, scope, args)
  }

  /** The first that decides; what is behind it is not evaluated. */
  #logic({ name, at }: { name: string; at: number }, args: readonly (() => unknown)[], piped: readonly unknown[]) {
    const all = [...args, ...piped.map(value => () => value)]
    if (all.length === 0) throw this.#fail(at, `wrong number of args for ${name}: want at least 1 got 0`)
    let value: unknown
    for (const each of all) {
      value = each()
      if (truth(value) === (name === 'or')) break
    }
    return value
  }

  #operand(operand: Operand, dot: unknown, scope: Scope, args: readonly unknown[]): unknown {
    const start = this.#start(operand, dot, scope)
    return operand.fields.reduce(
      (value, name, i) =>
        this.#field(value, name, { at: operand.at, args: i === operand.fields.length - 1 ? args : [] }),
      start,
    )
  }

  #start(operand: Operand, dot: unknown, scope: Scope): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot
      case 'variable':
        return scope.get(operand.name)
      case 'literal':
        return operand.value
      case 'pipe':
        return this.#pipe(operand.pipe, dot, scope)
      case 'function':
        return this.#call(operand.at, this.#functions[operand.name]!, [])
      default:
        return operand satisfies never
    }
  }

  #field(value: unknown, name: string, { at, args }: { at: number; args: readonly unknown[] }): unknown {
    if (value === null || value === undefined) throw this.#fail(at, `nil data; no entry for key "${name}"`)
    if (value instanceof Map) {
      const found = value.get(name)
      return typeof found === 'function' ? this.#call(at, found, args) : found
    }
    if (typeof value !== 'object' || Array.isArray(value) || !Object.hasOwn(value, name))
      throw this.#fail(at, `can't evaluate field ${name}`, fieldsHint(value))
    const found = (value as Record<string, unknown>)[name]
    if (typeof found === 'function') return this.#call(at, found as TemplateFunction, args)
    if (args.length > 0) throw this.#fail(at, `${name} has arguments but cannot be invoked as function`)
    return found
  }

  #call(at: number, called: TemplateFunction, args: readonly unknown[]): unknown {
    if (args.length < called.length)
      throw this.#fail(at, `wrong number of args: want ${called.length} got ${args.length}`)
    try {
      return called(...(args as never[]))
    } catch (error) {
      if (error instanceof CallError) throw this.#fail(at, error.message)
      throw error
    }
  }

  #fail(at: number, what: string, hint?: string) {
    return templateFailure(this.#source, at, what, hint)
  }
}

function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] | undefined {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return [...value.entries()]
  if (value instanceof Map) return [...(value as Map<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))
  if (typeof value === 'number' && Number.isInteger(value) && value < 1e6)
    return Array.from({ length: Math.max(0, value) }, (_, i) => [i, i] as const)
  return undefined
}

function fieldsHint(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return `Fields are ${Object.keys(value).sort().join(', ')}`
}
