/** What the keeper remembers of each stack: one document a stack, in the folder that the upper half keeps of its project. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { HoldRequest, ReadAgain } from '../api/keeper.ts'
import type { Accepted } from '../drift/accepted.ts'
import { recordFile } from '../holding/lost.ts'
import { errnoOf, Failure, messageOf } from '../lib/failure.ts'
import { thaw } from '../model/frozen.ts'
import { type Members, readDocument, writeDocument } from '../state/document.ts'

export interface HoldRecord extends HoldRequest {
  readonly version: 1
  readonly name: string
  /** RFC 3339. */
  readonly since: string
  readonly accepted: Accepted
  /** sha256 by path of the files behind configs and secrets, as they were when the stack was asked for. */
  readonly files?: Readonly<Record<string, string>>
  /** Milliseconds since 1970: starts of containers before that have been seen to. */
  readonly seen: number
}

export const recordVersion = 1

export class Records {
  readonly #folder: string
  readonly #say: (line: string) => void

  /** `folder`: of all that is known of the projects of one engine. */
  constructor(folder: string, say: (line: string) => void) {
    this.#folder = folder
    this.#say = say
  }

  /** Names of the stacks that are held. */
  names(): readonly string[] {
    let entries: readonly string[]
    try {
      entries = readdirSync(this.#folder)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
    return entries.filter(name => this.read(name) !== undefined).sort()
  }

  /** Undefined when there is none; one that cannot be used is told of, and stays for whoever wrote it. */
  read(name: string): HoldRecord | undefined {
    try {
      const members = readDocument(this.#path(name), recordVersion)
      return members && checked(name, members)
    } catch (error) {
      this.#say(messageOf(error))
      return undefined
    }
  }

  write(record: HoldRecord): void {
    writeDocument(this.#path(record.name), JSON.stringify(record))
  }

  remove(name: string): void {
    rmSync(this.#path(name), { force: true })
  }

  /** Of what is known of the project. */
  folder(name: string): string {
    return join(this.#folder, name)
  }

  #path(name: string): string {
    return join(this.folder(name), recordFile)
  }
}

/** The record as it should be, from bytes of whatever made them. @throws Failure `invalid`, `unsupported` by what thaws the model */
function checked(name: string, members: Members): HoldRecord {
  const bad = (what: string) =>
    new Failure('invalid', `Cannot use the record of stack "${name}": its ${what} is not right`)
  const { accepted, since, seen, files } = members
  if (members['name'] !== name) throw bad('name')
  if (typeof since !== 'string') throw bad('time')
  if (typeof seen !== 'number') throw bad('time of the last look')
  if (!isRecord(accepted) || !isTexts(accepted['stopped']) || !isTexts(accepted['paused']))
    throw bad('list of what stays')
  if (!isCounts(accepted['scale'])) throw bad('list of what stays')
  if (files !== undefined && !(isRecord(files) && Object.values(files).every(each => typeof each === 'string')))
    throw bad('list of files')
  const request = checkedRequest(name, members)
  return {
    ...request,
    version: 1,
    name,
    since,
    seen,
    accepted: accepted as unknown as Accepted,
    files: files as HoldRecord['files'],
  }
}

/** What was asked for, from bytes of whoever asks. @throws Failure `invalid` */
export function checkedRequest(name: string, members: Members): HoldRequest {
  const bad = (what: string) => new Failure('invalid', `Cannot hold stack "${name}": ${what}`)
  const { project, services, scale, reasons, watch } = members
  if (thaw(project).name !== name) throw bad('the model is of another')
  if (services !== undefined && !isTexts(services)) throw bad('"services" should be a list of names')
  if (scale !== undefined && !isCounts(scale)) throw bad('"scale" should be numbers by service')
  if (!isTexts(reasons)) throw bad('"reasons" should be a list of sentences')
  if (watch !== undefined && !isReadAgain(watch)) throw bad('"watch" should say how it is read again')
  return { project, services, scale, reasons, watch }
}

function isReadAgain(value: unknown): value is ReadAgain {
  if (!isRecord(value)) return false
  const { arguments: words, directory, environment, files } = value
  if (!isTexts(words) || !isTexts(files) || !isRecord(environment)) return false
  const isPath = typeof directory === 'string' && directory.startsWith('/')
  return isPath && Object.values(environment).every(each => typeof each === 'string')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string')
}

function isCounts(value: unknown): value is Readonly<Record<string, number>> {
  return isRecord(value) && Object.values(value).every(each => Number.isInteger(each) && (each as number) >= 0)
}
