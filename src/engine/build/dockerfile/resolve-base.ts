/** What stages build on and copy from, where it is no stage: images, looked up once each, and named contexts. */
import { Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import { atLines, withLines } from '../../dockerfile/source-failure.ts'
import { didYouMean } from '../../dockerfile/suggest.ts'
import { goQuote } from '../../dockerfile/text.ts'
import type { Image, ImageConfig } from '../../images/image.ts'
import type { Platform } from '../../images/platform.ts'
import { familiar, parseReference, type Reference } from '../../images/reference.ts'
import type { NamedContext } from '../request.ts'
import type { Input } from './plan.ts'
import { contextNamed } from './stage-bases.ts'
import type { Node } from './stage-graph.ts'

/** What planning asks of the engine. */
export interface Lookup {
  /** @param reference familiar and complete: "alpine:3", "127.0.0.1:5000/app@sha256:…". */
  image(reference: string, platform: Platform): Promise<Image>
  /** From an OCI layout of the client. `name`: of the context. */
  layout(name: string, layout: LayoutContext, platform: Platform): Promise<Image>
  /** Patterns that keep files out of the build's context; only asked for when a check wants them. */
  ignored(): Promise<readonly string[]>
}

export type LayoutContext = Extract<NamedContext, { readonly kind: 'layout' }>

export interface Base {
  readonly input: Input
  /** Of an image that begins here. */
  readonly config: ImageConfig
  readonly author: string | undefined
  readonly platform: Platform
  /** As the step that fetches it is shown; undefined for what is not fetched. */
  readonly shown: string | undefined
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export class BaseResolver {
  readonly #lookup: Lookup
  readonly #contexts: ReadonlyMap<string, NamedContext>
  readonly #target: Platform
  readonly #stageNames: readonly string[]
  readonly #bases = new Map<Node, Promise<Base>>()
  readonly #resolved = new Map<Node, Base>()
  readonly #images = new Map<string, Promise<Image>>()

  constructor(
    lookup: Lookup,
    contexts: ReadonlyMap<string, NamedContext>,
    target: Platform,
    stageNames: readonly string[],
  ) {
    this.#lookup = lookup
    this.#contexts = contexts
    this.#target = target
    this.#stageNames = stageNames
  }

  /** Names have to be right even where nothing needs them. @throws SourceFailure. */
  checkName({ base, baseName, lines }: Node): void {
    if (!base && baseName !== 'scratch') atLines(lines, () => nameOf(baseName))
  }

  /** Nothing for a stage that builds on another. @throws SourceFailure. */
  async resolve(node: Node): Promise<void> {
    if (node.base) return
    const known = this.#bases.get(node)
    const base = known ?? this.#find(node)
    if (!known) this.#bases.set(node, base)
    try {
      this.#resolved.set(node, await base)
    } catch (error) {
      throw withLines(error, node.lines)
    }
  }

  /** Of one that is resolved. */
  baseOf(node: Node): Base {
    const base = this.#resolved.get(node)
    if (!base) throw new Failure('internal', `The base "${node.baseName}" has not been looked up`)
    return base
  }

  triggersOf(node: Node): readonly string[] {
    return this.baseOf(node).config.OnBuild ?? []
  }

  async #find(node: Node): Promise<Base> {
    const platform = node.platform ?? this.#target
    if (node.context !== undefined) return this.#context(node.context, platform, {})
    const empty = { WorkingDir: '/', Env: [defaultPath] }
    if (node.baseName === 'scratch') return nothing(empty, this.#target)
    const reference = nameOf(node.baseName)
    const context = contextNamed(familiar(reference), new Set(this.#contexts.keys()))
    if (context !== undefined) return this.#context(context, platform, empty)
    const name = familiar(reference)
    try {
      return ofImage(await this.#image(name, platform), name, platform, fullName(reference))
    } catch (error) {
      const hint = didYouMean(node.baseName, [...this.#stageNames, ...commonImages])
      throw error instanceof Failure
        ? new Failure(error.kind, `${node.baseName}: ${messageOf(error)}${hint}`, { cause: error })
        : error
    }
  }

  async #context(key: string, platform: Platform, empty: ImageConfig): Promise<Base> {
    const context = this.#contexts.get(key)!
    if (context.kind === 'layout')
      return ofImage(await this.#lookup.layout(key, context, platform), key, platform, undefined)
    if (context.kind !== 'image') {
      return { ...nothing(empty, platform), input: { kind: 'context', name: key } }
    }
    if (context.reference === 'scratch') return nothing(empty, platform)
    const name = familiar(parseReference(context.reference))
    return ofImage(await this.#image(name, platform), name, platform, undefined)
  }

  #image(name: string, platform: Platform): Promise<Image> {
    const key = `${name} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`
    const found = this.#images.get(key) ?? this.#lookup.image(name, platform)
    this.#images.set(key, found)
    return found
  }
}

function nameOf(text: string): Reference {
  try {
    return parseReference(text)
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new Failure('invalid', `failed to parse stage name ${goQuote(text)}: ${messageOf(error)}`, { cause: error })
  }
}

function nothing(config: ImageConfig, platform: Platform): Base {
  return { input: { kind: 'scratch' }, config, author: undefined, platform, shown: undefined }
}

function ofImage(image: Image, reference: string, platform: Platform, shown: string | undefined): Base {
  return {
    input: { kind: 'image', reference, image },
    config: image.config,
    author: image.author || undefined,
    platform,
    shown,
  }
}

/** With its registry, as builders show it. */
function fullName({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Names that people mean when they slip. */
const commonImages = ['alpine', 'busybox', 'centos', 'debian', 'golang', 'ubuntu', 'fedora'].flatMap(name => [
  name,
  `${name}:latest`,
])
