/** One stage after the other: its instructions, in order, to the steps of the plan. */
import { pathMatcher } from '../../../api/ignore-patterns.ts'
import type { AddInstruction, CopyInstruction } from '../../dockerfile/instruction.ts'
import { atLines, invalid } from '../../dockerfile/source-failure.ts'
import { goQuote } from '../../dockerfile/text.ts'
import { nameOf, workdirOf } from '../../images/config-instruction.ts'
import type { Image, ImageConfig } from '../../images/image.ts'
import { formatPlatform, type Platform } from '../../images/platform.ts'
import { plain } from './arguments.ts'
import { configStep, workdirStep } from './config-step.ts'
import { addStep, copyStep } from './files-step.ts'
import type { Input, Stage, Step } from './plan.ts'
import type { BaseResolver } from './resolve-base.ts'
import { runStep } from './run-step.ts'
import { Scope, type Surroundings } from './scope.ts'
import type { Command, Node } from './stage-graph.ts'

interface Options {
  /** The only stage is shown without its name. */
  readonly isSingle: boolean
  /** Patterns for the check of files that are ignored. */
  readonly ignored: readonly string[]
}

type Label = (text: string) => string

export class StageWriter {
  readonly #around: Surroundings
  readonly #bases: BaseResolver
  readonly #options: Options
  readonly #stages = new Map<Node, Stage>()
  readonly #scopes = new Map<Node, Scope>()

  constructor(around: Surroundings, bases: BaseResolver, options: Options) {
    this.#around = around
    this.#bases = bases
    this.#options = options
  }

  /** A stage that has been written. */
  stageOf(node: Node): Stage {
    return this.#stages.get(node)!
  }

  /** Of a build argument at the end of a stage that has been written. */
  argumentOf(node: Node, name: string): string | undefined {
    return this.#scopes.get(node)?.arguments.get(name)
  }

  /** @throws SourceFailure. */
  write(node: Node): Stage {
    const scope = this.#startOf(node)
    const label = this.#labels(node)
    const shown = this.#shownBase(node)
    const baseLabel = shown === undefined ? undefined : label(`FROM ${shown}`)
    const commands = node.context === undefined ? node.commands : []
    const steps = commands.map(command => {
      const { lines } = command.instruction
      const own: Label = text => label(command.trigger ? `ONBUILD ${text}` : text)
      return atLines(lines, () => this.#step(scope, node, command, own))
    })
    const stage: Stage = {
      index: node.index,
      name: this.#options.isSingle ? '' : node.name,
      lines: node.lines,
      base: this.#baseOf(node),
      text: node.from?.text ?? `FROM ${node.baseName}`,
      baseLabel,
      steps,
      config: scope.config,
      author: scope.author,
    }
    this.#stages.set(node, stage)
    this.#scopes.set(node, scope)
    return stage
  }

  #startOf(node: Node): Scope {
    const below = node.base && this.#scopes.get(node.base)
    if (below) {
      const { platform, author } = below
      return new Scope(this.#around, below, { config: startConfig(below.config), platform, author })
    }
    const { config, platform, author, input, shown } = this.#bases.baseOf(node.base ?? node)
    if (input.kind === 'image' && shown !== undefined) this.#checkPlatform(node, input.image, platform)
    const own = node.context === undefined ? startConfig(config) : structuredClone(config)
    return new Scope(this.#around, undefined, { config: own, platform, author })
  }

  #checkPlatform({ baseName, lines }: Node, { os, architecture, variant }: Image, platform: Platform): void {
    if (os === platform.os && architecture === platform.architecture) return
    const [actual, expected] = [{ os, architecture, variant: variant || undefined }, platform].map(each =>
      formatPlatform(plain(each)),
    )
    const message = `Base image ${baseName} was pulled with platform "${actual}", expected "${expected}" for current build`
    this.#around.checks.report('InvalidBaseImagePlatform', lines, message)
  }

  #baseOf(node: Node): Input {
    return this.#inputOf(node.base ?? node, node.base === undefined)
  }

  /** @param asBase of the node itself, not of the stage that it becomes. */
  #inputOf(node: Node, asBase = false): Input {
    const stage = asBase ? undefined : this.#stages.get(node)
    if (stage && node.context === undefined) return { kind: 'stage', stage }
    return this.#bases.baseOf(node).input
  }

  #shownBase(node: Node): string | undefined {
    return node.base || node.context !== undefined ? undefined : this.#bases.baseOf(node).shown
  }

  /** "[web 2/5] ", counted on with every call. */
  #labels(node: Node): Label {
    const own = node.context === undefined ? node.commands : []
    const counted = own.filter(({ instruction }) => ['add', 'copy', 'run', 'workdir'].includes(instruction.name))
    const total = counted.length + (node.base || node.baseName === 'scratch' ? 0 : 1)
    const name = this.#options.isSingle ? '' : `${node.name} `
    let index = 0
    return text => `[${name}${String(++index).padStart(String(total).length)}/${total}] ${text}`
  }

  #step(scope: Scope, node: Node, { instruction, sources }: Command, label: Label): Step {
    switch (instruction.name) {
      case 'run':
        return runStep(
          scope,
          instruction,
          ({ from, target }, i) => {
            const source = sources[i]
            const message = () =>
              `cannot mount from stage ${goQuote(from)} to ${goQuote(target)}, stage needs to be defined before current command`
            return source && this.#ready(source, message)
          },
          label,
        )
      case 'copy': {
        const [source] = sources
        this.#checkIgnored(scope, instruction, source === undefined)
        const from = source
          ? this.#ready(
              source,
              () =>
                `cannot copy from stage ${goQuote(instruction.from!)}, it needs to be defined before current stage ${goQuote(node.name)}`,
            )
          : ({ kind: 'context', name: 'context' } as const)
        return copyStep(scope, instruction, from, label)
      }
      case 'add':
        this.#checkIgnored(scope, instruction, true)
        return addStep(scope, instruction, label)
      case 'workdir':
        return workdirStep(scope, instruction, label)
      default:
        return configStep(scope, instruction)
    }
  }

  #ready(source: Node, message: () => string): Input {
    const isStage = source.from !== undefined && source.context === undefined
    if (isStage && !this.#stages.has(source)) throw invalid(message())
    return this.#inputOf(source)
  }

  #checkIgnored(scope: Scope, instruction: CopyInstruction | AddInstruction, fromContext: boolean): void {
    const { ignored } = this.#options
    if (!fromContext || ignored.length === 0) return
    const matcher = pathMatcher(ignored)
    const verb = instruction.name === 'copy' ? 'Copy' : 'Add'
    for (const source of instruction.sources.map(each => scope.expand(each).text)) {
      if (/^https?:\/\//.test(source) || !matcher.matchesOnItsOwn(source)) continue
      const message = `Attempting to ${verb} file "${source}" that is excluded by .dockerignore`
      this.#around.checks.report('CopyIgnoredFile', instruction.lines, message)
    }
  }
}

/** Triggers are not handed on, there is always a PATH, and a folder is absolute. */
function startConfig(base: ImageConfig): ImageConfig {
  const { OnBuild: _, ...config } = structuredClone(base)
  const env = config.Env ?? []
  if (!env.some(variable => nameOf(variable) === 'PATH')) config.Env = [...env, defaultPath]
  if (config.WorkingDir) config.WorkingDir = workdirOf('/', config.WorkingDir)
  return config
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
