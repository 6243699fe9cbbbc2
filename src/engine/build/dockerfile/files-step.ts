/** COPY and ADD: from where, to where, and as whom. */
import { posix } from 'node:path'
import { chomped } from '../../dockerfile/heredoc.ts'
import type { AddInstruction, CopyInstruction } from '../../dockerfile/instruction.ts'
import { invalid } from '../../dockerfile/source-failure.ts'
import { labelText } from './config-step.ts'
import { parseGitAddress } from './git-source.ts'
import type { AddSource, AddStep, CopyStep, Heredoc, Input } from './plan.ts'
import type { Scope } from './scope.ts'

/** @throws Failure `invalid` in BuildKit's words. */
export function copyStep(
  scope: Scope,
  instruction: CopyInstruction,
  from: Input,
  label: (text: string) => string,
): CopyStep {
  const expanded = expandFiles(scope, instruction)
  for (const source of expanded.sources) {
    if (parseGitAddress(source)) throw invalid("source can't be a git ref for COPY")
    if (isHttp(source)) throw invalid("source can't be a URL for COPY")
  }
  return {
    kind: 'copy',
    ...common(scope, instruction, expanded, label),
    sources: expanded.sources,
    from,
    parents: instruction.parents,
  }
}

/** @throws Failure `invalid` in BuildKit's words. */
export function addStep(scope: Scope, instruction: AddInstruction, label: (text: string) => string): AddStep {
  const expanded = expandFiles(scope, instruction)
  const checksum = instruction.checksum && scope.expander(instruction.lines).word(instruction.checksum)
  return {
    kind: 'add',
    ...common(scope, instruction, expanded, label),
    sources: sourcesOf(expanded.sources, checksum || undefined, instruction.keepGitDir),
    unpack: instruction.unpack,
  }
}

interface ExpandedFiles {
  readonly sources: readonly string[]
  readonly destination: string
  readonly chown: string | undefined
  readonly chmod: string | undefined
  readonly heredocs: readonly Heredoc[]
}

function expandFiles(scope: Scope, instruction: CopyInstruction | AddInstruction): ExpandedFiles {
  const expand = scope.expander(instruction.lines).word
  const given = (text: string | undefined) => (text === undefined ? undefined : expand(text) || undefined)
  const [chown, chmod] = [given(instruction.chown), given(instruction.chmod)]
  const sources = instruction.sources.map(expand)
  const destination = expand(instruction.destination)
  // in a file's own text quotes are text, and the escape is always the backslash
  const raw = scope.expander(instruction.lines, { escapeSign: '\\', quotesArePlain: true }).word
  const heredocs = instruction.files.map(file => {
    const content = chomped(file)
    return { name: file.name, content: file.expand ? raw(content) : content }
  })
  if (chmod !== undefined) checkMode(chmod)
  return { sources, destination, chown, chmod, heredocs }
}

function checkMode(chmod: string): void {
  const octal = /^[0-7]+$/.test(chmod)
  if (octal && Number.parseInt(chmod, 8) <= 0o7777) return
  if (octal || /^\d/.test(chmod)) {
    throw invalid(`invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`)
  }
  const clause = '[augo]*(?:[-+=][rwxXstugo]*)+'
  if (!new RegExp(`^${clause}(?:,${clause})*$`).test(chmod)) throw invalid('invalid syntax')
}

function common(
  scope: Scope,
  instruction: CopyInstruction | AddInstruction,
  { sources, destination, chown, chmod, heredocs }: ExpandedFiles,
  label: (text: string) => string,
) {
  const words = [
    instruction.name.toUpperCase(),
    ...(instruction.name === 'copy' && instruction.parents ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...sources,
    ...heredocs.map(({ name }) => `<<${name}`),
    destination,
  ]
  return {
    label: label(labelText(scope, instruction.text)),
    lines: instruction.lines,
    createdBy: `${words.join(' ')} # buildkit`,
    destination: absolute(scope.cwd, destination),
    chown,
    chmod,
    link: instruction.link,
    exclude: instruction.exclude,
    heredocs,
    cwd: scope.cwd,
  }
}

/** A slash at its end stays, and "." says the same. */
function absolute(cwd: string, path: string): string {
  if (path === '' || path === '.') return cwd.endsWith('/') ? cwd : `${cwd}/`
  const joined = path.startsWith('/') ? path : posix.join('/', cwd, path)
  return /\/\.$/.test(path) ? joined.replace(/\/?\.?$/, '/') : joined
}

function sourcesOf(
  sources: readonly string[],
  checksum: string | undefined,
  keepGitDir: boolean | undefined,
): readonly AddSource[] {
  if (checksum !== undefined) {
    if (sources.length !== 1) throw invalid("checksum can't be specified for multiple sources")
    if (!isHttp(sources[0]!) && !parseGitAddress(sources[0]!)) {
      throw invalid('checksum requires HTTP(S) or Git sources')
    }
  }
  return sources.map((source): AddSource => {
    const git = parseGitAddress(source)
    if (!git) {
      if (!isHttp(source)) return { kind: 'path', path: source }
      if (checksum !== undefined) checkDigest(checksum)
      return { kind: 'http', url: source, checksum }
    }
    if (keepGitDir !== undefined && git.keepGitDir !== undefined && keepGitDir !== git.keepGitDir) {
      throw invalid('inconsistent keep-git-dir configuration')
    }
    if (checksum !== undefined && git.checksum !== undefined && checksum !== git.checksum) {
      throw invalid(`checksum mismatch "${checksum}" != "${git.checksum}"`)
    }
    return {
      kind: 'git',
      remote: git.remote,
      ref: git.ref,
      subdir: git.subdir,
      checksum: git.checksum ?? checksum,
      keepGitDir: git.keepGitDir ?? keepGitDir ?? false,
      submodules: git.submodules ?? true,
    }
  })
}

const isHttp = (source: string): boolean => /^https?:\/\//.test(source) && !parseGitAddress(source)

const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

function checkDigest(text: string): void {
  const [, algorithm, hex] = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text) ?? []
  if (algorithm === undefined) throw invalid('invalid checksum digest format')
  const length = digestLengths[algorithm]
  if (length === undefined) throw invalid('unsupported digest algorithm')
  if (hex!.length !== length) throw invalid('invalid checksum digest length')
  if (!/^[0-9a-f]+$/.test(hex!)) throw invalid('invalid checksum digest format')
}
