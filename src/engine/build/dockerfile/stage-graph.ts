/** Which stage needs which: by FROM, COPY --from and RUN --mount=from; names first, images for what is none. */
import type { CopyInstruction, FromInstruction } from '../../dockerfile/instruction.ts'
import { mountSource } from '../../dockerfile/run-mount.ts'
import { invalid, type Lines, SourceFailure } from '../../dockerfile/source-failure.ts'
import { didYouMean } from '../../dockerfile/suggest.ts'
import { goQuote } from '../../dockerfile/text.ts'
import { expandWord } from '../../dockerfile/words.ts'
import type { Platform } from '../../images/platform.ts'
import type { StageInstruction } from './read-stages.ts'

/** A stage, or an image that files are taken from, which is one without instructions. */
export interface Node {
  /** Undefined for an image that files are taken from. */
  readonly from: FromInstruction | undefined
  readonly index: number
  /** Variables filled in. */
  readonly baseName: string
  /** Asked for by `--platform`. */
  readonly platform: Platform | undefined
  readonly lines: Lines
  /** As it is shown. */
  readonly name: string
  /** The stage it builds on. */
  readonly base: Node | undefined
  /** Key of the named context that stands in for it. */
  readonly context: string | undefined
  /** Triggers are put before them. */
  commands: readonly Command[]
}

/** An instruction, and the nodes whose files it reads: one of COPY, one for each mount of RUN. */
export interface Command {
  readonly instruction: StageInstruction
  readonly sources: readonly (Node | undefined)[]
  readonly trigger: boolean
}

/** What a Dockerfile's own stages are added to, in their order. */
export class StageGraph {
  readonly nodes: Node[] = []
  readonly #byName = new Map<string, Node>()
  readonly #escapeSign: string
  /** Mounts that name nothing: each counts as an empty image. */
  #empty = 0

  constructor(escapeSign: string) {
    this.#escapeSign = escapeSign
  }

  /** A lone stage is shown without its name. */
  get isSingle(): boolean {
    return this.nodes.length + this.#empty === 1
  }

  add(stage: Omit<Node, 'base' | 'commands' | 'index'>): Node {
    const base = stage.context === undefined ? this.#byName.get(stage.baseName) : undefined
    const node = { ...stage, base, index: this.nodes.length, commands: [] }
    this.nodes.push(node)
    const name = stage.from?.stage
    if (name !== undefined) this.#byName.set(name, node)
    return node
  }

  /** @throws Failure `invalid` with the names that are near. */
  target(name: string): Node {
    if (name === '') return this.nodes.at(-1)!
    const found = this.#byName.get(name.toLowerCase())
    if (found) return found
    throw invalid(`target stage ${goQuote(name)} could not be found${didYouMean(name, this.names())}`)
  }

  names(): readonly string[] {
    return this.nodes.map(({ name }) => name).filter(Boolean)
  }

  /** @throws Failure `invalid`. */
  command(instruction: StageInstruction, trigger: boolean): Command {
    return { instruction, sources: this.#sources(instruction), trigger }
  }

  #sources(instruction: StageInstruction): readonly (Node | undefined)[] {
    if (instruction.name === 'copy') return [this.#copySource(instruction)]
    if (instruction.name !== 'run') return []
    return instruction.mounts.map(text => {
      const from = mountSource(text)
      if (from !== '') return this.#byName.get(from.toLowerCase()) ?? this.#image(from, instruction.lines)
      // a stage of that name stands for what is empty, here too
      const scratch = this.#byName.get('scratch')
      if (!scratch) this.#empty++
      return scratch
    })
  }

  #copySource({ from, lines }: CopyInstruction): Node | undefined {
    if (from === undefined) return undefined
    if (expandWord(from, () => undefined, { escapeSign: this.#escapeSign }).text !== from) {
      throw invalid(
        'variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround',
      )
    }
    if (/^[+-]?\d+$/.test(from)) {
      const node = this.nodes[Number(from)]
      if (!node) throw invalid(`invalid stage index ${Number(from)}`)
      return node
    }
    return this.#byName.get(from.toLowerCase()) ?? this.#image(from, lines)
  }

  #image(baseName: string, lines: Lines): Node {
    return this.add({ from: undefined, baseName, platform: undefined, lines, name: '', context: undefined })
  }
}

/** Nodes that `node` needs, itself among them. */
export function reachable(node: Node, found = new Set<Node>()): ReadonlySet<Node> {
  if (found.has(node)) return found
  found.add(node)
  for (const next of needs(node)) reachable(next, found)
  return found
}

function needs(node: Node): readonly Node[] {
  if (node.context !== undefined) return []
  return [...(node.base ? [node.base] : []), ...reads(node).map(read => read.node)]
}

function reads(node: Node): readonly { readonly node: Node; readonly lines: Lines }[] {
  return node.commands.flatMap(({ sources, instruction }) =>
    sources.flatMap(source => (source ? [{ node: source, lines: instruction.lines }] : [])),
  )
}

/** @throws SourceFailure when a stage reads files of itself, on whatever way. */
export function checkCircles(nodes: readonly Node[]): void {
  const done = new Set<Node>()
  const path = new Set<Node>()
  const visit = (node: Node): Lines | undefined => {
    if (done.has(node)) return undefined
    done.add(node)
    path.add(node)
    for (const { node: next, lines } of reads(node)) {
      const circle = path.has(next) ? lines : visit(next)
      if (circle) return circle
    }
    path.delete(node)
    return undefined
  }
  for (const node of nodes) {
    const lines = visit(node)
    if (lines) throw new SourceFailure(`circular dependency detected on stage: ${node.name}`, lines)
  }
}
