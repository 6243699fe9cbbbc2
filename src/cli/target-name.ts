/** Which target a command is for: --target or TSCOMPOSE_TARGET, what the stack says, otherwise the engine of one machine. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { errnoOf } from '../lib/failure.ts'
import { list } from '../lib/text.ts'
import { type TargetName, targetNames } from '../targets/target.ts'
import type { Call } from './command.ts'
import { usage } from './options.ts'
import { stackText } from './project-name.ts'

export interface TargetWord {
  readonly word: string
  /** Who says it. */
  readonly where: string
}

/** @throws Failure invalid for a name that is none */
export function targetNameOf(call: Pick<Call, 'globals' | 'env' | 'cwd'>): TargetName {
  const said = targetWord(call)
  return said === undefined ? 'engine' : checked(said)
}

/** As it is said, be it a kind or a name that somebody has given; undefined where nobody says it. */
export function targetWord(call: Pick<Call, 'globals' | 'env' | 'cwd'>): TargetWord | undefined {
  const { globals, env } = call
  if (globals.target) return { word: globals.target, where: '--target or TSCOMPOSE_TARGET' }
  const given = globals.file.length > 0 ? globals.file : (env['COMPOSE_FILE'] || undefined)?.split(':')
  // a project by its name has no file to ask
  const base = resolve(call.cwd, globals['project-directory'] ?? '.')
  const texts = given ? given.map(file => textOf(resolve(call.cwd, file))) : [stackText(base)]
  const said = texts.map(text => /^x-target:[ \t]+(["']?)([^\s"'#]+)\1[ \t]*(?:#.*)?\r?$/m.exec(text ?? '')?.[2])
  const word = said.findLast(each => each !== undefined)
  return word === undefined ? undefined : { word, where: 'x-target' }
}

function checked({ word, where }: TargetWord): TargetName {
  const found = targetNames.find(name => name === word)
  if (!found) throw usage(`${where} is "${word}", which is no target`, `Targets are ${list(targetNames)}`)
  return found
}

/** What cannot be read is for the loader to report. */
function textOf(file: string): string | undefined {
  if (file.endsWith('/-')) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}
