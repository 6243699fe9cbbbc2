/** The stages of a Dockerfile by the names of their bases: variables filled in, platforms read, named contexts preferred. */

import { Failure, isFailure, messageOf } from '../../../lib/failure.ts'
import type { FromInstruction } from '../../dockerfile/instruction.ts'
import { atLines, invalid, type Lines, SourceFailure } from '../../dockerfile/source-failure.ts'
import { didYouMean, nearest } from '../../dockerfile/suggest.ts'
import { type Expanded, expandWord } from '../../dockerfile/words.ts'
import { type Platform, parsePlatform } from '../../images/platform.ts'
import { familiar, parseReference } from '../../images/reference.ts'
import { type GlobalArguments, globalArguments } from './arguments.ts'
import type { Checks } from './checks.ts'
import type { WrittenDockerfile } from './read-stages.ts'
import { StageGraph } from './stage-graph.ts'

/** Keys of the named contexts of a build: names as they are shown, without ":latest". */
export type ContextNames = ReadonlySet<string>

/** @throws Failure `invalid` in BuildKit's words. */
export function stageGraph(
  written: WrittenDockerfile,
  globals: GlobalArguments,
  contexts: ContextNames,
  checks: Checks,
): StageGraph {
  const graph = new StageGraph(written.escapeSign)
  for (const [i, { from }] of written.stages.entries()) {
    const { lines } = from
    const base = atLines(lines, () => expandGlobals(from.base, globals, written.escapeSign))
    reportUndeclared(base, globals, lines, checks)
    if (base.text === '') throw new SourceFailure(`base name (${from.base}) should not be blank`, lines)
    const platform =
      from.platform === undefined
        ? undefined
        : atLines(lines, () => platformOf(from, from.platform!, globals, written.escapeSign, checks))
    graph.add({
      from,
      baseName: base.text,
      platform,
      lines,
      name: from.stage ?? `stage-${i}`,
      context: from.stage === undefined ? undefined : contextNamed(from.stage, contexts),
    })
  }
  return graph
}

/** What `name` is called among the named contexts. @throws Failure `invalid` for what can be no name of one. */
export function contextNamed(name: string, contexts: ContextNames): string | undefined {
  if (/^(?:scratch|context)$/i.test(name)) return undefined
  let shown: string
  try {
    shown = familiar(parseReference(name)).replace(/:latest$/, '')
  } catch (error) {
    if (!isFailure(error)) throw error
    throw new Failure('invalid', `invalid context name ${name}: ${messageOf(error)}`, { cause: error })
  }
  return contexts.has(shown) ? shown : undefined
}

export const expandGlobals = (
  word: string,
  { values }: Pick<GlobalArguments, 'values'>,
  escapeSign: string,
): Expanded => expandWord(word, name => values.get(name), { escapeSign })

function reportUndeclared({ unset }: Expanded, globals: GlobalArguments, lines: Lines, checks: Checks): void {
  for (const name of unset) {
    if (globals.declared.has(name)) continue
    const hint = didYouMean(name, [...globals.values.keys(), ...globals.declared])
    checks.report('UndefinedArgInFrom', lines, `FROM argument '${name}' is not declared${hint}`)
  }
}

function platformOf(
  { stage, lines }: FromInstruction,
  text: string,
  globals: GlobalArguments,
  escapeSign: string,
  checks: Checks,
): Platform {
  const found = expandGlobals(text, globals, escapeSign)
  reportUndeclared(found, globals, lines, checks)
  const names = [...globals.values.keys()]
  const near = [...found.unset].map(name => nearest(name, names)).find(name => name !== undefined)
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`
  if (found.text === '') throw invalid(`empty platform value from expression ${text}${hint}`)
  const platform = parsed(text, found.text, hint)
  if (found.used.size === 1 && found.used.has('TARGETPLATFORM') && found.unset.size === 0) {
    if (found.text === globals.values.get('TARGETPLATFORM')) {
      const message = `Setting platform to predefined ${text} in FROM is redundant as this is the default behavior`
      checks.report('RedundantTargetPlatform', lines, message)
    }
  }
  const constant = found.used.size === 0 && found.unset.size === 0
  const named = [platform.os, platform.architecture].some(part => (stage ?? '').includes(part))
  if (constant && !named) {
    const message = `FROM --platform flag should not use constant value "${found.text}"`
    checks.report('FromPlatformFlagConstDisallowed', lines, message)
  }
  return platform
}

function parsed(written: string, text: string, hint: string): Platform {
  try {
    return parsePlatform(text)
  } catch (error) {
    throw new Failure('invalid', `failed to parse platform ${written}: ${messageOf(error)}${hint}`, { cause: error })
  }
}

/** Base names have to be right with the defaults alone, too. */
export function checkDefaultBases(
  { stages, args, escapeSign }: WrittenDockerfile,
  predefined: ReadonlyMap<string, string>,
  checks: Checks,
): void {
  try {
    const globals = globalArguments(predefined, args, new Map(), escapeSign)
    for (const { from } of stages) {
      const name = expandGlobals(from.base, globals, escapeSign).text
      if (isReference(name)) continue
      const message = `Default value for ARG ${from.base} results in empty or invalid base image name`
      checks.report('InvalidDefaultArgInFrom', from.lines, message)
    }
  } catch (error) {
    // what cannot be expanded is refused where it is used
    if (!isFailure(error, 'invalid')) throw error
  }
}

function isReference(name: string): boolean {
  try {
    parseReference(name)
    return true
  } catch (error) {
    if (isFailure(error, 'invalid')) return false
    throw error
  }
}
